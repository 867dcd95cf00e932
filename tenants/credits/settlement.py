"""
What a tenant pays in the end, and what is posted to get there. Pure.

A message is settled to a target, never by an increment: whatever events came, in whatever order and however
often, the ledger is moved by *target minus what is already posted*. So a duplicate posts nothing, and a late
receipt corrects what an earlier one said.

    hold        available → held          when the message is accepted
    capture     held → revenue            first settlement: what the message costs
    release     held → available          first settlement: the rest
    expire      held → available          the same, where the message's time ran out or nobody ever answered
    recapture   available ↔ revenue       later settlements: the difference, in either direction

A tenant never pays above its hold, and never what it no longer has: a recapture that the balance cannot bear
is the platform's, booked to `adjustment`; if it is given back later, the platform gets its share first. So
it is, too, where the tenant's balance meanwhile counts in another unit than the message: a dollar has no
price in credits. What an operator's correction gave back of a message is not given back again.
"""

from typing import Final, Literal

from msgspec import Struct

ChargeableStatus = Literal["sent", "delivered", "undelivered", "unknown", "expired", "failed", "canceled"]

_MINUTE_S: Final = 60
_NEVER_CHARGED: Final = frozenset({"failed", "canceled"})
_LAPSED: Final = frozenset({"expired", "unknown"})


class Position(Struct, frozen=True, kw_only=True):
    """What the ledger says of one message."""

    hold: int
    """What was held at the accept."""
    settled: bool = False
    """Whether the first settlement was posted; from then on nothing of it is held."""
    charged: int = 0
    """What capture and recaptures have booked as revenue so far, whoever bore it."""
    excess: int = 0
    """What of it the platform bore: minus the sum of the message's `adjustment`."""
    given_back: int = 0
    """What of it corrections by hand have given back already; a refund counts them in."""


class Leg(Struct, frozen=True, kw_only=True):
    """One transfer to post; its four amounts sum to zero."""

    kind: Literal["capture", "release", "expire", "recapture"]
    available: int = 0
    held: int = 0
    revenue: int = 0
    adjustment: int = 0


class Settlement(Struct, frozen=True, kw_only=True):
    """What brings a message to its target; all zero when it stands there already."""

    capture: int = 0
    release: int = 0
    recapture: int = 0
    """Charged later; negative when the tenant gets something back."""
    excess: int = 0
    """The share of `recapture` that the platform bears, or gets back before the tenant does."""
    first: bool = False
    """Whether it is the message's first; that one is always posted, if only as a capture of nothing."""
    lapsed: bool = False
    """Whether what is released is so because time ran out."""

    @property
    def legs(self) -> tuple[Leg, ...]:
        """The transfers to post, each under the message's next revision; none for nothing to do."""
        legs: list[Leg] = []
        if self.capture:
            legs.append(Leg(kind="capture", held=-self.capture, revenue=self.capture))
        if self.release:
            kind: Literal["release", "expire"] = "expire" if self.lapsed else "release"
            legs.append(Leg(kind=kind, held=-self.release, available=self.release))
        if self.first and not legs:
            legs.append(Leg(kind="capture"))
        if self.recapture:
            legs.append(
                Leg(
                    kind="recapture",
                    available=self.excess - self.recapture,
                    revenue=self.recapture,
                    adjustment=-self.excess,
                )
            )
        return tuple(legs)


def target(status: ChargeableStatus, *, hold: int, aws_accepted: bool, aws_price_micros: int | None) -> int:
    """
    Return what a message in a final status costs: its hold, or nothing.

    AWS charges for what it accepted, delivered or not, so the tenant pays for that too, unless AWS itself
    reported that it charged nothing. What AWS never took (refused, canceled, expired in the queue, lost
    without an answer) costs nothing.

    AWS accepted a message if it answered with an id, or an event proves that it took it. A price of None
    means that it reported none, which is no proof of zero.
    """
    if status in _NEVER_CHARGED:
        return 0
    if status == "delivered":
        return hold
    charged_nothing = aws_price_micros == 0
    return hold if aws_accepted and not charged_nothing else 0


def lapsed(status: ChargeableStatus) -> bool:
    """Return whether a hold that ends in this status ends because time ran out."""
    return status in _LAPSED


def for_minutes(target: int, *, minutes: int, call_seconds: int | None) -> int:
    """
    Return what of a call's target its length leaves: begun minutes, never more than were held.

    Args:
        target: What the call would cost if it had lasted all the minutes that were held.
        minutes: How many that were.
        call_seconds: What AWS said; None, before it has, leaves the target as it is.
    """
    if call_seconds is None:
        return target
    return -(-target * min(minutes, -(-call_seconds // _MINUTE_S)) // minutes)


def settle(position: Position, *, target: int, available: int | None, lapsed: bool = False) -> Settlement:
    """
    Return what to post so that the message has charged `target`, limited to its hold.

    The target is in the unit of the hold; `available` is what the tenant may spend now, read under the lock
    of its balance, or None where that balance counts in another unit.
    """
    owed = min(target, position.hold)
    if not position.settled:
        return Settlement(capture=owed, release=position.hold - owed, first=True, lapsed=lapsed)
    recapture = owed - position.charged
    return Settlement(recapture=recapture, excess=_platform_share(recapture, position, available))


def _platform_share(recapture: int, position: Position, available: int | None) -> int:
    """Return what the platform bears of a charge, or, negative, gets back of a refund."""
    if available is None:
        return recapture
    if recapture < 0:
        borne = max(0, position.excess + recapture)
        # Together with what was given back by hand, no more comes back than was paid.
        return min(borne, position.charged + recapture - position.given_back) - position.excess
    # What the platform kept of this message, because the balance then counted otherwise, pays for it first.
    kept = min(max(0, -position.excess), recapture)
    return kept + max(0, recapture - kept - max(0, available))
