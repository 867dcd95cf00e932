"""
Write-behind: items that nobody waits for are gathered while a commit is under way, and written together.

An item stays in line until its write has returned, so what a cancel cuts off is written again; `write` must
bear that, and must itself go on trying while Postgres is away. What is in line when the process dies is lost.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")


class WriteBehind(Generic[Item]):
    """
    A line of items and its one writer.

    Args:
        write: Stores a batch; returns only once it is stored, or can never be.
        linger_s: How long items that are not `worth` a commit wait for company.
        worth: Items that are a commit's cost's worth.
        at_most: The longest batch; under load it is what saves commits.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Item]], Awaitable[None]],
        *,
        linger_s: float,
        worth: int,
        at_most: int,
    ) -> None:
        self._write = write
        self._linger_s = linger_s
        self._worth = worth
        self._at_most = at_most
        self._line: list[Item] = []
        self._arrived = asyncio.Event()
        self._writing = asyncio.Lock()

    @property
    def waiting(self) -> int:
        """Items that are not yet known to be stored."""
        return len(self._line)

    def put(self, item: Item) -> None:
        """Have an item written soon."""
        self._line.append(item)
        self._arrived.set()

    async def run(self) -> None:
        """Write until cancelled; what is put after that is written by `drained`."""
        while True:
            await self._arrived.wait()
            if len(self._line) < self._worth:
                await asyncio.sleep(self._linger_s)
            await self._write_next()

    async def shortened(self, longest: int) -> None:
        """Return once at most `longest` items wait; writes meanwhile, as `run` does."""
        while len(self._line) > longest:
            await self._write_next(beyond=longest)

    async def drained(self) -> None:
        """Return when everything put so far is written; writes it, so that it also ends after `run` did."""
        while self._line:
            await self._write_next()

    async def _write_next(self, *, beyond: int = 0) -> None:
        """Write one batch if more than `beyond` items still wait when it is this one's turn to write."""
        async with self._writing:
            if len(self._line) > beyond:
                batch = self._line[: self._at_most]
                await self._write(batch)
                del self._line[: len(batch)]
            if not self._line:
                self._arrived.clear()
