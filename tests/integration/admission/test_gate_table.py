"""Every gate of the admission script by one table: admitted, refused, on its edge, and when it is over."""

from typing import get_args
from uuid import UUID

import pytest

from gateway.admission.policy import protect_block
from gateway.admission.projection import override_list
from gateway.admission.verdict import Admitted, GateName, Refused
from tests.integration.admission.conftest import RECIPIENT, TEMPLATE

SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US
CONFIGURATION = UUID(int=5)
PROTECTED = {"protect": CONFIGURATION}
SOON_MS = 1_800_000_000_500
"""Half a second after the tenant's clock begins."""
BLOCKED = {override_list(CONFIGURATION): {RECIPIENT: b"B%d" % SOON_MS}}
US_BLOCKED = {"protect_blocks": frozenset({protect_block(CONFIGURATION, "sms", "US")})}
COLUMNS = ("admit", "refuse", "edge", "after")


def case(
    passes: bool,
    asked: dict | None = None,
    *,
    lists: dict | None = None,
    sent: int = 0,
    then_us: int = 0,
    **policy: object,
) -> tuple:
    """One cell: `sent` messages that pass, some time, and then the one that is judged."""
    return passes, asked or {}, lists or {}, sent, then_us, policy


TABLE = {
    "tenant_suspended": {
        "admit": case(True, state="active"),
        "refuse": case(False, state="suspended"),
        "edge": case(False, state="closed"),
        "after": case(True, {"policy_version": 6}, state="active", version=6),
    },
    "not_live": {
        "admit": case(True, live=True),
        "refuse": case(False, live=False),
        "edge": case(True, {"live": False}, live=False),
        "after": case(True, {"policy_version": 6}, live=True, version=6),
    },
    "template_required": {
        "admit": case(True, {"template": None}, free_text=True),
        "refuse": case(False, {"template": None}),
        "edge": case(True, {"template": (TEMPLATE, 2)}),
        "after": case(True, {"template": None, "policy_version": 6}, free_text=True, version=6),
    },
    "template_not_allowed": {
        "admit": case(True, {"template": (TEMPLATE, 3)}),
        "refuse": case(False, {"template": (TEMPLATE, 1)}),
        "edge": case(False, {"template": (TEMPLATE, 2)}, templates={TEMPLATE: frozenset({12, 22})}),
        "after": case(True, {"template": (TEMPLATE, 1)}, templates={TEMPLATE: frozenset({1, 3})}),
    },
    "country_not_allowed": {
        "admit": case(True, {"country": "CA"}),
        "refuse": case(False, {"country": "DE"}),
        "edge": case(False, countries=frozenset()),
        "after": case(True, {"country": "DE"}, countries=frozenset({"US", "DE"})),
    },
    "opted_out": {
        "admit": case(True, lists={"all": [b"another"]}),
        "refuse": case(False, lists={"all": [RECIPIENT]}),
        "edge": case(True, {"use_cases": ("all", "otp")}, lists={"promotional": [RECIPIENT]}),
        "after": case(True, lists={"all": []}),
    },
    "protect_blocked": {
        "admit": case(True, PROTECTED | {"country": "CA"}, **US_BLOCKED),
        "refuse": case(False, PROTECTED, **US_BLOCKED),
        "edge": case(False, PROTECTED, lists=BLOCKED, then_us=SECOND_US // 2 - 1000),
        "after": case(True, PROTECTED, lists=BLOCKED, then_us=SECOND_US // 2),
    },
    "rate_limited": {
        "admit": case(True, requests_per_second=2.0),
        "refuse": case(False, requests_per_second=2.0, sent=2),
        "edge": case(True, requests_per_second=2.0, sent=1),
        "after": case(True, requests_per_second=2.0, sent=2, then_us=SECOND_US // 2),
    },
    "queue_full": {
        "admit": case(True, {"estimated_wait_ms": 0}),
        "refuse": case(False, {"estimated_wait_ms": 60_001}),
        "edge": case(True, {"estimated_wait_ms": 60_000}),
        "after": case(True, {"estimated_wait_ms": 59_000}),
    },
    "daily_cap_reached": {
        "admit": case(True, {"country": "CA"}, country_daily_caps={"US": 1}),
        "refuse": case(False, sent=2, country_daily_caps={"US": 2}),
        "edge": case(True, sent=1, country_daily_caps={"US": 2}),
        "after": case(True, sent=2, country_daily_caps={"US": 2}, then_us=DAY_US),
    },
}
"""Gate, to what is sent in each column and whether it passes; `after` is when the reason is over."""
ELSEWHERE = {"pumping_suspected"}
"""It judges a stream and not a message: `test_pumping.py` replays streams of ten thousand."""


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("gate", TABLE)
async def test_each_gate_in_each_column(tenant, gate, column) -> None:
    """What was admitted before was admitted; then the one verdict of the cell."""
    passes, asked, lists, sent, then_us, policy = TABLE[gate][column]
    await tenant.project(lists, **policy)
    for _ in range(sent):
        assert isinstance(await tenant.ask(**asked), Admitted)
    tenant.now_us += then_us
    verdict = await tenant.ask(**asked)
    if passes:
        assert isinstance(verdict, Admitted)
    else:
        assert isinstance(verdict, Refused)
        assert verdict.gate == gate


def test_the_table_has_every_gate_and_every_column() -> None:
    """A gate that is added without its row fails here."""
    assert TABLE.keys() | ELSEWHERE == set(get_args(GateName))
    for gate, row in TABLE.items():
        assert tuple(row) == COLUMNS, gate
        assert row["admit"][0], gate
        assert not row["refuse"][0], gate
        assert row["after"][0], gate
