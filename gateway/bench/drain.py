"""How fast a backlog goes, taken between two marks on its way, so that neither start nor tail counts."""

import time
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from msgspec import Struct

from gateway.bench.stack import Stack, eventually

FROM = 0.1
UNTIL = 0.95
WITHIN_S = 120.0

Count: TypeAlias = Callable[[], Awaitable[int]]
"""Asks the receiving side how many have arrived since it started."""


class Drained(Struct, frozen=True, kw_only=True):
    """What happened between the marks."""

    per_s: float
    us: dict[str, float]
    """Microseconds of CPU per item, by process."""


class _Mark(Struct, frozen=True):
    at: float
    arrived: int
    cpu_s: dict[str, float]


async def watch(
    stack: Stack, count: Count, *, before: int, total: int, within_s: float = WITHIN_S
) -> Drained:
    """
    Follow a backlog of `total` items that are arriving now.

    Args:
        before: What `count` said before the first of them.
        within_s: How long each mark is waited for.

    Raises:
        TimeoutError: They do not arrive.
        ValueError: They were gone before they could be looked at twice.
    """
    start = await _mark(stack, count, before + round(FROM * total), within_s)
    end = await _mark(stack, count, before + round(UNTIL * total), within_s)
    if (items := end.arrived - start.arrived) == 0:
        raise ValueError(f"a backlog of {total} is gone at one look; a longer one can be watched")
    return Drained(
        per_s=items / (end.at - start.at),
        us={name: (end.cpu_s[name] - start.cpu_s[name]) * 1e6 / items for name in end.cpu_s},
    )


async def _mark(stack: Stack, count: Count, goal: int, within_s: float) -> _Mark:
    async def look() -> _Mark | None:
        arrived = await count()
        return _Mark(time.monotonic(), arrived, stack.cpu()) if arrived >= goal else None

    mark = await eventually(look, within_s=within_s)
    assert mark is not None  # noqa: S101 - `eventually` returns what is true
    return mark
