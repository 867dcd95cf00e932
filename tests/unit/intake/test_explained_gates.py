"""An explanation names every gate, and the first closed one is what a send would be refused with."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from msgspec import structs

from gateway.admission.gate import RateWaits
from gateway.admission.policy import TenantPolicy
from gateway.admission.verdict import Admission
from gateway.intake.explained_gates import Surroundings, gates_of, refusal
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
)
_AROUND = Surroundings(
    now=datetime(2026, 1, 1, tzinfo=UTC),
    opted_out=False,
    waits=RateWaits(requests_ms=0, country_ms=0),
    available=10,
)
_QUOTE = Quote(unit="credits", amount=2, sell_micros=20, max_price_micros=30)


@pytest.mark.parametrize(
    ("gate", "code", "changes"),
    [
        ("sender", "no_originator", {"has_sender": False}),
        ("tenant_state", "tenant_suspended", {"policy": {"state": "suspended"}}),
        ("mode", "not_live", {"policy": {"live": False}}),
        ("template", "template_required", {"policy": {"free_text": False}}),
        ("template", "template_not_allowed", {"admission": {"template": (_TEMPLATE, 2)}}),
        ("country", "country_not_allowed", {"admission": {"country": "FR"}}),
        ("opt_out", "opted_out", {"around": {"opted_out": True}}),
        ("protect", "protect_blocked", {"around": {"override": "ALWAYS_BLOCK"}}),
        ("request_rate", "rate_limited", {"around": {"waits": RateWaits(requests_ms=200, country_ms=0)}}),
        ("country_rate", "rate_limited", {"around": {"waits": RateWaits(requests_ms=0, country_ms=300)}}),
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
        has_sender=changes.get("has_sender", True),
    )
    closed = [each for each in gates if each.verdict == "closed"]
    assert [(each.gate, each.code) for each in closed] == [(gate, code)]
    assert refusal(gates) == code


def test_a_send_that_would_pass_shows_every_gate_open() -> None:
    """Ten gates and the sender, none left out."""
    gates = gates_of(_POLICY, _ADMISSION, _AROUND, quote=_QUOTE, has_sender=True)
    assert {each.verdict for each in gates} == {"open"}
    assert len({each.gate for each in gates}) == len(gates) == 11
    assert refusal(gates) is None


def test_a_test_message_asks_for_no_balance() -> None:
    """It is held for nothing at the accept, so an empty balance must not be told as a refusal."""
    test_send = structs.replace(_ADMISSION, live=False)
    empty = structs.replace(_AROUND, available=0)
    gates = gates_of(_POLICY, test_send, empty, quote=_QUOTE, has_sender=True)
    assert refusal(gates) is None
    assert gates[-1].detail == "a test message costs nothing"


def test_a_rate_says_when_it_opens_and_admits_to_not_knowing() -> None:
    """With Redis away the counter is unknown, which is neither open nor closed."""
    waiting = structs.replace(_AROUND, waits=RateWaits(requests_ms=1500, country_ms=0))
    by_name = {
        each.gate: each for each in gates_of(_POLICY, _ADMISSION, waiting, quote=_QUOTE, has_sender=True)
    }
    assert by_name["request_rate"].opens_at == "2026-01-01T00:00:01.500Z"
    away = structs.replace(_AROUND, waits=None)
    by_name = {each.gate: each for each in gates_of(_POLICY, _ADMISSION, away, quote=_QUOTE, has_sender=True)}
    assert by_name["request_rate"].verdict == "not_known"
