"""Configuration sets: create, delete, describe, and their defaults."""

from typing import Any

from gateway.emulator.arns import build
from gateway.emulator.call import Call
from gateway.emulator.errors import conflict, quota
from gateway.emulator.filters import Readers, filtered
from gateway.emulator.operations.event_destinations import describe as describe_destination
from gateway.emulator.operations.lookups import listed, required
from gateway.emulator.operations.tagging import check_tags, drop_tags, keep_tags
from gateway.emulator.paging import page
from gateway.emulator.state.records import ConfigurationSet

READERS: Readers[ConfigurationSet] = {
    "event-destination-name": lambda owner: [each.name for each in owner.destinations],
    "matching-event-types": lambda owner: [kind for each in owner.destinations for kind in each.event_types],
    "default-message-type": lambda owner: owner.default_message_type,
    "default-sender-id": lambda owner: owner.default_sender_id,
    "default-message-feedback-enabled": lambda owner: owner.default_feedback,
    "protect-configuration-id": lambda owner: owner.protect_id,
}


def create_configuration_set(call: Call) -> dict[str, Any]:
    """Create an empty set."""
    tags = check_tags(call)
    name: str = call.input["ConfigurationSetName"]
    if call.store.find(ConfigurationSet, name) is not None:
        raise conflict("RESOURCE_ALREADY_EXISTS", "configuration-set", name)
    if call.store.count(ConfigurationSet) >= call.world.options.effective_quotas().configuration_sets:
        raise quota("CONFIGURATION_SETS_PER_ACCOUNT")
    owner = ConfigurationSet(scope=call.store.scope, name=name, created_s=call.now_s)
    call.store.put(owner)
    kept = keep_tags(call, arn_of(call, owner), tags)
    return {**_named(call, owner), **kept, "CreatedTimestamp": owner.created_s}


def delete_configuration_set(call: Call) -> dict[str, Any]:
    """Delete a set with its event destinations; this never conflicts."""
    owner = _required(call)
    drop_tags(call, arn_of(call, owner))
    call.store.remove(owner)
    described = describe(call, owner)
    described.pop("ProtectConfigurationId", None)
    return described


def describe_configuration_sets(call: Call) -> dict[str, Any]:
    """List sets with their event destinations."""
    owners = filtered(
        listed(call, ConfigurationSet, "ConfigurationSetNames"), call.input.get("Filters"), READERS
    )
    shown, following = page(owners, call)
    return {"ConfigurationSets": [describe(call, owner) for owner in shown], **following}


def set_default_message_type(call: Call) -> dict[str, Any]:
    """Set the message type of sends that name none."""
    owner = _required(call)
    owner.default_message_type = call.input["MessageType"]
    call.store.put(owner)
    return {**_named(call, owner), "MessageType": owner.default_message_type}


def delete_default_message_type(call: Call) -> dict[str, Any]:
    """Unset the default message type and return what it was."""
    owner = _required(call)
    was, owner.default_message_type = owner.default_message_type, None
    call.store.put(owner)
    return {**_named(call, owner), **({"MessageType": was} if was else {})}


def set_default_sender_id(call: Call) -> dict[str, Any]:
    """Set the sender id of sends that have no better origination."""
    owner = _required(call)
    owner.default_sender_id = call.input["SenderId"]
    call.store.put(owner)
    return {**_named(call, owner), "SenderId": owner.default_sender_id}


def delete_default_sender_id(call: Call) -> dict[str, Any]:
    """Unset the default sender id and return what it was."""
    owner = _required(call)
    was, owner.default_sender_id = owner.default_sender_id, None
    call.store.put(owner)
    return {**_named(call, owner), **({"SenderId": was} if was else {})}


def set_default_message_feedback_enabled(call: Call) -> dict[str, Any]:
    """Set whether sends expect feedback unless they say otherwise."""
    owner = _required(call)
    owner.default_feedback = call.input["MessageFeedbackEnabled"]
    call.store.put(owner)
    return {**_named(call, owner), "MessageFeedbackEnabled": owner.default_feedback}


def describe(call: Call, owner: ConfigurationSet) -> dict[str, Any]:
    """Return a set as the API shows it."""
    defaults = {
        "DefaultMessageType": owner.default_message_type,
        "DefaultSenderId": owner.default_sender_id,
        "ProtectConfigurationId": owner.protect_id,
    }
    return {
        **_named(call, owner),
        "EventDestinations": [describe_destination(each) for each in owner.destinations],
        **{name: value for name, value in defaults.items() if value is not None},
        "DefaultMessageFeedbackEnabled": owner.default_feedback,
        "CreatedTimestamp": owner.created_s,
    }


def arn_of(call: Call, owner: ConfigurationSet) -> str:
    """Return the ARN of a set."""
    return build(call.store, "configuration-set", owner.name)


def _named(call: Call, owner: ConfigurationSet) -> dict[str, Any]:
    return {"ConfigurationSetArn": arn_of(call, owner), "ConfigurationSetName": owner.name}


def _required(call: Call) -> ConfigurationSet:
    return required(call, ConfigurationSet, call.input["ConfigurationSetName"], "ConfigurationSetName")


OPERATIONS = {
    "CreateConfigurationSet": create_configuration_set,
    "DeleteConfigurationSet": delete_configuration_set,
    "DescribeConfigurationSets": describe_configuration_sets,
    "SetDefaultMessageType": set_default_message_type,
    "DeleteDefaultMessageType": delete_default_message_type,
    "SetDefaultSenderId": set_default_sender_id,
    "DeleteDefaultSenderId": delete_default_sender_id,
    "SetDefaultMessageFeedbackEnabled": set_default_message_feedback_enabled,
}
