"""The rules of protect configurations: countries by capability, and single numbers."""

import datetime as dt
import math
from collections.abc import Callable
from typing import Any

from gateway.emulator.call import Call
from gateway.emulator.carrier.countries import countries, country_of, e164
from gateway.emulator.errors import not_found, validation
from gateway.emulator.filters import check_values
from gateway.emulator.operations.protect_configurations import named, named_members
from gateway.emulator.paging import page
from gateway.emulator.state.records import NumberOverride, ProtectConfiguration

FOREVER_S = float("inf")

PASSES: dict[str, Callable[[NumberOverride, str], bool]] = {
    "iso-country-code": lambda override, value: override.country == value,
    "destination-phone-number-begins-with": lambda override, value: override.number.startswith(e164(value)),
    "action": lambda override, value: override.action == value,
    "expires-before": lambda override, value: (override.expires_s or FOREVER_S) < _moment_s(value),
    "expires-after": lambda override, value: (override.expires_s or FOREVER_S) > _moment_s(value),
    "created-before": lambda override, value: override.created_s < _moment_s(value),
    "created-after": lambda override, value: override.created_s > _moment_s(value),
}


def get_country_rule_set(call: Call) -> dict[str, Any]:
    """Tell the rule of every country for one capability."""
    return _rule_set(call, named(call))


def update_country_rule_set(call: Call) -> dict[str, Any]:
    """Change the rules of some countries for one capability."""
    protect = named(call)
    updates: dict[str, dict[str, str]] = call.input["CountryRuleSetUpdates"]
    unknown = sorted(updates.keys() - countries().keys())
    if unknown:
        raise validation("INVALID_PARAMETER", f"No such countries: {unknown}", "CountryRuleSetUpdates")
    capability: str = call.input["NumberCapability"]
    changed = {country: rule["ProtectStatus"] for country, rule in updates.items()}
    protect.rules = {**protect.rules, capability: {**protect.rules.get(capability, {}), **changed}}
    call.store.put(protect)
    return _rule_set(call, protect)


def put_number_override(call: Call) -> dict[str, Any]:
    """Treat one recipient differently from its country."""
    protect, number = named(call), _number(call)
    expires_s: float | None = call.input.get("ExpirationTimestamp")
    if expires_s is not None and expires_s <= call.now_s:
        raise validation("INVALID_PARAMETER", "The expiration is in the past", "ExpirationTimestamp")
    override = NumberOverride(
        scope=call.store.scope,
        protect_id=protect.id,
        number=number,
        action=call.input["Action"],
        created_s=call.now_s,
        country=country_of(number),
        expires_s=expires_s,
    )
    call.store.put(override)
    return {**named_members(call, protect), **_described(override)}


def delete_number_override(call: Call) -> dict[str, Any]:
    """Treat a recipient like its country again."""
    protect, number = named(call), e164(call.input["DestinationPhoneNumber"])
    override = call.store.find(NumberOverride, f"{protect.id}/{number}")
    if override is None:
        raise not_found("protect-configuration", number)
    call.store.remove(override)
    return {**named_members(call, protect), **_described(override)}


def list_number_overrides(call: Call) -> dict[str, Any]:
    """List the recipients that are treated differently."""
    protect = named(call)
    filters: list[dict[str, Any]] = call.input.get("Filters", [])
    _check(filters)
    keep_expired = call.world.options.behaviour.list_expired_overrides
    found = [
        each
        for each in call.store.grouped(NumberOverride, protect.id)
        if (keep_expired or each.expires_s is None or each.expires_s > call.now_s) and _passes(each, filters)
    ]
    shown, following = page(found, call)
    overrides = {"RuleSetNumberOverrides": [_described(each) for each in shown]} if shown else {}
    return {**named_members(call, protect), **overrides, **following}


def _check(filters: list[dict[str, Any]]) -> None:
    check_values(filters)
    for each in filters:
        if each["Name"].endswith(("-before", "-after")):
            for value in each["Values"]:
                _moment_s(value)


def _passes(override: NumberOverride, filters: list[dict[str, Any]]) -> bool:
    return all(any(PASSES[each["Name"]](override, value) for value in each["Values"]) for each in filters)


def _moment_s(value: str) -> float:
    """Read epoch seconds or an ISO 8601 date."""
    try:
        seconds = float(value)
    except ValueError:
        pass
    else:
        if math.isfinite(seconds):
            return seconds
    try:
        moment = dt.datetime.fromisoformat(value)
    except ValueError as broken:
        raise validation("INVALID_FILTER_VALUES", f"Not a moment: {value}", "Filters") from broken
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()


def _number(call: Call) -> str:
    number = e164(call.input["DestinationPhoneNumber"])
    if country_of(number) is None:
        raise validation("INVALID_PARAMETER", "The phone number is not valid", "DestinationPhoneNumber")
    return number


def _rule_set(call: Call, protect: ProtectConfiguration) -> dict[str, Any]:
    capability: str = call.input["NumberCapability"]
    rules = protect.rules.get(capability, {})
    return {
        **named_members(call, protect),
        "NumberCapability": capability,
        "CountryRuleSet": {
            country: {"ProtectStatus": rules.get(country, "ALLOW")} for country in countries()
        },
    }


def _described(override: NumberOverride) -> dict[str, Any]:
    country = {"IsoCountryCode": override.country} if override.country else {}
    expires = {"ExpirationTimestamp": override.expires_s} if override.expires_s is not None else {}
    return {
        "DestinationPhoneNumber": override.number,
        "CreatedTimestamp": override.created_s,
        "Action": override.action,
        **country,
        **expires,
    }


OPERATIONS = {
    "GetProtectConfigurationCountryRuleSet": get_country_rule_set,
    "UpdateProtectConfigurationCountryRuleSet": update_country_rule_set,
    "PutProtectConfigurationRuleSetNumberOverride": put_number_override,
    "DeleteProtectConfigurationRuleSetNumberOverride": delete_number_override,
    "ListProtectConfigurationRuleSetNumberOverrides": list_number_overrides,
}
