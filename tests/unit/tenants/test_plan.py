"""Plans: changed member by member, and strict about every member."""

import pytest

from tenants.accounts.plan import Plan, may_send_free_text, merge_plan
from tenants.errors import InvalidInput


def test_a_change_replaces_what_it_names_and_keeps_the_rest() -> None:
    """As a PATCH does."""
    plan = merge_plan(Plan(weight=5, country_mps={"US": 20}), {"default_mps": 2})
    assert (plan.weight, plan.mps("US"), plan.mps("FR")) == (5, 20, 2)


def test_without_a_limit_there_is_none() -> None:
    """Absent means that the senders' own rates are the only ones."""
    assert Plan().mps("US") is None


@pytest.mark.parametrize(
    "changes",
    [
        {"weight": 0},
        {"weight": "many"},
        {"colour": "red"},
        {"country_mps": {"usa": 1}},
        {"country_mps": {"US": 0}},
        {"ttl_seconds": 4},
        {"pricing": "barter"},
    ],
)
def test_a_member_that_breaks_a_rule_refuses_the_change(changes: dict[str, object]) -> None:
    """A typo must not become a silent default."""
    with pytest.raises(InvalidInput) as refusal:
        merge_plan(Plan(), changes)
    assert refusal.value.field == "/plan"


@pytest.mark.parametrize(
    ("model", "allowed", "free"),
    [(1, True, True), (4, True, True), (5, True, False), (6, True, False), (1, False, False)],
)
def test_free_text_needs_the_plan_and_the_model(model: int, allowed: bool, free: bool) -> None:
    """Models 5 and 6 never may, whatever the plan says."""
    assert may_send_free_text(model, Plan(free_text=allowed)) is free
