"""Protect configurations: create, update, delete, describe, and where they are in force."""

from typing import Any

from gateway.emulator.arns import build
from gateway.emulator.call import Call
from gateway.emulator.errors import conflict, not_found, quota
from gateway.emulator.filters import Readers, filtered
from gateway.emulator.operations.account import settings_of
from gateway.emulator.operations.configuration_sets import arn_of as set_arn
from gateway.emulator.operations.ids import resource_id
from gateway.emulator.operations.lookups import listed, required
from gateway.emulator.operations.tagging import check_tags, drop_tags, keep_tags
from gateway.emulator.paging import page
from gateway.emulator.state.records import ConfigurationSet, NumberOverride, ProtectConfiguration


def create_protect_configuration(call: Call) -> dict[str, Any]:
    """Create a configuration that allows every country."""
    tags = check_tags(call)
    most = call.world.options.effective_quotas().protect_configurations
    if call.store.count(ProtectConfiguration) >= most:
        raise quota("PROTECT_CONFIGURATIONS_PER_ACCOUNT")
    protect = ProtectConfiguration(
        scope=call.store.scope,
        id=resource_id("protect"),
        created_s=call.now_s,
        protected=call.input.get("DeletionProtectionEnabled", False),
    )
    call.store.put(protect)
    return {**describe(call, protect), **keep_tags(call, arn_of(call, protect), tags)}


def update_protect_configuration(call: Call) -> dict[str, Any]:
    """Change the deletion protection."""
    protect = named(call)
    protect.protected = call.input.get("DeletionProtectionEnabled", protect.protected)
    call.store.put(protect)
    return describe(call, protect)


def delete_protect_configuration(call: Call) -> dict[str, Any]:
    """Delete a configuration that is in force nowhere."""
    protect = named(call)
    if protect.protected:
        raise conflict("DELETION_PROTECTION_ENABLED", "protect-configuration", protect.id)
    if settings_of(call).default_protect_id == protect.id:
        raise conflict("PROTECT_CONFIGURATION_IS_ACCOUNT_DEFAULT", "protect-configuration", protect.id)
    if any(each.protect_id == protect.id for each in call.store.all(ConfigurationSet)):
        raise conflict(
            "PROTECT_CONFIGURATION_ASSOCIATED_WITH_CONFIGURATION_SET", "protect-configuration", protect.id
        )
    for override in call.store.grouped(NumberOverride, protect.id):
        call.store.remove(override)
    drop_tags(call, arn_of(call, protect))
    call.store.remove(protect)
    return describe(call, protect)


def describe_protect_configurations(call: Call) -> dict[str, Any]:
    """List configurations."""
    default = settings_of(call).default_protect_id
    readers: Readers[ProtectConfiguration] = {
        "account-default": lambda protect: protect.id == default,
        "deletion-protection-enabled": lambda protect: protect.protected,
    }
    any_of = call.world.options.behaviour.protect_filters == "any"
    found = filtered(
        listed(call, ProtectConfiguration, "ProtectConfigurationIds"),
        call.input.get("Filters"),
        readers,
        any_of=any_of,
    )
    shown, following = page(found, call)
    return {"ProtectConfigurations": [describe(call, protect) for protect in shown], **following}


def associate_protect_configuration(call: Call) -> dict[str, Any]:
    """Put a configuration in force for a configuration set, in place of any other."""
    protect, owner = named(call), _set(call)
    owner.protect_id = protect.id
    call.store.put(owner)
    return _association(call, protect, owner)


def disassociate_protect_configuration(call: Call) -> dict[str, Any]:
    """Take a configuration off a configuration set."""
    protect, owner = named(call), _set(call)
    if owner.protect_id != protect.id:
        raise conflict(
            "PROTECT_CONFIGURATION_NOT_ASSOCIATED_WITH_CONFIGURATION_SET", "protect-configuration", protect.id
        )
    owner.protect_id = None
    call.store.put(owner)
    return _association(call, protect, owner)


def set_account_default_protect_configuration(call: Call) -> dict[str, Any]:
    """Put a configuration in force for sends that have no other."""
    protect, settings = named(call), settings_of(call)
    settings.default_protect_id = protect.id
    call.store.put(settings)
    return _default(call, protect.id)


def delete_account_default_protect_configuration(call: Call) -> dict[str, Any]:
    """Put no configuration in force by default."""
    settings = settings_of(call)
    was = settings.default_protect_id
    if was is None:
        raise not_found("protect-configuration", "account default")
    settings.default_protect_id = None
    call.store.put(settings)
    return _default(call, was)


def named(call: Call) -> ProtectConfiguration:
    """Return the configuration that the call names."""
    return required(
        call, ProtectConfiguration, call.input["ProtectConfigurationId"], "ProtectConfigurationId"
    )


def named_members(call: Call, protect: ProtectConfiguration) -> dict[str, Any]:
    """Return the ARN and id members of a configuration."""
    return {"ProtectConfigurationArn": arn_of(call, protect), "ProtectConfigurationId": protect.id}


def arn_of(call: Call, protect: ProtectConfiguration) -> str:
    """Return the ARN of a configuration."""
    return build(call.store, "protect-configuration", protect.id)


def describe(call: Call, protect: ProtectConfiguration) -> dict[str, Any]:
    """Return a configuration as the API shows it."""
    return {
        **named_members(call, protect),
        "CreatedTimestamp": protect.created_s,
        "AccountDefault": settings_of(call).default_protect_id == protect.id,
        "DeletionProtectionEnabled": protect.protected,
    }


def _set(call: Call) -> ConfigurationSet:
    return required(call, ConfigurationSet, call.input["ConfigurationSetName"], "ConfigurationSetName")


def _association(call: Call, protect: ProtectConfiguration, owner: ConfigurationSet) -> dict[str, Any]:
    return {
        "ConfigurationSetArn": set_arn(call, owner),
        "ConfigurationSetName": owner.name,
        **named_members(call, protect),
    }


def _default(call: Call, protect_id: str) -> dict[str, Any]:
    return {
        "DefaultProtectConfigurationArn": build(call.store, "protect-configuration", protect_id),
        "DefaultProtectConfigurationId": protect_id,
    }


OPERATIONS = {
    "CreateProtectConfiguration": create_protect_configuration,
    "UpdateProtectConfiguration": update_protect_configuration,
    "DeleteProtectConfiguration": delete_protect_configuration,
    "DescribeProtectConfigurations": describe_protect_configurations,
    "AssociateProtectConfiguration": associate_protect_configuration,
    "DisassociateProtectConfiguration": disassociate_protect_configuration,
    "SetAccountDefaultProtectConfiguration": set_account_default_protect_configuration,
    "DeleteAccountDefaultProtectConfiguration": delete_account_default_protect_configuration,
}
