"""Starts again whatever dies, with a pause that grows while it keeps dying."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from gateway.embedded import EmbeddedError

_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 5.0
_SETTLED_S: Final = 10.0
"""A process that lived this long died of something new."""

Say = Callable[[str], None]
"""Takes one line for the person at the terminal."""


class Mortal(Protocol):
    """Something that runs, may die, and can be started again on what it left."""

    @property
    def name(self) -> str:
        """What to call it."""
        ...

    async def start(self) -> None:
        """Start it; no-op while it runs."""
        ...

    async def wait_exited(self) -> int:
        """Return the exit status once it ends."""
        ...

    async def stop(self) -> None:
        """Stop it in order."""
        ...


async def keep_alive(mortal: Mortal, say: Say) -> None:
    """Start it, and again each time it ends or could not be started, until cancelled; then stop it."""
    loop = asyncio.get_running_loop()
    pause_s = _FIRST_PAUSE_S
    try:
        while True:
            started = loop.time()
            became = await _one_life(mortal)
            if loop.time() - started > _SETTLED_S:
                pause_s = _FIRST_PAUSE_S
            say(f"{mortal.name} {became}; starting it again in {pause_s:.1f} s")
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
    finally:
        await mortal.stop()


async def _one_life(mortal: Mortal) -> str:
    """Start it and return what became of it: a full disk or too many processes may pass, as a death does."""
    try:
        await mortal.start()
    except (OSError, EmbeddedError) as error:
        return f"could not be started ({error})"
    return f"ended ({describe_exit(await mortal.wait_exited())})"


def describe_exit(status: int) -> str:
    """Return an exit status in words."""
    return f"signal {-status}" if status < 0 else f"status {status}"
