"""
In which states a registration can be, and what AWS's words mean in ours. Pure.

    draft ──► preparing ──► ready ──► submitting ──► submitted ──► aws_reviewing ──► reviewing
      ▲           │           │           │                                             │
      └───────────┴───────────┴───────────┘              requires_authentication ◄──────┤
      ▲                                                                                 ▼
      └──── (new version) ◄── requires_updates ◄──────────────────── provisioning ──► complete ──► closed

`draft` to `submitting` are the gateway's own; from `submitted` on AWS is asked, and may jump.
"""

from datetime import datetime, timedelta
from typing import Final, Literal

from tenants.errors import Conflict

Status = Literal[
    "draft",
    "preparing",
    "ready",
    "submitting",
    "submitted",
    "aws_reviewing",
    "reviewing",
    "requires_authentication",
    "provisioning",
    "complete",
    "requires_updates",
    "closed",
    "deleted",
]

STALE_AFTER: Final = timedelta(hours=24)
"""A submission that nobody took up by then needs a support case (seeds 001 and 003)."""

OPEN: Final[frozenset[Status]] = frozenset(
    {"submitted", "aws_reviewing", "reviewing", "requires_authentication", "provisioning"}
)
"""With somebody else: nothing can be changed, and AWS is asked how it goes."""
_DECIDED: Final[frozenset[Status]] = frozenset({"complete", "requires_updates", "closed", "deleted"})
_DRAFT: Final[frozenset[Status]] = frozenset({"draft"})
WORKED_ON: Final[frozenset[Status]] = frozenset({"preparing", "submitting", "complete"})
"""Where the gateway has steps of its own to do while `due_at` is set."""
AT_AWS: Final[frozenset[Status]] = OPEN | _DECIDED

MOVES: Final[dict[Status, frozenset[Status]]] = {
    "draft": frozenset({"preparing", "deleted"}),
    "preparing": frozenset({"draft", "ready", "submitting"}),
    "ready": frozenset({"draft", "submitting", "deleted"}),
    "submitting": AT_AWS | _DRAFT,
    "submitted": AT_AWS,
    "aws_reviewing": AT_AWS,
    "reviewing": AT_AWS,
    "requires_authentication": AT_AWS,
    "provisioning": AT_AWS,
    "complete": AT_AWS | _DRAFT,
    "requires_updates": AT_AWS | _DRAFT,
    "closed": frozenset({"deleted"}),
    "deleted": frozenset(),
}

_OF_AWS: Final[dict[str, Status]] = {
    "SUBMITTED": "submitted",
    "AWS_REVIEWING": "aws_reviewing",
    "REVIEWING": "reviewing",
    "REQUIRES_AUTHENTICATION": "requires_authentication",
    "PROVISIONING": "provisioning",
    "COMPLETE": "complete",
    "REQUIRES_UPDATES": "requires_updates",
    "CLOSED": "closed",
    "DELETED": "deleted",
}


def as_seen(aws_status: str, *, present: Status) -> Status:
    """
    Return our state for what AWS says of a submitted registration.

    CREATED is "not submitted" in AWS's reference and "just submitted" in its guides (contradiction C4): we
    know that we submitted, so it stays `submitted`. A word nobody knows changes nothing.
    """
    if aws_status == "CREATED":
        return "submitted" if present in {"submitting", "submitted"} else present
    return _OF_AWS.get(aws_status, present)


def check_move(present: Status, wanted: Status) -> None:
    """
    Accept a move of the table.

    Raises:
        Conflict: The registration's state does not lead there.
    """
    if wanted not in MOVES[present]:
        raise Conflict("registration_state", f"a registration that is {present} cannot become {wanted}")


def is_stale(
    status: Status, *, submitted_at: datetime | None, told_at: datetime | None, now: datetime
) -> bool:
    """Whether a submission lies untouched for a day and nobody was told."""
    waiting = status == "submitted" and submitted_at is not None and now - submitted_at >= STALE_AFTER
    return waiting and (told_at is None or (submitted_at is not None and told_at < submitted_at))
