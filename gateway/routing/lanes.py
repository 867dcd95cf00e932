"""What a sender says of the lane its messages stand in; the same facts at the accept and at a fail-over."""

from uuid import UUID

from msgspec import Struct

from gateway.lanes.entry import DailyCap, RateGate
from gateway.routing.facts import SenderFact
from tenants.ids import encode


class SenderLane(Struct, frozen=True, kw_only=True):
    """The members of a `LaneEntry` that follow from its sender; what moves takes on new ones."""

    route: str
    identity: UUID
    identity_rate: float
    shared_gates: tuple[RateGate, ...]
    daily_caps: tuple[DailyCap, ...]


def lane_of(sender: SenderFact, country: str) -> SenderLane:
    """Return the lane of a live message to a country that this sender carries, with all of its gates."""
    return SenderLane(
        route=encode("acc", sender.account_id),
        identity=sender.id,
        identity_rate=sender.gates.rate(country),
        shared_gates=sender.gates.shared,
        daily_caps=sender.gates.daily,
    )
