"""
What the contract suite asks of each carrier's surroundings: to bring one situation about, and to hand over
the receipts of a text.

A line names the situations that it can arrange; a test is run on the lines that can arrange its own, and on
no others, so that nothing is skipped.
"""

from contextlib import AbstractAsyncContextManager
from typing import Literal, Protocol, TypeAlias
from uuid import uuid4

from msgspec import Struct

from gateway.carrier.ports import Carrier, OutboundText
from gateway.receipts.event import Receipt

Situation: TypeAlias = Literal[
    "accepting",
    "throttled",
    "opted_out",
    "no_originator",
    "protect_blocked",
    "price_over_max",
    "error_before",
    "error_after",
    "unavailable",
    "dropped_before",
    "dropped_after",
    "reset",
    "slow",
    "unreachable",
    "receipts",
]
"""
``error``, ``dropped``: the carrier fails or hangs up, before or after it has taken the text; ``reset``: the
network breaks the connection when the answer is due; ``slow``: the answer comes later than the client waits;
``unreachable``: nobody listens.
"""

DELIVERED, FAILED = "+14254147755", "+14254147167"
"""AWS's simulator destinations in the United States: texts to the one arrive, to the other they do not."""


class Trial(Struct, frozen=True):
    """A carrier in a situation, and a text to try it with."""

    carrier: Carrier
    text: OutboundText


class Line(Protocol):
    """A carrier with everything around it."""

    def trial(self, situation: Situation) -> AbstractAsyncContextManager[Trial]:
        """Bring a situation about for the length of a block."""
        ...

    async def receipts(self, text: OutboundText, provider_message_id: str) -> list[Receipt]:
        """Return the receipts of a text that was sent, up to the final one."""
        ...


def a_text(**changes: object) -> OutboundText:
    """Return a text that every carrier takes; ``changes`` are its members."""
    members: dict[str, object] = {
        "message_id": uuid4(),
        "attempt": 1,
        "destination": DELIVERED,
        "body": "Example Corp: your code is 123456",
        "origination_identity": None,
        "promotional": False,
        "configuration_set": None,
        "max_price_micros": 1_000_000,
        "ttl_s": 600,
        "context": {"tg_t": "contract"},
    }
    return OutboundText(**{**members, **changes})
