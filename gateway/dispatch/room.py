"""The places for calls of one dispatcher: how many are free, and when it is worth asking for work again."""

import asyncio

_CLAIMS = 4
"""Claims that the room holds: in Redis, at their marks, on the wire, and one to spare (docs/adr/0023)."""
_GATHER_S = 0.01


class Room:
    """
    At most `places` messages between claim and outcome.

    A place is taken with the claim, not with the call: what a kill leaves marked can then never be more than
    `places`, however far claims run ahead of calls.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._claim = max(1, places // _CLAIMS)
        self._given_back = asyncio.Event()

    @property
    def claimable(self) -> int:
        """Messages that the next claim may bring: a part of the room, so that nothing waits for all of it."""
        return min(self._free, self._claim)

    def take(self, places: int) -> None:
        """Take places for messages that were claimed."""
        self._free -= places

    def give_back(self, places: int = 1) -> None:
        """Give back the places of messages whose calls have ended, or that will not be called."""
        self._free += places
        self._given_back.set()

    async def enough(self) -> None:
        """
        Wait for a whole claim's room, or a moment longer for any.

        A claim should be worth its transaction, which one for a single free place is not.
        """
        if self._free >= self._claim:
            return
        try:
            async with asyncio.timeout(_GATHER_S):
                await self._until(self._claim)
        except TimeoutError:
            await self._until(1)

    async def _until(self, places: int) -> None:
        while self._free < places:
            self._given_back.clear()
            await self._given_back.wait()
