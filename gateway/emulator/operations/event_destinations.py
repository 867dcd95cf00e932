"""Event destinations of configuration sets: create, update, delete."""

from typing import Any

from gateway.emulator.arns import build
from gateway.emulator.call import Call
from gateway.emulator.destinations import KINDS
from gateway.emulator.errors import conflict, not_found, quota, validation
from gateway.emulator.operations.lookups import required
from gateway.emulator.state.records import ConfigurationSet, EventDestination

ARN_MEMBERS = {
    "SnsDestination": "TopicArn",
    "KinesisFirehoseDestination": "DeliveryStreamArn",
    "CloudWatchLogsDestination": "LogGroupArn",
}
"""What each kind calls the ARN that it delivers to."""


def create_event_destination(call: Call) -> dict[str, Any]:
    """Add a destination to a configuration set."""
    owner = required(call, ConfigurationSet, call.input["ConfigurationSetName"], "ConfigurationSetName")
    name: str = call.input["EventDestinationName"]
    kind, target = _given_target(call)
    if kind is None:
        raise validation("MISSING_PARAMETER", "One destination is required", *KINDS)
    if any(each.name == name for each in owner.destinations):
        raise conflict("RESOURCE_ALREADY_EXISTS", "event-destination", name)
    if len(owner.destinations) >= call.world.options.effective_quotas().event_destinations_per_set:
        raise quota("EVENT_DESTINATIONS_PER_CONFIGURATION_SET")
    destination = EventDestination(
        name=name,
        enabled=True,
        event_types=list(dict.fromkeys(call.input["MatchingEventTypes"])),
        kind=kind,
        arn=target[ARN_MEMBERS[kind]],
        role=target.get("IamRoleArn"),
    )
    owner.destinations = [*owner.destinations, destination]
    call.store.put(owner)
    return _answer(call, owner, destination)


def update_event_destination(call: Call) -> dict[str, Any]:
    """Change anything about a destination but its kind."""
    owner, destination = _required(call)
    kind, target = _given_target(call)
    if kind is not None and kind != destination.kind:
        raise conflict("EVENT_DESTINATION_MISMATCH", "event-destination", destination.name)
    if kind is not None:
        destination.arn = target[ARN_MEMBERS[kind]]
        destination.role = target.get("IamRoleArn")
    destination.enabled = call.input.get("Enabled", destination.enabled)
    types = call.input.get("MatchingEventTypes", destination.event_types)
    destination.event_types = list(dict.fromkeys(types))
    call.store.put(owner)
    return _answer(call, owner, destination)


def delete_event_destination(call: Call) -> dict[str, Any]:
    """Remove a destination; events under way still leave."""
    owner, destination = _required(call)
    owner.destinations = [each for each in owner.destinations if each is not destination]
    call.store.put(owner)
    return _answer(call, owner, destination)


def describe(destination: EventDestination) -> dict[str, Any]:
    """Return a destination as the API shows it."""
    target = {ARN_MEMBERS[destination.kind]: destination.arn}
    if destination.role is not None:
        target["IamRoleArn"] = destination.role
    return {
        "EventDestinationName": destination.name,
        "Enabled": destination.enabled,
        "MatchingEventTypes": destination.event_types,
        destination.kind: target,
    }


def _given_target(call: Call) -> tuple[str | None, dict[str, str]]:
    given = [kind for kind in KINDS if kind in call.input]
    if len(given) > 1:
        raise validation("PARAMETERS_CANNOT_BE_USED_TOGETHER", "Give exactly one destination", *given)
    return (given[0], call.input[given[0]]) if given else (None, {})


def _required(call: Call) -> tuple[ConfigurationSet, EventDestination]:
    owner = required(call, ConfigurationSet, call.input["ConfigurationSetName"], "ConfigurationSetName")
    name: str = call.input["EventDestinationName"]
    for destination in owner.destinations:
        if destination.name == name:
            return owner, destination
    raise not_found("event-destination", name)


def _answer(call: Call, owner: ConfigurationSet, destination: EventDestination) -> dict[str, Any]:
    return {
        "ConfigurationSetArn": build(call.store, "configuration-set", owner.name),
        "ConfigurationSetName": owner.name,
        "EventDestination": describe(destination),
    }


OPERATIONS = {
    "CreateEventDestination": create_event_destination,
    "UpdateEventDestination": update_event_destination,
    "DeleteEventDestination": delete_event_destination,
}
