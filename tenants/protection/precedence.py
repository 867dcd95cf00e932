"""
Which protect configuration holds for a send, and what it says of a destination. Pure.

AWS's own order: the request's configuration, else the configuration set's, else the account's default; here
the tenant's default stands before the account's. Configurations are never mixed: the first that there is
decides alone, a number override before the country's rule. An opt-out stands above every override.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal, TypeAlias
from uuid import UUID

from msgspec import Struct

from tenants.errors import InvalidInput
from tenants.instants import named_instant

Channel = Literal["sms", "mms", "voice"]
CountryStatus = Literal["ALLOW", "BLOCK", "MONITOR", "FILTER"]
OverrideAction = Literal["ALWAYS_ALLOW", "ALWAYS_BLOCK"]
Origin = Literal["request", "configuration_set", "tenant_default", "account_default", "none"]
RuleName = Literal["opted_out", "country_allowlist", "number_override", "country_rule", "country_not_named"]
CountryRules: TypeAlias = Mapping[str, Mapping[str, CountryStatus]]
"""`{channel: {country: status}}`."""

CHANNELS: Final[tuple[Channel, ...]] = ("sms", "mms", "voice")
STATUSES: Final[tuple[CountryStatus, ...]] = ("ALLOW", "BLOCK", "MONITOR", "FILTER")
MAX_NUMBERS: Final = 10_000
"""Overrides of one tenant, over all of its configurations."""


class Configuration(Struct, frozen=True, kw_only=True):
    """A configuration as admission knows it."""

    id: UUID
    name: str
    rules: CountryRules = {}


class Protection(Struct, frozen=True, kw_only=True):
    """All the configurations that may hold for one tenant's sends."""

    configurations: Mapping[UUID, Configuration] = {}
    """The tenant's own."""
    tenant_default: UUID | None = None
    of_sets: Mapping[UUID, UUID] = {}
    """By AWS account: the configuration of the tenant's configuration set there."""
    account_default: Configuration | None = None
    """The operator's."""


class InForce(Struct, frozen=True, kw_only=True):
    """The configuration that decides, and why it does."""

    configuration: Configuration | None
    origin: Origin


class Override(Struct, frozen=True, kw_only=True):
    """What a configuration says of one number."""

    action: OverrideAction
    expires_at: datetime | None = None


class Judgement(Struct, frozen=True, kw_only=True):
    """What becomes of a send to a destination, and the rule that says so."""

    status: CountryStatus
    """MONITOR and FILTER pass here; AWS watches, or blocks what it takes for pumping."""
    rule: RuleName

    @property
    def blocked(self) -> bool:
        """Whether the send is refused before it is stored."""
        return self.status == "BLOCK"


NO_PROTECTION: Final = Protection()
_UNPROTECTED: Final = InForce(configuration=None, origin="none")


def in_force(protection: Protection, *, named: UUID | None, account_id: UUID | None) -> InForce:
    """
    Return the configuration that decides.

    Args:
        named: The request's, which is the tenant's own: the caller has refused any other.
        account_id: The AWS account that would carry the message; None for the sandbox's.
    """
    known = protection.configurations
    if named is not None:
        return InForce(configuration=known[named], origin="request")
    of_set = None if account_id is None else protection.of_sets.get(account_id)
    if of_set is not None:
        return InForce(configuration=known[of_set], origin="configuration_set")
    if protection.tenant_default is not None:
        return InForce(configuration=known[protection.tenant_default], origin="tenant_default")
    if protection.account_default is not None:
        return InForce(configuration=protection.account_default, origin="account_default")
    return _UNPROTECTED


def holds(override: Override | None, now: datetime) -> bool:
    """Return whether there is an override that has not expired; at its instant it is over."""
    return override is not None and (override.expires_at is None or now < override.expires_at)


def judge(
    configuration: Configuration | None,
    *,
    country: str,
    channel: Channel,
    declared: bool,
    override: Override | None,
    opted_out: bool,
    now: datetime,
) -> Judgement:
    """
    Judge one destination under one configuration.

    Args:
        declared: Whether the country is on the tenant's allowlist, which no rule and no override widens.
    """
    if not declared:
        return Judgement(status="BLOCK", rule="country_allowlist")
    if opted_out:
        return Judgement(status="BLOCK", rule="opted_out")
    if override is not None and holds(override, now):
        allows = override.action == "ALWAYS_ALLOW"
        return Judgement(status="ALLOW" if allows else "BLOCK", rule="number_override")
    status = None if configuration is None else configuration.rules.get(channel, {}).get(country)
    if status is None:
        return Judgement(status="ALLOW", rule="country_not_named")
    return Judgement(status=status, rule="country_rule")


def blocked_countries(configuration: Configuration, channel: Channel) -> frozenset[str]:
    """Return the countries that a configuration blocks on a channel."""
    rules = configuration.rules.get(channel, {})
    return frozenset(country for country, status in rules.items() if status == "BLOCK")


def merged(
    rules: CountryRules, channel: Channel, changes: Mapping[str, CountryStatus | None]
) -> dict[str, dict[str, CountryStatus]]:
    """Return the rules with some countries of a channel changed; None takes a country's rule away."""
    after = {name: dict(countries) for name, countries in rules.items()}
    countries = after.setdefault(channel, {})
    for country, status in changes.items():
        if status is None:
            countries.pop(country, None)
        else:
            countries[country] = status
    return {name: named for name, named in after.items() if named}


def check_expiry(expires_at: datetime | None, now: datetime) -> None:
    """
    Let through an expiry that is yet to come.

    Raises:
        InvalidInput: It breaks the rule of `named_instant`, or is past.
    """
    if expires_at is None:
        return
    if named_instant(expires_at, "/expires_at") <= now:
        raise InvalidInput("/expires_at", "in_the_past", "an override expires at a time to come")
