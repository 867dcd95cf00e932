"""Plans: changed member by member, and strict about every member."""

import math

import msgspec
import pytest

from tenants.accounts.enrolment import NewTenant, check_new_tenant
from tenants.accounts.plan import Fees, Plan, may_send_free_text, merge_plan
from tenants.accounts.sending_rules import Rollout
from tenants.errors import InvalidInput


def test_a_change_replaces_what_it_names_and_keeps_the_rest() -> None:
    """As a PATCH does."""
    plan = merge_plan(Plan(weight=5, country_mps={"US": 20}), {"default_mps": 2})
    assert (plan.weight, plan.mps("US"), plan.mps("FR")) == (5, 20, 2)


def test_without_a_limit_there_is_none() -> None:
    """Absent means that the senders' own rates are the only ones."""
    assert Plan().mps("US") is None


def test_what_a_plan_named_before_there_was_a_rule_may_stay_and_be_taken_out() -> None:
    """Only what a change names is looked at."""
    stored = Plan(country_mps={"XX": 1, "US": 2}, tier_of={"US": "gold"})
    assert merge_plan(stored, {"country_mps": {"FR": 3}}).country_mps == {"XX": 1, "US": 2, "FR": 3}
    assert merge_plan(stored, {"country_mps": {"XX": None}}).country_mps == {"US": 2}
    assert merge_plan(stored, {"tier_of": {"US": None}}).tier_of == {}


def test_a_tier_that_is_named_may_not_lose_its_price() -> None:
    """The country would have none."""
    priced = merge_plan(
        Plan(), {"tiers": {"gold": "0.1", "tin": "0.2"}, "tier_of": {"*": "tin", "US": "gold"}}
    )
    with pytest.raises(InvalidInput) as refusal:
        merge_plan(priced, {"tiers": {"gold": None}})
    assert refusal.value.field == "/plan/tier_of/US"
    assert merge_plan(priced, {"tiers": {"gold": None}, "tier_of": {"US": None}}).tier_of == {"*": "tin"}


def test_a_change_of_one_country_keeps_the_others() -> None:
    """A limit that nobody named must not be gone; null takes one away, also one that is not there."""
    before = Plan(country_mps={"US": 20, "DE": 1}, rollout={"US": Rollout(daily_cap=5)})
    plan = merge_plan(before, {"country_mps": {"FR": 10, "DE": None, "IT": None}, "rollout": {"FR": {}}})
    assert plan.country_mps == {"US": 20, "FR": 10}
    assert plan.rollout == {"US": Rollout(daily_cap=5), "FR": Rollout()}
    assert merge_plan(plan, {"rollout": {"US": {"phase": "test"}}}).rollout["US"] == Rollout(
        phase="test", daily_cap=5
    )


def test_a_change_inside_a_member_keeps_the_rest_of_it() -> None:
    """RFC 7396 at every depth; a list is a value."""
    window = {"from": "21:00", "to": "09:00"}
    before = merge_plan(
        Plan(fees=Fees(carrier="mark_up")),
        {"quiet_hours": {"policy": "hold", "windows": {"US": window}}, "bundle": {"included": 5}},
    )
    plan = merge_plan(
        before, {"fees": {"lease": "absorb"}, "quiet_hours": {"windows": {"FR": window}}, "bundle": None}
    )
    assert plan.fees == Fees(carrier="mark_up", lease="absorb")
    assert (plan.quiet_hours.policy, set(plan.quiet_hours.windows)) == ("hold", {"US", "FR"})
    assert plan.bundle is None
    assert merge_plan(plan, {"channels": ["sms"]}).channels == ["sms"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"weight": 0}, "/plan/weight"),
        ({"weight": "many"}, "/plan/weight"),
        ({"burst": None}, "/plan/burst"),
        ({"colour": "red"}, "/plan/colour"),
        ({"country_mps": {"FR": 1, "usa": 1}}, "/plan/country_mps/usa"),
        ({"country_mps": {"FR": 1, "US": "fast"}}, "/plan/country_mps/US"),
        ({"country_mps": None}, "/plan/country_mps"),
        ({"rollout": {"FR": {}, "US": {"phase": None}}}, "/plan/rollout/US/phase"),
        ({"fees": {"lease": "twice"}}, "/plan/fees/lease"),
        ({"ttl_seconds": 4}, "/plan/ttl_seconds"),
        ({"pricing": "barter"}, "/plan/pricing"),
        ({"pricing": "tiers"}, "/plan"),
        ({"country_mps": {"US": 1, "XX": 1}}, "/plan/country_mps/XX"),
        ({"country_mps": {"CU": 1}}, "/plan/country_mps/CU"),
        ({"rollout": {"XX": {}}}, "/plan/rollout/XX"),
        (
            {"quiet_hours": {"windows": {"XX": {"from": "21:00", "to": "09:00"}}}},
            "/plan/quiet_hours/windows/XX",
        ),
        ({"bundle": {"included": 1, "countries": ["US", "XX"]}}, "/plan/bundle/countries/1"),
        ({"pumping": {"safe_list": ["+4479", "XX"]}}, "/plan/pumping/safe_list/1"),
        ({"tier_of": {"US": "gold"}}, "/plan/tier_of/US"),
        ({"tiers": {"gold": "0.1"}, "tier_of": {"*": "gold", "XX": "gold"}}, "/plan/tier_of/XX"),
    ],
)
def test_a_member_that_breaks_a_rule_refuses_the_change(changes: dict[str, object], field: str) -> None:
    """A typo must not become a silent default; it is named to the leaf."""
    with pytest.raises(InvalidInput) as refusal:
        merge_plan(Plan(), changes)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("amounts", "member"),
    [
        ({"monthly_fee": "50"}, "monthly_fee"),
        ({"platform_fee": "1"}, "platform_fee"),
        ({"auto_top_up": {"below": "5", "amount": "50"}}, "auto_top_up"),
    ],
)
def test_a_pricing_in_another_unit_takes_over_no_amount_of_the_old_one(
    amounts: dict[str, object], member: str
) -> None:
    """Fifty dollars a month would become fifty credits without a word."""
    plan = merge_plan(Plan(), amounts)
    with pytest.raises(InvalidInput) as refusal:
        merge_plan(plan, {"pricing": "credits"})
    assert refusal.value.field == f"/plan/{member}"
    assert merge_plan(plan, {"pricing": "credits"} | amounts).pricing == "credits"
    tiers = {"pricing": "tiers", "tiers": {"near": "0.01"}, "tier_of": {"*": "near"}}
    assert merge_plan(plan, tiers).pricing == "tiers", "dollars stay dollars"


def test_half_an_order_of_top_ups_is_none_in_another_unit() -> None:
    """The other half would still be dollars."""
    plan = merge_plan(Plan(), {"auto_top_up": {"below": "5", "amount": "50"}})
    with pytest.raises(InvalidInput):
        merge_plan(plan, {"pricing": "credits", "auto_top_up": {"below": "500"}})
    assert merge_plan(plan, {"pricing": "credits", "auto_top_up": None}).auto_top_up is None


@pytest.mark.parametrize("rate", [0, 1e-320, 1e300, math.nan])
@pytest.mark.parametrize(
    ("member", "field"),
    [
        ("default_mps", "/plan/default_mps"),
        ("requests_per_second", "/plan/requests_per_second"),
        ("country_mps", "/plan/country_mps/US"),
    ],
)
def test_a_rate_beyond_the_rule_refuses_the_change_and_is_named(member: str, field: str, rate: float) -> None:
    """Which country it is stands nowhere else."""
    with pytest.raises(InvalidInput, match=r"0\.0001 to 100,000") as refusal:
        merge_plan(Plan(), {member: {"FR": 5, "US": rate} if member == "country_mps" else rate})
    assert refusal.value.field == field


def test_a_new_tenants_rates_are_held_to_the_rule() -> None:
    """What the struct lets pass for the sake of old plans is none for a new one."""
    new = NewTenant(name="Acme", slug="acme", model=2, countries=["US"], plan=Plan(default_mps=1e-320))
    with pytest.raises(InvalidInput) as refusal:
        check_new_tenant(new)
    assert refusal.value.field == "/plan/default_mps"


def test_a_rate_from_before_the_rule_is_read_and_refuses_no_other_change() -> None:
    """A tenant whose plan cannot be read sends nothing at all."""
    stored = msgspec.convert({"default_mps": 1e-320, "country_mps": {"US": 1e-9}}, Plan)
    assert merge_plan(stored, {"weight": 5}).weight == 5


@pytest.mark.parametrize(
    ("model", "allowed", "free"),
    [(1, True, True), (4, True, True), (5, True, False), (6, True, False), (1, False, False)],
)
def test_free_text_needs_the_plan_and_the_model(model: int, allowed: bool, free: bool) -> None:
    """Models 5 and 6 never may, whatever the plan says."""
    assert may_send_free_text(model, Plan(free_text=allowed)) is free
