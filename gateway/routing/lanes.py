"""
What a sender says of the lane its messages stand in; the same facts at the accept and at a fail-over.

MMS and calls stand in lanes of their own: AWS counts SendMediaMessage and SendVoiceMessage by themselves, and
a line of pictures that waits must not keep a text back.
"""

from typing import Final
from uuid import UUID, uuid5

from msgspec import Struct, structs

from gateway.lanes.entry import DailyCap, RateGate
from gateway.lanes.quotas import SenderGates
from gateway.routing.facts import SenderFact
from tenants.ids import encode
from tenants.senders.service import CHANNELS

_FIRST_RATE: Final = 1.0
"""Requests per second of an action that AWS gives every new account."""


class SenderLane(Struct, frozen=True, kw_only=True):
    """The members of a `LaneEntry` that follow from its sender; what moves takes on new ones."""

    route: str
    identity: UUID
    identity_rate: float
    shared_gates: tuple[RateGate, ...]
    daily_caps: tuple[DailyCap, ...]


def lane_of(sender: SenderFact, country: str, channel: str = "sms") -> SenderLane:
    """Return the lane of a live message to a country that this sender carries, with all of its gates."""
    gates = channel_gates(sender, channel)
    return SenderLane(
        route=encode("acc", sender.account_id),
        identity=lane_identity(sender.identity, channel),
        identity_rate=gates.rate(country),
        shared_gates=gates.shared,
        daily_caps=gates.daily,
    )


def lane_identity(identity: UUID, channel: str) -> UUID:
    """Return what names the lanes of a channel at an identity; the identity itself for texts."""
    return identity if channel == "sms" else uuid5(identity, channel)


def lane_identities(identity: UUID) -> list[UUID]:
    """Return what names the lanes at an identity, one for each channel there is."""
    return [lane_identity(identity, channel) for channel in CHANNELS]


def channel_gates(sender: SenderFact, channel: str) -> SenderGates:
    """Return what limits the sender in a channel; a call is no part, so no carrier's cap counts it."""
    gates = sender.gates
    if channel == "sms":
        return gates
    action = RateGate(
        f"a:{sender.account_id.hex}:{channel}", sender.actions_per_second.get(channel, _FIRST_RATE)
    )
    if channel == "voice":
        return SenderGates(parts_per_second=gates.parts_per_second, shared=(action,))
    return structs.replace(gates, shared=(*gates.shared, action))
