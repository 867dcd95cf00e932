"""What a benchmark says while it runs; it takes minutes, and a person waits."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from gateway.bench.report import Round

Tell: TypeAlias = Callable[[str], None]
"""Takes what is being done now, in a few words."""


async def in_rounds(count: int, once: Callable[[], Awaitable[Round]], tell: Tell) -> list[Round]:
    """Run `once` so often, one after the other, and say which it is."""
    measured: list[Round] = []
    for number in range(1, count + 1):
        tell(f"round {number} of {count}")
        measured.append(await once())
    return measured
