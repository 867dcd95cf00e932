"""
The answers of what was submitted together, told at once.

A future for each would have the loop wake as many times as there are members, for one caller that can go on
only when all of them are there.
"""

import asyncio
from typing import Any, Generic, TypeVar

Answer = TypeVar("Answer")


class Member(Generic[Answer]):
    """One of a party, answered as a future is."""

    __slots__ = ("_is_done", "_party", "_place")

    def __init__(self, party: "Party[Answer]", place: int) -> None:
        self._party = party
        self._place = place
        self._is_done = False

    def done(self) -> bool:
        """Return whether it has its answer."""
        return self._is_done

    def set_result(self, result: Answer) -> None:
        """Give the answer."""
        self._is_done = True
        self._party.answered(self._place, result)

    def set_exception(self, exception: BaseException) -> None:
        """Give the reason why there is none."""
        self._is_done = True
        self._party.answered(self._place, exception)


class Party(Generic[Answer]):
    """So many members; whoever waits for `answers` wakes once, when the last one is there."""

    def __init__(self, size: int) -> None:
        self.members: list[Member[Answer]] = [Member(self, place) for place in range(size)]
        self.answers: asyncio.Future[list[Answer | BaseException]] = (
            asyncio.get_running_loop().create_future()
        )
        self._given: list[Any] = [None] * size
        self._left = size

    def answered(self, place: int, answer: Answer | BaseException) -> None:
        """Take in a member's answer; each has one. A caller that was cancelled hears of none."""
        self._given[place] = answer
        self._left -= 1
        if not self._left and not self.answers.done():
            self.answers.set_result(self._given)
