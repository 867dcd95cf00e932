"""
How a message ends that the carrier may have taken without ever saying so.

Whatever becomes of a second attempt says nothing about the first: it may have arrived, so the end is
`unknown` and never one that denies it. A receipt that comes later corrects this.
"""

from typing import Final

from msgspec import structs

from gateway.messages.state import MessageState
from gateway.messages.status import advance

_ONCE: Final = "The carrier may have taken the message but never answered; it was not sent again."
_TWICE: Final = (
    "The carrier may have taken the message but never answered; nor was the second attempt confirmed."
)


def given_up(state: MessageState) -> MessageState:
    """Return the message as it ends when nobody waits for its receipt any longer."""
    if advance(state.status, "unknown") == state.status or state.status == "sent":
        return state
    return structs.replace(
        state,
        status="unknown",
        reason_code="no_answer_from_carrier",
        reason_detail=_TWICE if state.resend_of_unknown else _ONCE,
    )
