"""One gate of a send as `/v1/messages/explain` shows it."""

from typing import Literal

from msgspec import Struct

GateVerdict = Literal["open", "held", "closed", "not_known"]


class ExplainedGate(Struct, frozen=True, kw_only=True):
    """One gate and its verdict on this send."""

    gate: str
    verdict: GateVerdict
    """`held` takes the message and lets it leave later; `not_known` means that its store did not answer."""
    input: str
    """What the gate looked at."""
    detail: str
    code: str | None = None
    """The problem code that a send would be answered with, where the gate is closed."""
    opens_at: str | None = None
    """When the same send would pass, where waiting helps."""
