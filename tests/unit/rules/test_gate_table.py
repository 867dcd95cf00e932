"""Every rule by one table: what it admits, refuses, and says on its edge and once its reason is over."""

from datetime import UTC, datetime
from typing import get_args

import msgspec
import pytest

from gateway.admission.rules.judging import RULES, judge
from gateway.admission.rules.ports import Closed, RuleName, SendFacts
from tenants.accounts.plan import Plan
from tenants.countries.numbers import Number

FRENCH = Number(e164="+33612345678", country="FR", kind="mobile")
INDIAN = Number(e164="+919812345678", country="IN", kind="mobile")
NIGHT = {"quiet_hours": {"policy": "refuse"}}
EVENING = datetime(2026, 6, 1, 17, 59, tzinfo=UTC)
"""One minute to eight in Paris, when the night begins."""


def facts(plan: dict[str, object] | None = None, **members: object) -> SendFacts:
    """A transactional text by day, changed a little."""
    usual: dict[str, object] = {
        "plan": msgspec.convert(plan or {}, Plan),
        "number": FRENCH,
        "message_type": "transactional",
        "channel": "sms",
        "text": "Your parcel is here",
        "from_template": False,
        "sender_type": "LONG_CODE",
        "verified": False,
        "leaves_at": datetime(2026, 6, 1, 12, 0, tzinfo=UTC),
    }
    return SendFacts(**(usual | members))  # type: ignore[arg-type]


INDIA = {"number": INDIAN, "sender_type": "SENDER_ID"}
SALE = {"message_type": "promotional", "leaves_at": EVENING.replace(hour=18, minute=0)}
SHORTENED = {"text": "see bit.ly/3abc", "screen": "prohibited"}
TABLE = {
    ("channel", "channel_disabled"): {
        "admit": (facts({"channels": ["sms"]}), True),
        "refuse": (facts({"channels": ["sms"]}, channel="voice"), False),
        "edge": (facts({"channels": []}), False),
        "after": (facts({"channels": ["sms", "voice"]}, channel="voice"), True),
    },
    ("rollout_phase", "country_not_allowed"): {
        "admit": (facts({"rollout": {"FR": {"phase": "live"}}}), True),
        "refuse": (facts({"rollout": {"FR": {"phase": "planned"}}}), False),
        "edge": (facts({"rollout": {"FR": {"phase": "registering"}, "DE": {"phase": "live"}}}), False),
        "after": (facts({"rollout": {"DE": {"phase": "planned"}}}), True),
    },
    ("rollout_phase", "destination_not_verified"): {
        "admit": (facts({"rollout": {"FR": {"phase": "test"}}}, verified=True), True),
        "refuse": (facts({"rollout": {"FR": {"phase": "test"}}}), False),
        "edge": (
            facts(
                {"rollout": {"FR": {"phase": "test"}}},
                number=msgspec.structs.replace(FRENCH, simulator=True),
            ),
            True,
        ),
        "after": (facts({"rollout": {"FR": {"phase": "live"}}}), True),
    },
    ("verified_destination", "destination_not_verified"): {
        "admit": (facts(account_in_sandbox=True, verified=True, verified_in_account=True), True),
        "refuse": (facts(account_in_sandbox=True), False),
        "edge": (facts(account_in_sandbox=True, verified=True), False),
        "after": (facts(account_in_sandbox=False), True),
    },
    ("content", "content_refused"): {
        "admit": (facts(screen="prohibited"), True),
        "refuse": (facts(**SHORTENED), False),
        "edge": (facts(**SHORTENED, from_template=True), True),
        "after": (facts(**(SHORTENED | {"screen": "off"})), True),
    },
    ("country_parameters", "country_parameters_required"): {
        "admit": (facts(**INDIA, entity_id="1", dlt_template_id="2"), True),
        "refuse": (facts(**INDIA), False),
        "edge": (facts(**INDIA, entity_id="1"), False),
        "after": (facts(**(INDIA | {"sender_type": "LONG_CODE"})), True),
    },
    ("quiet_hours", "quiet_hours"): {
        "admit": (facts(NIGHT, **(SALE | {"message_type": "otp"})), True),
        "refuse": (facts(NIGHT, **SALE), False),
        "edge": (facts(NIGHT, **(SALE | {"leaves_at": EVENING})), True),
        "after": (facts(NIGHT, **(SALE | {"leaves_at": datetime(2026, 6, 2, 6, 0, tzinfo=UTC)})), True),
    },
}
"""Rule and code, to what is sent in each column and whether it passes; `after` is when the reason is over."""
COLUMNS = ("admit", "refuse", "edge", "after")


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize(("rule", "code"), TABLE)
def test_each_rule_in_each_column(rule: str, code: str, column: str) -> None:
    """Asked alone and among all of them, it says the same."""
    sent, passes = TABLE[rule, code][column]
    alone, together = dict(RULES)[rule](sent), judge(sent)  # type: ignore[index]
    if passes:
        assert not isinstance(alone, Closed)
        assert not isinstance(together, Closed)
    else:
        assert isinstance(alone, Closed)
        assert isinstance(together, Closed)
        assert alone.code == together.code == code


def test_the_table_has_every_rule_and_every_column() -> None:
    """A rule that is added without its row fails here."""
    assert {rule for rule, _ in TABLE} == {name for name, _ in RULES} == set(get_args(RuleName))
    assert all(tuple(row) == COLUMNS for row in TABLE.values())
    assert all(row["refuse"][1] is False for row in TABLE.values())
    assert all(row["after"][1] for row in TABLE.values())
