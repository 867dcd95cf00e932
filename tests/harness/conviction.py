"""Whether a checker finds out a build that is broken on purpose, where that takes a race that it may win."""

from collections.abc import Awaitable, Callable, Collection
from typing import Final

from tests.harness.fleet import Fleet

TRIES: Final = 3
"""The broken build has to lose one race of so many."""


async def convicted(
    fleet: Fleet,
    scenario: Callable[[], Awaitable[Collection[str]]],
    finding: str,
    *,
    workers: str = "",
) -> bool:
    """
    Run the scenario until it finds what it must, at most `TRIES` times; tell whether it did.

    Args:
        scenario: Returns all that it found wrong.
        finding: What one of its findings says.
        workers: The build of the workers.
    """
    for _ in range(TRIES):
        await fleet.heal()
        await fleet.ensure("api")
        await fleet.ensure("workers", broken=workers)
        if any(finding in found for found in await scenario()):
            return True
    return False
