"""What AWS shall hold of a protect configuration, and what differs from what it holds. Pure."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct

Capability = Literal["SMS", "MMS", "VOICE"]
CAPABILITIES: Final[Mapping[Capability, str]] = {"SMS": "sms", "MMS": "mms", "VOICE": "voice"}
"""AWS's names of our channels. Each has its own rule set, changed by its own calls."""
MOST_AT_AWS: Final = 25
"""Protect configurations of one account and Region; adjustable by a quota increase."""
CLOSED: Final = "BLOCK"
OPEN: Final = "ALLOW"


class NumberRule(Struct, frozen=True, kw_only=True):
    """What is said of one number."""

    action: str
    expires_at: datetime | None = None


class Wanted(Struct, frozen=True, kw_only=True):
    """One configuration as AWS shall hold it."""

    id: UUID
    version: int
    name: str
    rules: Mapping[str, Mapping[str, str]]
    """By channel and country, as the tenant or the operator wrote them."""
    countries: frozenset[str] | None
    """The tenant's allowlist; None for the operator's own, which blocks nothing that it does not name."""
    tenant_id: UUID | None
    account_default: bool = False
    numbers: Mapping[str, NumberRule] = {}
    """By E.164; only those that hold."""


class NumberChanges(Struct, frozen=True, kw_only=True):
    """Overrides to write and to take away."""

    put: Mapping[str, NumberRule]
    delete: Sequence[str]


def wanted_rule(wanted: Wanted, capability: Capability, country: str) -> str:
    """Return the rule of one country: closed by default where the tenant did not declare it."""
    if wanted.countries is not None and country not in wanted.countries:
        return CLOSED
    return wanted.rules.get(CAPABILITIES[capability], {}).get(country, OPEN)


def rule_changes(wanted: Wanted, capability: Capability, found: Mapping[str, str]) -> dict[str, str]:
    """Return the rules to write; only countries that AWS itself lists are named to it."""
    rules = {country: wanted_rule(wanted, capability, country) for country in found}
    return {country: rule for country, rule in rules.items() if rule != found[country]}


def number_changes(wanted: Wanted, found: Mapping[str, NumberRule], now: datetime) -> NumberChanges:
    """Return the overrides to change; one that has expired at AWS is as good as gone."""
    held = {
        number: rule for number, rule in found.items() if rule.expires_at is None or rule.expires_at > now
    }
    put = {number: rule for number, rule in wanted.numbers.items() if not _same(rule, held.get(number))}
    return NumberChanges(put=put, delete=sorted(held.keys() - wanted.numbers.keys()))


def share_out(
    wanted: Sequence[Wanted], owned: Collection[UUID], *, at_aws: int, most: int = MOST_AT_AWS
) -> frozenset[UUID]:
    """
    Return which configurations have, or get, one of AWS's own, the first of `wanted` first.

    Args:
        owned: Those that have one.
        at_aws: How many the account holds, whoever made them.
    """
    room = max(most - at_aws, 0)
    without = [each.id for each in wanted if each.id not in owned]
    return frozenset(owned) | frozenset(without[:room])


def _same(wanted: NumberRule, found: NumberRule | None) -> bool:
    """AWS keeps whole seconds."""
    return (
        found is not None
        and wanted.action.removeprefix("ALWAYS_") == found.action.removeprefix("ALWAYS_")
        and _second(wanted.expires_at) == _second(found.expires_at)
    )


def _second(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp())
