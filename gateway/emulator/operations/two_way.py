"""Two-way settings and opt-out handling, which numbers and pools share."""

from typing import Any

from gateway.emulator.call import Call
from gateway.emulator.errors import validation
from gateway.emulator.operations.lookups import required
from gateway.emulator.state.records import OptOutList, PhoneNumber, Pool
from gateway.emulator.state.sns_records import Topic


def apply_two_way(call: Call, owner: PhoneNumber | Pool) -> None:
    """Apply the two-way, self-managed and opt-out-list members of an Update to a number or pool."""
    request = call.input
    two_way = request.get("TwoWayEnabled", owner.two_way)
    channel = request.get("TwoWayChannelArn", owner.channel_arn)
    if two_way:
        _check_channel(
            call, channel, role_given="TwoWayChannelRole" in request or owner.channel_role is not None
        )
    if request.get("SelfManagedOptOutsEnabled", owner.self_managed) and not two_way:
        raise validation(
            "TWO_WAY_NOT_ENABLED", "Self-managed opt-outs need two-way messages", "SelfManagedOptOutsEnabled"
        )
    if "OptOutListName" in request:
        owner.opt_out_list = required(call, OptOutList, request["OptOutListName"], "OptOutListName").name
    owner.two_way = two_way
    owner.channel_arn = channel if two_way else None
    owner.channel_role = request.get("TwoWayChannelRole", owner.channel_role) if two_way else None
    owner.self_managed = request.get("SelfManagedOptOutsEnabled", owner.self_managed)
    owner.protected = request.get("DeletionProtectionEnabled", owner.protected)


def two_way_members(owner: PhoneNumber | Pool) -> dict[str, Any]:
    """Return the members that describe an owner's two-way settings."""
    channel = {"TwoWayChannelArn": owner.channel_arn} if owner.channel_arn else {}
    role = {"TwoWayChannelRole": owner.channel_role} if owner.channel_role else {}
    return {
        "TwoWayEnabled": owner.two_way,
        **channel,
        **role,
        "SelfManagedOptOutsEnabled": owner.self_managed,
        "OptOutListName": owner.opt_out_list,
    }


def _check_channel(call: Call, channel: str | None, *, role_given: bool) -> None:
    if channel is None:
        raise validation("TWO_WAY_CHANNEL_NOT_PRESENT", "Two-way messages need a channel", "TwoWayChannelArn")
    if ":sns:" not in channel:
        return
    if channel.endswith(".fifo"):
        raise validation("INVALID_PARAMETER", "FIFO topics are not supported", "TwoWayChannelArn")
    if call.store.find(Topic, channel) is None and not role_given and call.world.options.strict:
        raise validation("TWO_WAY_TOPIC_NOT_PRESENT", "The topic does not exist", "TwoWayChannelArn")
