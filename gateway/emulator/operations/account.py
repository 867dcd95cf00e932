"""The account itself: attributes, limits and spend limits."""

from collections.abc import Callable
from typing import Any

from gateway.emulator.call import Call
from gateway.emulator.errors import validation
from gateway.emulator.paging import page
from gateway.emulator.state.records import (
    AccountSettings,
    ConfigurationSet,
    OptOutList,
    PhoneNumber,
    Pool,
    SenderId,
    VerifiedNumber,
)
from gateway.emulator.state.registration_records import Attachment, Registration

CHANNELS = ("TEXT", "VOICE", "MEDIA")


def settings_of(call: Call) -> AccountSettings:
    """Return the settings of the account, fresh ones if nothing was ever set."""
    return call.store.find(AccountSettings, "settings") or AccountSettings(scope=call.store.scope)


def describe_account_attributes(call: Call) -> dict[str, Any]:
    """Tell the tier and the default protect configuration."""
    tier = "SANDBOX" if call.world.options.sandbox else "PRODUCTION"
    attributes = [{"Name": "ACCOUNT_TIER", "Value": tier}]
    default = settings_of(call).default_protect_id
    if default is not None:
        attributes.append({"Name": "DEFAULT_PROTECT_CONFIGURATION_ID", "Value": default})
    shown, following = page(attributes, call)
    return {"AccountAttributes": shown, **following}


def describe_account_limits(call: Call) -> dict[str, Any]:
    """Tell how much of each quota is used."""
    quotas, store = call.world.options.effective_quotas(), call.store
    rows = (
        ("PHONE_NUMBERS", store.count(PhoneNumber), quotas.phone_numbers),
        ("POOLS", store.count(Pool), quotas.pools),
        ("CONFIGURATION_SETS", store.count(ConfigurationSet), quotas.configuration_sets),
        ("OPT_OUT_LISTS", store.count(OptOutList), quotas.opt_out_lists),
        ("SENDER_IDS", store.count(SenderId), quotas.sender_ids),
        ("REGISTRATIONS", store.count(Registration), quotas.registrations),
        ("REGISTRATION_ATTACHMENTS", store.count(Attachment), quotas.registration_attachments),
        ("VERIFIED_DESTINATION_NUMBERS", store.count(VerifiedNumber), quotas.verified_numbers),
    )
    limits = [{"Name": name, "Used": used, "Max": most} for name, used, most in rows]
    shown, following = page(limits, call)
    return {"AccountLimits": shown, **following}


def describe_spend_limits(call: Call) -> dict[str, Any]:
    """Tell the monthly limit of each channel, whole dollars."""
    overrides, most = settings_of(call).spend_overrides, call.world.options.effective_max_spend_usd()
    limits = [
        {
            "Name": f"{channel}_MESSAGE_MONTHLY_SPEND_LIMIT",
            "EnforcedLimit": overrides.get(channel, most),
            "MaxLimit": most,
            "Overridden": channel in overrides,
        }
        for channel in CHANNELS
    ]
    shown, following = page(limits, call)
    return {"SpendLimits": shown, **following}


def _setter(channel: str) -> Callable[[Call], dict[str, Any]]:
    def set_override(call: Call) -> dict[str, Any]:
        limit: int = call.input["MonthlyLimit"]
        if limit > call.world.options.effective_max_spend_usd():
            raise validation(
                "REQUESTED_SPEND_LIMIT_HIGHER_THAN_SERVICE_LIMIT",
                "The limit is above the maximum of the account",
                "MonthlyLimit",
            )
        settings = settings_of(call)
        settings.spend_overrides = {**settings.spend_overrides, channel: limit}
        call.store.put(settings)
        return {"MonthlyLimit": limit}

    return set_override


def _deleter(channel: str) -> Callable[[Call], dict[str, Any]]:
    def delete_override(call: Call) -> dict[str, Any]:
        settings = settings_of(call)
        settings.spend_overrides = {
            name: limit for name, limit in settings.spend_overrides.items() if name != channel
        }
        call.store.put(settings)
        return {"MonthlyLimit": call.world.options.effective_max_spend_usd()}

    return delete_override


OPERATIONS = {
    "DescribeAccountAttributes": describe_account_attributes,
    "DescribeAccountLimits": describe_account_limits,
    "DescribeSpendLimits": describe_spend_limits,
    **{f"Set{channel.title()}MessageSpendLimitOverride": _setter(channel) for channel in CHANNELS},
    **{f"Delete{channel.title()}MessageSpendLimitOverride": _deleter(channel) for channel in CHANNELS},
}
