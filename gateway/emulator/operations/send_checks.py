"""
What a send has to pass, in the order in which the first failure wins.

Syntax and the existence of what is named come before these; then account, sandbox, country, protect
configuration, identity, opt-out, spend, price and rate.
"""

import datetime as dt

from gateway.emulator.call import Call
from gateway.emulator.carrier.countries import countries, simulator_numbers
from gateway.emulator.carrier.profiles import micros
from gateway.emulator.carrier.spend import this_month
from gateway.emulator.errors import access_denied, conflict, quota, throttling, validation
from gateway.emulator.limits import RECIPIENT_RATE, SENDER_ID_RATE, SHARED_ROUTE_RATE, number_rate
from gateway.emulator.operations.account import settings_of
from gateway.emulator.operations.draft import Draft
from gateway.emulator.operations.lookups import required
from gateway.emulator.operations.routing import choose_sender
from gateway.emulator.state.records import (
    NumberOverride,
    OptedOutNumber,
    PhoneNumber,
    ProtectConfiguration,
    VerifiedNumber,
)

MICROS = 1_000_000
DAY_MS = 86_400_000.0
SANDBOX_CALLS, SANDBOX_CALLS_TO_ONE = 20, 5
"""Calls in 24 hours, altogether and to one recipient."""

DRY_RUN_RATE = 5.0
"""Dry runs per second and identity."""


def pass_checks(call: Call, draft: Draft, *, sandbox: bool = True) -> None:
    """Hold a draft to every check, or all but the sandbox; what is found out on the way is set on it."""
    protect = _protect_configuration(call, draft)
    if call.world.options.account_disabled:
        raise access_denied("ACCOUNT_DISABLED")
    if sandbox:
        _check_sandbox(call, draft)
    _check_country(call, draft)
    if protect is not None:
        _check_protect(call, draft, protect)
    choose_sender(call, draft)
    _check_simulator(draft)
    _check_opt_out(call, draft)
    _check_calls(call, draft)
    _check_spend(call, draft)
    _check_price(call, draft)
    _check_rate(call, draft)


def _protect_configuration(call: Call, draft: Draft) -> ProtectConfiguration | None:
    """Return the configuration in force: the request's, the configuration set's, the account's."""
    if "ProtectConfigurationId" in call.input:
        return required(
            call, ProtectConfiguration, call.input["ProtectConfigurationId"], "ProtectConfigurationId"
        )
    of_set = draft.configuration_set.protect_id if draft.configuration_set else None
    wanted = of_set or settings_of(call).default_protect_id
    return call.store.find(ProtectConfiguration, wanted) if wanted else None


def _check_sandbox(call: Call, draft: Draft) -> None:
    if not call.world.options.sandbox or draft.destination in simulator_numbers():
        return
    verified = any(
        each.number == draft.destination and each.status == "VERIFIED"
        for each in call.store.all(VerifiedNumber)
    )
    if not verified:
        raise conflict(
            "DESTINATION_PHONE_NUMBER_NOT_VERIFIED", "verified-destination-number", draft.destination
        )


def _check_country(call: Call, draft: Draft) -> None:
    if draft.country not in countries():
        raise validation("COUNTRY_NOT_ENABLED", f"{draft.country} is not supported", "DestinationPhoneNumber")
    if draft.country == "CN" and call.world.options.strict:
        raise validation(
            "DESTINATION_COUNTRY_BLOCKED", "China needs an approved template", "DestinationPhoneNumber"
        )


def _check_protect(call: Call, draft: Draft, protect: ProtectConfiguration) -> None:
    draft.protect_id = protect.id
    override = call.store.find(NumberOverride, f"{protect.id}/{draft.destination}")
    if override is not None and (override.expires_s is None or override.expires_s > call.now_s):
        if override.action == "BLOCK":
            raise conflict(
                "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE",
                "protect-configuration",
                protect.id,
            )
        draft.protect_status = "ALLOW"
        return
    draft.protect_status = protect.rules.get(draft.capability, {}).get(draft.country, "ALLOW")
    if draft.protect_status == "BLOCK":
        raise conflict(
            "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION", "protect-configuration", protect.id
        )


def _check_simulator(draft: Draft) -> None:
    simulated = isinstance(draft.sender, PhoneNumber) and draft.sender.number_type == "SIMULATOR"
    if simulated and draft.destination not in simulator_numbers():
        raise validation(
            "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY",
            "A simulator number only sends to simulator destinations",
            "OriginationIdentity",
        )


def _check_opt_out(call: Call, draft: Draft) -> None:
    if call.store.find(OptedOutNumber, f"{draft.opt_out_list}/{draft.destination}") is not None:
        raise conflict("DESTINATION_PHONE_NUMBER_OPTED_OUT", "opt-out-list", draft.opt_out_list)


def _check_calls(call: Call, draft: Draft) -> None:
    """Hold a sandbox account to its few calls a day."""
    if draft.channel != "VOICE" or not call.world.options.sandbox:
        return
    since_ms = call.world.clock.now_ms() - DAY_MS
    recent = [
        message.destination
        for store, message in call.world.traffic.messages()
        if store is call.store and message.channel == "VOICE" and message.accepted_ms > since_ms
    ]
    if len(recent) >= SANDBOX_CALLS or recent.count(draft.destination) >= SANDBOX_CALLS_TO_ONE:
        raise quota("DAILY_DESTINATION_CALL_LIMIT")


def _check_spend(call: Call, draft: Draft) -> None:
    overrides, most = settings_of(call).spend_overrides, call.world.options.effective_max_spend_usd()
    limit_micros = overrides.get(draft.channel, most) * MICROS
    spent = this_month(call.store, draft.channel, month_of(call.now_s))
    if spent + draft.price_micros + draft.fee_micros > limit_micros:
        raise quota(f"MONTHLY_SPEND_LIMIT_REACHED_FOR_{draft.channel}")


def month_of(now_s: float) -> str:
    """Return the UTC calendar month of a moment, which spend limits count by."""
    return dt.datetime.fromtimestamp(now_s, dt.UTC).strftime("%Y-%m")


def _check_price(call: Call, draft: Draft) -> None:
    field = "MaxPricePerMinute" if draft.channel == "VOICE" else "MaxPrice"
    wanted = call.input.get(field)
    if wanted is None:
        return
    behaviour = call.world.options.behaviour
    amount = draft.price_micros + (draft.fee_micros if behaviour.max_price_includes_fee else 0)
    if behaviour.max_price_scope == "part":
        amount //= draft.sizing.parts
    if amount > micros(wanted):
        raise validation("PRICE_OVER_THRESHOLD", f"The price is above {field}", field)


def _check_rate(call: Call, draft: Draft) -> None:
    if call.input.get("DryRun"):
        _check_dry_run(call, draft)
        return
    throttled = call.world.options.strict and not _take_parts(call, draft)
    call.world.arrivals.note(
        call.world.clock.steady_ms(),
        draft.origination,
        draft.country,
        draft.sizing.parts,
        throttled=throttled,
    )
    if throttled:
        raise throttling()


def _take_parts(call: Call, draft: Draft) -> bool:
    """An identity's rate counts per country: a sender id is another route in each."""
    limits, scope = call.world.limits, call.store.scope
    key, rate = _rate_of(call, draft)
    return limits.take(f"mps/{scope}/{key}/{draft.country}", rate, draft.sizing.parts) and limits.take(
        f"to/{scope}/{draft.destination}", RECIPIENT_RATE
    )


def _check_dry_run(call: Call, draft: Draft) -> None:
    if not call.world.options.strict:
        return
    key, rate = _rate_of(call, draft)
    if not call.world.limits.take(f"dry/{call.store.scope}/{key}", min(DRY_RUN_RATE, rate)):
        raise throttling()


def _rate_of(call: Call, draft: Draft) -> tuple[str, float]:
    """Return what is limited and its parts per second."""
    if isinstance(draft.sender, PhoneNumber):
        key, rate = draft.sender.id, number_rate(draft.sender.number_type, draft.sender.country)
    elif draft.sender is not None:
        key, rate = draft.sender.key, SENDER_ID_RATE
    else:
        key, rate = "shared", SHARED_ROUTE_RATE
    return key, call.world.options.parts_per_second.get(draft.origination or "", rate)
