"""The gates that count, as an explanation shows them: pumping, rates and the day's cap. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from gateway.admission.peeking import Peek
from gateway.admission.policy import TenantPolicy
from gateway.admission.verdict import Admission
from gateway.intake.explained_gate import ExplainedGate
from gateway.intake.refusals import held
from gateway.messages.view import timestamp


def pumping_gate(admission: Admission, counters: Peek | None, now: datetime) -> ExplainedGate:
    """Say whether the numbers around the recipient are held for suspected pumping."""
    watched = admission.watched
    if watched is None:
        return ExplainedGate(
            gate="pumping",
            verdict="open",
            input="not watched",
            detail="the plan does not watch such messages",
        )
    looked_at = f"workflow {watched.workflow}, numbers that begin +{watched.block}, level {watched.level}"
    if counters is None:
        return ExplainedGate(
            gate="pumping", verdict="not_known", input=looked_at, detail="the counters did not answer"
        )
    if counters.hold is None:
        found = "they look like pumping, and the plan only watches" if counters.noted else "nothing is held"
        return ExplainedGate(gate="pumping", verdict="open", input=looked_at, detail=found)
    return ExplainedGate(
        gate="pumping",
        verdict="closed",
        input=looked_at,
        detail=held(counters.hold),
        code="pumping_suspected",
        opens_at=timestamp(now + timedelta(milliseconds=counters.hold_ms)),
    )


def daily_cap_gate(
    policy: TenantPolicy, admission: Admission, counters: Peek | None, now: datetime
) -> ExplainedGate:
    """Say whether the rollout's messages of the day are used up."""
    cap = policy.country_daily_caps.get(admission.country)
    if cap is None or not admission.live:
        return ExplainedGate(
            gate="daily_cap",
            verdict="open",
            input=f"country {admission.country}" if admission.live else "test key",
            detail="the rollout sets no cap" if admission.live else "a test message counts nothing",
        )
    looked_at = f"{cap} messages a UTC day to {admission.country}"
    if counters is None:
        return ExplainedGate(
            gate="daily_cap", verdict="not_known", input=looked_at, detail="the day's counter did not answer"
        )
    if counters.today < cap:
        return ExplainedGate(
            gate="daily_cap", verdict="open", input=looked_at, detail=f"{counters.today} were admitted today"
        )
    return ExplainedGate(
        gate="daily_cap",
        verdict="closed",
        input=looked_at,
        detail="the day's messages are used up",
        code="daily_cap_reached",
        opens_at=timestamp(now + timedelta(milliseconds=counters.day_ends_ms)),
    )


def rate_gates(
    policy: TenantPolicy, admission: Admission, counters: Peek | None, now: datetime
) -> Iterator[ExplainedGate]:
    """Say when the plan's own rates admit it."""
    requests = policy.requests_per_second
    yield _rate(
        "request_rate",
        "no limit" if requests is None else f"{requests:g} requests/s",
        limited=requests is not None,
        wait_ms=None if counters is None else counters.requests_ms,
        now=now,
    )
    yield _country_rate(policy, admission, counters, now)


def _country_rate(
    policy: TenantPolicy, admission: Admission, counters: Peek | None, now: datetime
) -> ExplainedGate:
    parts = policy.country_refuse_mps.get(admission.country)
    looked_at = "nothing is refused by rate" if parts is None else f"{parts:g} parts/s to {admission.country}"
    if parts is not None and admission.scheduled:
        return ExplainedGate(
            gate="country_rate",
            verdict="open",
            input=looked_at,
            detail="a scheduled message is queued when it is due",
        )
    return _rate(
        "country_rate",
        looked_at,
        limited=parts is not None,
        wait_ms=None if counters is None else counters.country_ms,
        now=now,
    )


def _rate(gate: str, looked_at: str, *, limited: bool, wait_ms: int | None, now: datetime) -> ExplainedGate:
    if not limited:
        return ExplainedGate(gate=gate, verdict="open", input=looked_at, detail="the plan sets no such rate")
    if wait_ms is None:
        return ExplainedGate(
            gate=gate, verdict="not_known", input=looked_at, detail="the rate's counter did not answer"
        )
    if wait_ms == 0:
        return ExplainedGate(gate=gate, verdict="open", input=looked_at, detail="the rate has room")
    return ExplainedGate(
        gate=gate,
        verdict="closed",
        input=looked_at,
        detail=f"the rate is used up for {wait_ms} ms",
        code="rate_limited",
        opens_at=timestamp(now + timedelta(milliseconds=wait_ms)),
    )
