"""What has been set through ``/_emulator``: faults, carriers and the clock. They too survive a restart."""

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from gateway.emulator.state.records import Record

Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
"""Of calls or of messages."""
_MOST_MS = 30 * 86_400_000
"""Thirty days, of which the slowest receipt takes three."""


class ActionFaults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What goes wrong with the calls of one action."""

    throttle_rate: Share = 0.0
    """ThrottlingException; nothing happened."""
    error_rate: Share = 0.0
    """InternalServerException (500); nothing happened."""
    unavailable_rate: Share = 0.0
    """ServiceUnavailable (503); nothing happened."""
    accept_then_error_rate: Share = 0.0
    """The call takes effect and the answer is a 500."""
    drop_after_accept_rate: Share = 0.0
    """The call takes effect and the connection is closed without an answer."""
    drop_before_accept_rate: Share = 0.0
    """Nothing happened and the connection is closed without an answer."""
    latency_ms: Annotated[float, Meta(ge=0, le=_MOST_MS)] = 0.0
    """Added before the call takes effect."""
    latency_after_ms: Annotated[float, Meta(ge=0, le=_MOST_MS)] = 0.0
    """Added after the call took effect, before the answer."""


class ReceiptFaults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What goes wrong with delivery events."""

    delay_ms: Annotated[int, Meta(ge=0, le=_MOST_MS)] = 0
    """Added to every event."""
    duplicate_rate: Share = 0.0
    """Every event of the message is published twice."""
    duplicate_ids: Literal["same", "new", "both"] = "both"
    """Whether the second copy has the SNS MessageId of the first; both alternates by message."""
    reorder: bool = False
    """Events of one message leave in a shuffled order."""
    lose_rate: Share = 0.0
    """No event of the message is ever published."""
    lose_final_rate: Share = 0.0
    """The final event of the message is never published."""
    before_response: bool = False
    """All events are published before the send is answered."""


class Faults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All faults in force. ``actions`` maps an action name, or ``*`` for the others, to its faults."""

    actions: dict[str, ActionFaults] = {}
    receipts: ReceiptFaults = ReceiptFaults()


class CountryCarrier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the carriers of one country behave; every member is optional and replaces the built-in one."""

    outcomes: dict[str, float] | msgspec.UnsetType = msgspec.UNSET
    """Final status -> weight; SILENT never answers and ends as UNKNOWN after 72 hours."""
    delay_ms: Annotated[int, Meta(ge=0, le=_MOST_MS)] | msgspec.UnsetType = msgspec.UNSET
    """Median time from acceptance to the final event."""
    price: str | msgspec.UnsetType = msgspec.UNSET
    """US dollars for one part, without the carrier's fee."""
    fee: str | msgspec.UnsetType = msgspec.UNSET
    """US dollars of carrier fee for one part."""
    delivery_receipts: bool | msgspec.UnsetType = msgspec.UNSET
    """False: SUCCESSFUL is the last good event, DELIVERED never comes."""


class FaultSettings(Record):
    """The faults in force."""

    faults: Faults

    @property
    def key(self) -> str:
        """There is one."""
        return "faults"


class CarrierSettings(Record):
    """What replaces the built-in behaviour of one country's carriers; ``*`` is every country."""

    country: str
    carrier: CountryCarrier

    @property
    def key(self) -> str:
        """The country."""
        return self.country


class ClockOffset(Record):
    """How far the virtual clock is ahead of the real one."""

    offset_ms: float

    @property
    def key(self) -> str:
        """There is one."""
        return "clock"
