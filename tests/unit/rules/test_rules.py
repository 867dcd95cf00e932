"""Each rule by a table: what it admits, what it refuses, and what stands on the edge."""

from datetime import UTC, datetime

import msgspec
import pytest

from gateway.admission.rules.judging import RULES, judge, reports
from gateway.admission.rules.ports import Closed, SendFacts
from tenants.accounts.plan import Plan
from tenants.countries.numbers import Number

_NIGHT_IN_PARIS = datetime(2026, 6, 1, 22, 0, tzinfo=UTC)
_FRENCH = Number(e164="+33612345678", country="FR", kind="mobile")
_INDIAN = Number(e164="+919812345678", country="IN", kind="mobile")
_SIMULATOR = Number(e164="+33755512501", country="FR", kind="mobile", simulator=True)


def _facts(**members: object) -> SendFacts:
    usual: dict[str, object] = {
        "plan": Plan(),
        "number": _FRENCH,
        "message_type": "transactional",
        "channel": "sms",
        "text": "Your parcel is here",
        "from_template": False,
        "sender_type": "LONG_CODE",
        "verified": False,
        "leaves_at": _NIGHT_IN_PARIS,
    }
    return SendFacts(**(usual | members))  # type: ignore[arg-type]


def _plan(**members: object) -> Plan:
    return msgspec.convert(members, Plan)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (_facts(), None),
        (_facts(channel="mms"), None),
        (_facts(plan=_plan(channels=["sms"]), channel="mms"), "channel_disabled"),
        (_facts(plan=_plan(channels=["mms"])), "channel_disabled"),
        (_facts(plan=_plan(rollout={"FR": {"phase": "planned"}})), "country_not_allowed"),
        (_facts(plan=_plan(rollout={"FR": {"phase": "registering"}})), "country_not_allowed"),
        (_facts(plan=_plan(rollout={"FR": {"phase": "live"}})), None),
        (_facts(plan=_plan(rollout={"DE": {"phase": "planned"}})), None),
        (_facts(plan=_plan(rollout={"FR": {"phase": "test"}})), "destination_not_verified"),
        (_facts(plan=_plan(rollout={"FR": {"phase": "test"}}), number=_SIMULATOR), None),
        (_facts(plan=_plan(rollout={"FR": {"phase": "test"}}), verified=True), None),
        (_facts(account_in_sandbox=True), "destination_not_verified"),
        (_facts(account_in_sandbox=True, verified=True), "destination_not_verified"),
        (_facts(account_in_sandbox=True, number=_SIMULATOR), None),
        (_facts(account_in_sandbox=True, verified=True, verified_in_account=True), None),
        (_facts(number=_INDIAN, sender_type="SENDER_ID"), "country_parameters_required"),
        (_facts(number=_INDIAN, sender_type="SENDER_ID", entity_id="1"), "country_parameters_required"),
        (_facts(number=_INDIAN, sender_type="SENDER_ID", entity_id="1", dlt_template_id="2"), None),
        (_facts(number=_INDIAN, sender_type="LONG_CODE"), None),
        (_facts(plan=_plan(quiet_hours={"policy": "refuse"}), message_type="promotional"), "quiet_hours"),
        (_facts(plan=_plan(quiet_hours={"policy": "refuse"})), None),
        (_facts(plan=_plan(quiet_hours={"policy": "hold"}), message_type="promotional"), None),
    ],
)
def test_a_send_is_judged_by_the_first_rule_that_refuses_it(facts: SendFacts, code: str | None) -> None:
    """The code is what the tenant's program branches on."""
    verdict = judge(facts)
    assert (verdict.code if isinstance(verdict, Closed) else None) == code


def test_a_held_send_leaves_in_the_morning() -> None:
    """The instant is what the message is scheduled for."""
    facts = _facts(plan=_plan(quiet_hours={"policy": "hold"}), message_type="promotional")
    assert judge(facts) == datetime(2026, 6, 2, 6, 0, tzinfo=UTC)


def test_an_explanation_asks_every_rule_also_after_a_refusal() -> None:
    """Who mends one thing wants to know of the next at once."""
    facts = _facts(plan=_plan(channels=["mms"]), number=_INDIAN, sender_type="SENDER_ID")
    told = reports(facts)
    assert [report.rule for report in told] == [name for name, _ in RULES]
    assert sum(isinstance(report.verdict, Closed) for report in told) == 2
