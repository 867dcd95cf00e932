"""What a sender says of the lane its messages stand in; the same facts at the accept and at a fail-over."""

from uuid import UUID

from msgspec import Struct

from gateway.routing.facts import SenderFact
from tenants.ids import encode


class SenderLane(Struct, frozen=True, kw_only=True):
    """The members of a `LaneEntry` that follow from its sender alone."""

    route: str
    identity: UUID
    identity_rate: float


def lane_of(sender: SenderFact) -> SenderLane:
    """Return the lane of a live message that this sender carries."""
    return SenderLane(
        route=encode("acc", sender.account_id), identity=sender.id, identity_rate=sender.parts_per_second
    )
