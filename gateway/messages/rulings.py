"""What the rules added to a message at its accept; nearly all messages have nothing of it."""

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

from gateway.messages.view import StatusReason

ReplyKind = Literal["stop", "help", "join", "own", "consent"]
"""What it answers: a STOP, a HELP, a JOIN, a keyword of the tenant's own, or who asked to be texted."""
ANSWERED_ANYWAY: Final[frozenset[ReplyKind]] = frozenset({"stop", "help"})
"""Replies that an opt-out does not stop: the one confirmation of it, and help, which anybody may ask for."""


class Rulings(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Stored with the message, as JSON."""

    held: StatusReason | None = None
    """Why it leaves later than it was asked to."""
    country_parameters: Mapping[str, str] | None = None
    """DestinationCountryParameters of SendTextMessage."""
    reply: ReplyKind | None = None
    """Set on automatic replies, which no night holds back and, some of them, no opt-out stops."""
