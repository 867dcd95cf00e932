"""
Where a message is, which moves are allowed, and how AWS's events are folded into one answer.

Two machines meet here. The *message status* is what tenants see; `MOVES` is its table. The *projection* is
what the events say: the maximum of all events seen under one total order, so their number, order and
lateness cannot change the answer (the maximum is commutative, associative and idempotent). AWS's own
`isFinal` is not an end: its samples show SUCCESSFUL and DELIVERED, both final, for one message.

    scheduled ─▶ queued ─▶ dispatching ─▶ sent ─▶ unknown ─▶ delivered | undelivered | expired

Every arrow may be skipped by evidence that comes early. `canceled` ends a message that never left; `failed`
one that AWS never took, unless a late receipt proves otherwise.
"""

from datetime import datetime
from typing import Final, Literal, Protocol, get_args

from msgspec import Struct

MessageStatus = Literal[
    "scheduled",
    "queued",
    "dispatching",
    "sent",
    "delivered",
    "undelivered",
    "failed",
    "expired",
    "canceled",
    "unknown",
]

STATUSES: Final[tuple[MessageStatus, ...]] = get_args(MessageStatus)

_OUTCOMES: Final[frozenset[MessageStatus]] = frozenset({"delivered", "undelivered", "expired"})
_UNSETTLED: Final[frozenset[MessageStatus]] = frozenset({"unknown"})

MOVES: Final[dict[MessageStatus, frozenset[MessageStatus]]] = {
    "scheduled": frozenset({"queued", "canceled", "failed", "expired"}),
    # A worker may have died between the call and the record: a receipt can find its message still queued.
    "queued": _OUTCOMES.union({"dispatching", "sent", "canceled", "failed", "unknown"}),
    # Back to queued only when AWS is known not to have taken it (throttled, refused connection).
    "dispatching": _OUTCOMES.union({"queued", "sent", "failed", "unknown"}),
    "sent": _OUTCOMES | _UNSETTLED,
    # A failure after SUCCESSFUL is believed: the carrier took it, the phone did not.
    "delivered": _OUTCOMES - {"delivered"},
    "undelivered": _OUTCOMES - {"undelivered"},
    "expired": _OUTCOMES - {"expired"},
    "unknown": _OUTCOMES,
    "failed": _OUTCOMES,
    "canceled": frozenset(),
}
"""From each status, where a message may go next; anything else is refused."""

FINALS: Final[frozenset[MessageStatus]] = frozenset(
    {"delivered", "undelivered", "failed", "expired", "canceled", "unknown"}
)
"""A tenant may stop waiting here. A late receipt can still correct all of them but `canceled`."""


def may_move(current: MessageStatus, target: MessageStatus) -> bool:
    """Whether a message may go from `current` to `target`; staying is no move."""
    return target in MOVES[current]


def advance(current: MessageStatus, target: MessageStatus) -> MessageStatus:
    """Return `target` if the table allows it, else `current`: a late report never moves a message back."""
    return target if may_move(current, target) else current


class StatusReason(Struct, frozen=True, kw_only=True):
    """Why a message did not arrive, for a program and for a person."""

    code: str
    """Stable and lower-case; part of the public contract."""
    detail: str
    """One sentence: what happened and the way out."""


class Reported(Protocol):
    """What the projection needs of an event; `gateway.receipts.event.Receipt` fits."""

    @property
    def status(self) -> str:
        """AWS's status name without its channel, such as `DELIVERED`."""
        ...

    @property
    def at(self) -> datetime:
        """The aware instant AWS gives the event."""
        ...


class Projection(Struct, frozen=True, order=True):
    """
    The greatest event of those seen. The order of the fields is the total order.

    Names break ties between two events of one rank and one millisecond: any rule would do, as long as all
    processes use the same.
    """

    rank: int
    """0 for a status this table does not know, so every known one beats it."""
    at: datetime
    name: str


class Outcome(Struct, frozen=True, kw_only=True, tag="outcome"):
    """What a projection means to the tenant."""

    status: MessageStatus
    reason: StatusReason | None = None


class Unmapped(Struct, frozen=True, kw_only=True, tag="unmapped"):
    """AWS used a status that is not in the table: count it, show it; it proves that AWS has the message."""

    name: str


class _Meaning(Struct, frozen=True):
    rank: int
    outcome: Outcome


def project(current: Projection | None, receipt: Reported) -> Projection:
    """Return the projection after one more event; one set of events gives one answer, in any order."""
    meaning = _MEANINGS.get(receipt.status)
    seen = Projection(0 if meaning is None else meaning.rank, receipt.at, receipt.status)
    return seen if current is None or seen > current else current


def outcome_of(projection: Projection) -> Outcome | Unmapped:
    """Return the message status and reason that a projection stands for, or `Unmapped`."""
    meaning = _MEANINGS.get(projection.name)
    return Unmapped(name=projection.name) if meaning is None else meaning.outcome


def mapped_names() -> frozenset[str]:
    """Return every AWS status name the table knows."""
    return frozenset(_MEANINGS)


def _open(rank: int) -> _Meaning:
    return _Meaning(rank, Outcome(status="sent"))


def _delivered(rank: int) -> _Meaning:
    return _Meaning(rank, Outcome(status="delivered"))


def _undelivered(code: str, detail: str) -> _Meaning:
    return _Meaning(5, Outcome(status="undelivered", reason=StatusReason(code=code, detail=detail)))


_EXPIRED = _Meaning(
    5,
    Outcome(
        status="expired",
        reason=StatusReason(
            code="ttl_expired",
            detail="The carrier did not take the message in its lifetime; send again or raise ttl_seconds.",
        ),
    ),
)

_UNKNOWN = _Meaning(
    3,
    Outcome(
        status="unknown",
        reason=StatusReason(
            code="no_carrier_answer",
            detail="The carrier never said what became of the message; a late answer still corrects this.",
        ),
    ),
)

_MEANINGS: Final[dict[str, _Meaning]] = {
    # On the way. Text and media, then voice.
    "QUEUED": _open(1),
    "SENT": _open(2),
    "PENDING": _open(2),
    "ACCEPTED": _open(2),
    "INITIATED": _open(1),
    "RINGING": _open(2),
    # No answer in 72 h, or another reason that AWS cannot name.
    "UNKNOWN": _UNKNOWN,
    # Carriers of some countries never confirm the phone; SUCCESSFUL is then the last word.
    "SUCCESSFUL": _delivered(4),
    # Somebody took the call; COMPLETED says that the text was read to its end, FAILED that it broke off.
    "ANSWERED": _delivered(4),
    "DELIVERED": _delivered(5),
    "COMPLETED": _delivered(5),
    "TTL_EXPIRED": _EXPIRED,
    "BLOCKED": _undelivered(
        "blocked_by_recipient",
        "The phone or its carrier blocks you; ask the person to unblock you or use another channel.",
    ),
    "CARRIER_BLOCKED": _undelivered(
        "blocked_by_carrier",
        "The carrier judged the message abusive; compare links and wording with your registered use case.",
    ),
    "SPAM": _undelivered(
        "spam",
        "The carrier judged the message unsolicited; check the recipient's consent and the wording.",
    ),
    "INVALID": _undelivered(
        "invalid_destination",
        "The number does not exist or cannot receive this kind of message; correct or remove it.",
    ),
    "INVALID_MESSAGE": _undelivered(
        "invalid_message",
        "The carrier cannot carry this body; remove unusual characters or shorten it.",
    ),
    "UNREACHABLE": _undelivered(
        "unreachable",
        "The phone was off or out of coverage; send again later.",
    ),
    "CARRIER_UNREACHABLE": _undelivered(
        "carrier_unreachable",
        "The carrier's network had a passing fault; send again later.",
    ),
    "UNROUTABLE": _undelivered(
        "unroutable",
        "No carrier route leads to this number; check the country and use a sender that serves it.",
    ),
    "PROTECT_BLOCKED": _undelivered(
        "protect_blocked",
        "Your protect rules stopped the message; allow the country or the number under /v1/protect.",
    ),
    "FAILED": _undelivered(
        "carrier_failed",
        "The carrier gave up without a precise reason; send again, and contact support if it repeats.",
    ),
    "FILE_INACCESSIBLE": _undelivered(
        "media_inaccessible",
        "The media file could not be read; upload it again.",
    ),
    "FILE_TYPE_UNSUPPORTED": _undelivered(
        "media_type_unsupported",
        "The carrier does not take this kind of file; use JPEG, PNG or GIF.",
    ),
    "FILE_SIZE_EXCEEDED": _undelivered(
        "media_too_large",
        "The media file is over the carrier's limit; make it smaller.",
    ),
    "BUSY": _undelivered("busy", "The line was busy; call again later."),
    "NO_ANSWER": _undelivered("no_answer", "Nobody answered the call; call again later."),
}
"""Ranks: QUEUED 1 < SENT, PENDING, ACCEPTED 2 < UNKNOWN 3 < SUCCESSFUL, ANSWERED 4 < all ends 5."""
