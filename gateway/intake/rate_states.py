"""Where a tenant stands with the rates that hold for a send, for its `RateLimit` headers. Pure."""

from typing import Final

from msgspec import structs

from gateway.admission.peeking import Peek
from gateway.admission.verdict import Admission, Admitted, Refused
from gateway.intake.outcome import REQUESTS, RateState
from tenants.accounts.plan import Plan

_MILLISECONDS: Final = 1000


def after_send(
    plan: Plan,
    admission: Admission,
    admitted: Admitted,
    *,
    counted: Admitted | None = None,
    sender_rate: float | None = None,
) -> tuple[RateState, ...]:
    """
    Return what an admitted send left of the request rate and of its country's.

    Args:
        counted: What the request rate said of the request, where that was asked before.
        sender_rate: Parts per second of the sender it was given to, which is told where the plan has no rate.
    """
    asked = counted or admitted
    states = _those(
        _requests(plan, asked.remaining, asked.reset_ms), _of_country_after(plan, admission, admitted)
    )
    if states or sender_rate is None:
        return states
    return (_of_sender(sender_rate, admission),)


def after_refusal(
    plan: Plan,
    admission: Admission,
    refused: Refused,
    *,
    counted: Admitted | None = None,
    sender_rate: float | None = None,
) -> tuple[RateState, ...]:
    """
    Return what a send is told that a gate refused: the rate that did, or that of the line it did not join.

    A full line tells its rate whatever the plan says: whoever waits for room paces itself by it. Another gate
    tells the sender's where the plan has none, as an admitted send does.
    """
    if (state := used_up(refused, admission.country, plan)) is not None:
        return (state,)
    of_plan = plan.mps(admission.country)
    if refused.gate == "queue_full":
        limit = of_plan or sender_rate
        requests = None if counted is None else _requests(plan, counted.remaining, counted.reset_ms)
        return _those(requests, None if limit is None else _queueing(limit, admission))
    if sender_rate is None or of_plan is not None or plan.requests_per_second is not None:
        return ()
    return (_of_sender(sender_rate, structs.replace(admission, parts=0)),)


def looked_at(plan: Plan, country: str | None, found: Peek | None) -> tuple[RateState, ...]:
    """
    Return what is left for a send that was not admitted.

    Args:
        country: Of its recipient; None where that is not known, and then its rate is not told.
        found: None where the counters cannot be read: while nothing is counted, all is left.
    """
    requests = _requests(plan, found.remaining if found else None, found.reset_ms if found else 0)
    limit = None if country is None else plan.mps(country)
    if country is None or limit is None:
        return _those(requests)
    if plan.burst == "queue":
        return _those(requests, RateState(name=name_of(country), limit_per_s=limit))
    left, reset_ms = (None, 0) if found is None else (found.parts_left, found.parts_reset_ms)
    return _those(requests, _counted(name_of(country), limit, left, reset_ms))


def used_up(refused: Refused, country: str, plan: Plan) -> RateState | None:
    """Return the rate that refused, of which nothing is left until it opens; None if it was another gate."""
    wait_ms = refused.retry_after_ms or 0
    if refused.scope == "requests" and plan.requests_per_second is not None:
        return RateState(limit_per_s=plan.requests_per_second, remaining=0, reset_ms=wait_ms)
    if refused.scope == "country" and (limit := plan.mps(country)) is not None:
        return RateState(name=name_of(country), limit_per_s=limit, remaining=0, reset_ms=wait_ms)
    return None


def name_of(country: str) -> str:
    """Return the name of the rate to a country."""
    return f"parts-{country}"


def _requests(plan: Plan, left: int | None, reset_ms: int) -> RateState | None:
    limit = plan.requests_per_second
    return None if limit is None else _counted(REQUESTS, limit, left, reset_ms)


def _of_country_after(plan: Plan, admission: Admission, admitted: Admitted) -> RateState | None:
    limit = plan.mps(admission.country)
    if limit is None or admission.scheduled:
        return None
    if plan.burst == "refuse":
        return _counted(name_of(admission.country), limit, admitted.parts_left, admitted.parts_reset_ms)
    return _queueing(limit, admission)


def _of_sender(limit: float, admission: Admission) -> RateState:
    """Return the rate of the line at a sender; what is to leave later has no place in it yet."""
    if admission.scheduled:
        return RateState(name=name_of(admission.country), limit_per_s=limit)
    return _queueing(limit, admission)


def _queueing(limit: float, admission: Admission) -> RateState:
    """Return a rate beyond which messages wait: what would leave at once, and when the line is empty."""
    room = max(_allowance(limit) - admission.parts, 0) if admission.estimated_wait_ms == 0 else 0
    own_ms = round(admission.parts / limit * _MILLISECONDS)
    return RateState(
        name=name_of(admission.country),
        limit_per_s=limit,
        remaining=room,
        reset_ms=admission.estimated_wait_ms + own_ms,
    )


def _counted(name: str, limit: float, left: int | None, reset_ms: int) -> RateState:
    """Return a rate that refuses; with Redis away nothing is counted, so all of the allowance is there."""
    if left is None:
        return RateState(name=name, limit_per_s=limit, remaining=_allowance(limit))
    return RateState(name=name, limit_per_s=limit, remaining=left, reset_ms=reset_ms)


def _allowance(limit: float) -> int:
    return max(1, int(limit))


def _those(*states: RateState | None) -> tuple[RateState, ...]:
    return tuple(state for state in states if state is not None)
