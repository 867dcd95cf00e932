"""What the counters of admission say of a send that is only looked at."""

from collections.abc import Sequence

from msgspec import Struct

from gateway.admission.pumping import Hold, read_rule

_BARE_ANSWER = 10


class Peek(Struct, frozen=True, kw_only=True):
    """Where the tenant's own counters stand for one send; nothing was charged."""

    requests_ms: int | None = None
    """When the request rate admits it; 0 for now, None for a plan without that rate."""
    country_ms: int | None = None
    """Likewise, only for plans that refuse what is above the country's rate; others queue it."""
    remaining: int = 0
    """Requests that may come at once, where the plan has such a rate."""
    reset_ms: int = 0
    """Until the whole allowance is back."""
    parts_left: int | None = None
    """Message parts that may go to the country at once, where the plan refuses what is above its rate."""
    parts_reset_ms: int = 0
    """Until the whole of that allowance is back."""
    today: int = 0
    """Live messages to the country on this UTC day."""
    day_ends_ms: int = 0
    """Milliseconds until that day ends."""
    hold: Hold | None = None
    """What refuses it as suspected pumping."""
    hold_ms: int = 0
    """Milliseconds until it is over."""
    noted: bool = False
    """Whether its numbers look like pumping and the plan only watches."""


def read_peek(answer: Sequence[int | bytes]) -> Peek | None:
    """Return what `peek.lua` says; None while Redis knows nothing of the tenant."""
    known, requests, country, left, whole, today, ends_ms, noted, parts, parts_whole = (
        int(each) for each in answer[:_BARE_ANSWER]
    )
    if not known:
        return None
    rest = answer[_BARE_ANSWER:]
    return Peek(
        requests_ms=None if requests < 0 else requests,
        country_ms=None if country < 0 else country,
        remaining=left,
        reset_ms=whole,
        today=today,
        day_ends_ms=ends_ms,
        hold=_hold(rest) if rest else None,
        hold_ms=int(rest[0]) if rest else 0,
        noted=noted == 1,
        parts_left=None if country < 0 else parts,
        parts_reset_ms=parts_whole,
    )


def _hold(rest: Sequence[int | bytes]) -> Hold:
    _, rule, scope, until_ms = rest
    name = scope.decode() if isinstance(scope, bytes) else str(scope)
    return Hold(rule=read_rule(int(rule)), scope=name, until_ms=int(until_ms), enforced=True)
