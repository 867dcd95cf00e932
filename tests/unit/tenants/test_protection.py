"""Which protect rule decides: every branch of the pure rules."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from tenants.errors import InvalidInput
from tenants.protection.naming import check_changes, check_name
from tenants.protection.overrides import mark
from tenants.protection.precedence import (
    Configuration,
    InForce,
    Judgement,
    Override,
    Protection,
    blocked_countries,
    check_expiry,
    holds,
    in_force,
    judge,
    merged,
)

NOW = datetime(2026, 5, 1, tzinfo=UTC)
LATER, EARLIER = NOW + timedelta(seconds=1), NOW - timedelta(seconds=1)
OWN, SET, NAMED, ACCOUNTS = (Configuration(id=UUID(int=n), name=str(n)) for n in range(1, 5))
ACCOUNT = UUID(int=100)
ALL = Protection(
    configurations={each.id: each for each in (OWN, SET, NAMED)},
    tenant_default=OWN.id,
    of_sets={ACCOUNT: SET.id},
    account_default=ACCOUNTS,
)


@pytest.mark.parametrize(
    ("changes", "named", "account", "decides"),
    [
        pytest.param({}, NAMED.id, ACCOUNT, (NAMED, "request"), id="the request before all"),
        pytest.param({}, None, ACCOUNT, (SET, "configuration_set"), id="then the configuration set"),
        pytest.param({}, None, UUID(int=7), (OWN, "tenant_default"), id="another account's set is not asked"),
        pytest.param({}, None, None, (OWN, "tenant_default"), id="the sandbox has no set"),
        pytest.param(
            {"tenant_default": None}, None, None, (ACCOUNTS, "account_default"), id="then the account"
        ),
        pytest.param(
            {"tenant_default": None, "account_default": None}, None, None, (None, "none"), id="or nothing"
        ),
    ],
)
def test_the_first_level_that_has_a_configuration_decides_alone(changes, named, account, decides) -> None:
    """AWS's order, with the tenant's default before the account's."""
    found = in_force(msgspec.structs.replace(ALL, **changes), named=named, account_id=account)
    assert found == InForce(configuration=decides[0], origin=decides[1])


RULES = Configuration(
    id=UUID(int=9),
    name="rules",
    rules={"sms": {"FR": "BLOCK", "DE": "FILTER", "US": "ALLOW", "GB": "MONITOR"}, "voice": {"US": "BLOCK"}},
)
ALLOW = Override(action="ALWAYS_ALLOW")
BLOCK = Override(action="ALWAYS_BLOCK")


@pytest.mark.parametrize(
    ("asked", "status", "rule"),
    [
        pytest.param({}, "ALLOW", "country_rule", id="allowed by name"),
        pytest.param({"country": "FR"}, "BLOCK", "country_rule", id="blocked by name"),
        pytest.param({"country": "GB"}, "MONITOR", "country_rule", id="watched, and let through"),
        pytest.param({"country": "DE"}, "FILTER", "country_rule", id="filtered at AWS, and let through"),
        pytest.param({"country": "CA"}, "ALLOW", "country_not_named", id="not named, but declared"),
        pytest.param({"channel": "voice"}, "BLOCK", "country_rule", id="each channel has its rules"),
        pytest.param({"channel": "mms"}, "ALLOW", "country_not_named", id="a channel without rules"),
        pytest.param({"configuration": None, "country": "FR"}, "ALLOW", "country_not_named", id="no rules"),
        pytest.param({"declared": False}, "BLOCK", "country_allowlist", id="closed by default"),
        pytest.param(
            {"declared": False, "override": ALLOW}, "BLOCK", "country_allowlist", id="no override opens it"
        ),
        pytest.param({"opted_out": True}, "BLOCK", "opted_out", id="a STOP"),
        pytest.param(
            {"opted_out": True, "override": ALLOW}, "BLOCK", "opted_out", id="a STOP above an allow override"
        ),
        pytest.param({"override": BLOCK}, "BLOCK", "number_override", id="a blocked number"),
        pytest.param(
            {"country": "FR", "override": ALLOW}, "ALLOW", "number_override", id="an allowed number"
        ),
        pytest.param(
            {"override": Override(action="ALWAYS_BLOCK", expires_at=LATER)},
            "BLOCK",
            "number_override",
            id="before its expiry",
        ),
        pytest.param(
            {"override": Override(action="ALWAYS_BLOCK", expires_at=NOW)},
            "ALLOW",
            "country_rule",
            id="inert at its expiry",
        ),
    ],
)
def test_what_becomes_of_a_destination(asked, status, rule) -> None:
    """One table for the whole precedence inside a configuration."""
    plain = {
        "country": "US",
        "channel": "sms",
        "declared": True,
        "override": None,
        "opted_out": False,
        "now": NOW,
    } | asked
    judgement = judge(plain.pop("configuration", RULES), **plain)
    assert judgement == Judgement(status=status, rule=rule)
    assert judgement.blocked == (status == "BLOCK")


def test_an_override_holds_until_its_instant() -> None:
    """Absent ones hold nothing; endless ones hold."""
    assert not holds(None, NOW)
    assert holds(ALLOW, NOW)
    assert holds(Override(action="ALWAYS_ALLOW", expires_at=LATER), NOW)
    assert not holds(Override(action="ALWAYS_ALLOW", expires_at=EARLIER), NOW)


def test_rules_are_merged_country_by_country() -> None:
    """None takes a rule away, and a channel without rules is not kept."""
    assert merged({}, "sms", {"US": "BLOCK"}) == {"sms": {"US": "BLOCK"}}
    assert merged({"sms": {"US": "BLOCK"}}, "sms", {"US": None, "FR": None}) == {}
    assert merged({"sms": {"US": "BLOCK"}}, "mms", {"CA": "ALLOW"}) == {
        "sms": {"US": "BLOCK"},
        "mms": {"CA": "ALLOW"},
    }
    assert blocked_countries(RULES, "sms") == {"FR"}
    assert blocked_countries(RULES, "mms") == frozenset()


def test_an_expiry_lies_ahead_and_names_its_offset() -> None:
    """One in the past would be an override that never was."""
    check_expiry(None, NOW)
    check_expiry(LATER, NOW)
    for wrong in (NOW, EARLIER, LATER.replace(tzinfo=None)):
        with pytest.raises(InvalidInput, match=r"time to come|offset"):
            check_expiry(wrong, NOW)


def test_names_and_countries_are_checked() -> None:
    """The field is named."""
    assert check_name("  login form ") == "login form"
    for wrong in ("", " ", "x" * 65, "two\nlines"):
        with pytest.raises(InvalidInput):
            check_name(wrong)
    assert check_changes({"US": "BLOCK"}) == {"US": "BLOCK"}
    for wrong in ({}, {"XX": "BLOCK"}, {str(n): None for n in range(301)}):
        with pytest.raises(InvalidInput):
            check_changes(wrong)


def test_the_mark_for_redis_says_what_and_until_when() -> None:
    """The script reads one letter and milliseconds."""
    assert mark(ALLOW) == b"A0"
    assert mark(Override(action="ALWAYS_BLOCK", expires_at=NOW)) == b"B1777593600000"
