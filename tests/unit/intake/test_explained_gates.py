"""An explanation names every gate, and the first closed one is what a send would be refused with."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from msgspec import structs

from gateway.admission.peeking import Peek
from gateway.admission.policy import TenantPolicy
from gateway.admission.pumping import Hold, Watched
from gateway.admission.verdict import Admission
from gateway.intake.explained_gate import ExplainedGate
from gateway.intake.explained_gates import Surroundings, gates_of, refusal
from gateway.intake.outcome import Declined
from tenants.budgets.budget import PLATFORM, Count
from tenants.credits.pricing import Quote

_TENANT = UUID(int=1)
_TEMPLATE = UUID(int=2)
_POLICY = TenantPolicy(
    tenant_id=_TENANT,
    version=1,
    state="active",
    live=True,
    free_text=True,
    countries=frozenset({"US"}),
    templates={_TEMPLATE: frozenset({1})},
    requests_per_second=5,
    country_refuse_mps={"US": 10},
    country_daily_caps={"US": 5},
)
_ADMISSION = Admission(
    tenant_id=_TENANT,
    policy_version=1,
    live=True,
    country="US",
    template=None,
    recipient_hash=bytes(16),
    use_cases=("all", "otp"),
    parts=1,
    estimated_wait_ms=0,
    ttl_ms=60_000,
    protect=UUID(int=9),
    watched=Watched("otp", "1206555", enforced=True, probe="e|otp|1206555|0100|10"),
)
_AROUND = Surroundings(
    now=datetime(2026, 1, 1, tzinfo=UTC),
    opted_out=False,
    counters=Peek(requests_ms=0, country_ms=0),
    available=10,
)
_QUOTE = Quote(unit="credits", amount=2, sell_micros=20, max_price_micros=30)
_HOLD = Hold(rule="prefix", scope="1206555", until_ms=1_767_225_660_000, enforced=True)
_OWN = Count(owner=_TENANT, name="country:US", month=date(2026, 1, 1), amount=2, cap=10)
_PLATFORMS = Count(owner=PLATFORM, name="all", month=date(2026, 1, 1), amount=20, cap=100)


def _gates(**changes: dict) -> list[ExplainedGate]:
    return gates_of(
        structs.replace(_POLICY, **changes.get("policy", {})),
        structs.replace(_ADMISSION, **changes.get("admission", {})),
        structs.replace(_AROUND, **changes.get("around", {})),
        quote=_QUOTE,
    )


@pytest.mark.parametrize(
    ("gate", "code", "changes"),
    [
        ("sender", "no_originator", {"no_sender": Declined(code="no_originator", detail="none is there")}),
        ("sender", "use_case_mismatch", {"no_sender": Declined(code="use_case_mismatch", detail="for OTP")}),
        ("tenant_state", "tenant_suspended", {"policy": {"state": "suspended"}}),
        ("mode", "not_live", {"policy": {"live": False}}),
        ("template", "template_required", {"policy": {"free_text": False}}),
        ("template", "template_not_allowed", {"admission": {"template": (_TEMPLATE, 2)}}),
        ("country", "country_not_allowed", {"admission": {"country": "FR"}}),
        ("opt_out", "opted_out", {"around": {"opted_out": True}}),
        ("protect", "protect_blocked", {"around": {"override": "ALWAYS_BLOCK"}}),
        ("request_rate", "rate_limited", {"around": {"counters": Peek(requests_ms=200, country_ms=0)}}),
        ("country_rate", "rate_limited", {"around": {"counters": Peek(requests_ms=0, country_ms=300)}}),
        ("pumping", "pumping_suspected", {"around": {"counters": Peek(hold=_HOLD, hold_ms=60_000)}}),
        ("daily_cap", "daily_cap_reached", {"around": {"counters": Peek(today=5, day_ends_ms=1000)}}),
        ("budget", "spend_limit_reached", {"around": {"budgets": ((_OWN, 9),)}}),
        ("budget", "spend_limit_reached", {"around": {"budgets": ((_OWN, 8), (_PLATFORMS, 81))}}),
        ("queue", "queue_full", {"admission": {"estimated_wait_ms": 60_001}}),
        ("balance", "insufficient_credits", {"around": {"available": 1}}),
    ],
)
def test_each_gate_can_close_and_then_names_its_code(gate: str, code: str, changes: dict) -> None:
    """The code is the problem code of the send itself."""
    gates = gates_of(
        structs.replace(_POLICY, **changes.get("policy", {})),
        structs.replace(_ADMISSION, **changes.get("admission", {})),
        structs.replace(_AROUND, **changes.get("around", {})),
        quote=_QUOTE,
        no_sender=changes.get("no_sender"),
    )
    closed = [each for each in gates if each.verdict == "closed"]
    assert [(each.gate, each.code) for each in closed] == [(gate, code)]
    assert refusal(gates) == code


def test_a_send_that_would_pass_shows_every_gate_open() -> None:
    """Thirteen gates and the sender, none left out."""
    gates = gates_of(_POLICY, _ADMISSION, _AROUND, quote=_QUOTE)
    assert {each.verdict for each in gates} == {"open"}
    assert len({each.gate for each in gates}) == len(gates) == 14
    assert refusal(gates) is None


def test_a_scheduled_message_is_not_kept_back_by_the_countrys_rate_of_now() -> None:
    """As the gate itself, which does not ask; the request counts."""
    scheduled = structs.replace(_ADMISSION, scheduled=True)
    busy = structs.replace(_AROUND, counters=Peek(requests_ms=200, country_ms=300))
    gates = gates_of(_POLICY, scheduled, busy, quote=_QUOTE)
    assert [each.gate for each in gates if each.verdict != "open"] == ["request_rate"]


def test_a_test_message_asks_for_no_balance() -> None:
    """It is held for nothing at the accept, so an empty balance must not be told as a refusal."""
    test_send = structs.replace(_ADMISSION, live=False)
    empty = structs.replace(_AROUND, available=0)
    gates = gates_of(_POLICY, test_send, empty, quote=_QUOTE)
    assert refusal(gates) is None
    assert gates[-1].detail == "a test message costs nothing"


def test_a_rate_says_when_it_opens_and_admits_to_not_knowing() -> None:
    """With Redis away the counter is unknown, which is neither open nor closed."""
    waiting = structs.replace(_AROUND, counters=Peek(requests_ms=1500, country_ms=0))
    by_name = {each.gate: each for each in gates_of(_POLICY, _ADMISSION, waiting, quote=_QUOTE)}
    assert by_name["request_rate"].opens_at == "2026-01-01T00:00:01.500Z"
    away = structs.replace(_AROUND, counters=None)
    by_name = {each.gate: each for each in gates_of(_POLICY, _ADMISSION, away, quote=_QUOTE)}
    assert by_name["request_rate"].verdict == "not_known"


@pytest.mark.parametrize(
    ("gate", "opens_at", "around"),
    [
        ("pumping", "2026-01-01T00:01:00.000Z", {"counters": Peek(hold=_HOLD, hold_ms=60_000)}),
        ("daily_cap", "2026-01-01T00:00:01.000Z", {"counters": Peek(today=5, day_ends_ms=1000)}),
        ("budget", "2026-02-01T00:00:00.000Z", {"budgets": ((_OWN, 9),)}),
    ],
)
def test_a_gate_that_time_opens_says_when(gate: str, opens_at: str, around: dict) -> None:
    """Waiting is a way out only for who knows how long."""
    [closed] = [each for each in _gates(around=around) if each.verdict == "closed"]
    assert (closed.gate, closed.opens_at) == (gate, opens_at)
    assert closed.input
    assert closed.detail


def test_without_counters_their_gates_are_not_known_and_test_sends_ask_none() -> None:
    """Neither open nor closed; and a test message counts nothing."""
    gates = {each.gate: each.verdict for each in _gates(around={"counters": None})}
    assert (gates["pumping"], gates["daily_cap"]) == ("not_known", "not_known")
    full = {"counters": Peek(today=9), "budgets": ((_OWN, 10),)}
    gates = {each.gate: each.verdict for each in _gates(admission={"live": False}, around=full)}
    assert (gates["daily_cap"], gates["budget"]) == ("open", "open")


def test_the_operators_budget_is_not_shown_to_a_tenant() -> None:
    """What the platform spends is not the tenant's business."""
    [closed] = [each for each in _gates(around={"budgets": ((_PLATFORMS, 100),)}) if each.verdict == "closed"]
    assert closed.detail == "the operator's budget for this month is used up"
    assert "100" not in closed.input


def test_traffic_that_is_only_watched_is_open_and_says_so() -> None:
    """Monitoring tells and refuses nothing."""
    gates = {each.gate: each for each in _gates(around={"counters": Peek(noted=True)})}
    assert gates["pumping"].verdict == "open"
    assert "only watches" in gates["pumping"].detail
    assert {each.gate: each for each in _gates(admission={"watched": None})}["pumping"].input == "not watched"
