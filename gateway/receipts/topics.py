"""The topics whose posts are ours, and the Regions of the accounts, as Postgres knows them."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Final
from uuid import UUID

import asyncpg

_MAX_AGE_S = 5.0
_MIN_AGE_S = 0.5
"""For unknown topics it is read at most twice a second, so a stranger cannot make us query."""
_READ: Final = "SELECT topic_arn, region, owner_id FROM aws_accounts ORDER BY owner_id NULLS LAST"
"""The last row of a topic counts: one that the operator has as well is the operator's."""


class KnownTopics:
    """A small set in memory; a topic made a moment ago is found by asking once more."""

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        *,
        in_regions: Callable[[Iterable[str]], None] = lambda _: None,
    ) -> None:
        """`in_regions` hears of the accounts' Regions each time they are read."""
        self._pool = pool
        self._in_regions = in_regions
        self._topics: dict[str, UUID | None] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    def __contains__(self, topic_arn: object) -> bool:
        """Whether the topic was known when last read; `refresh` comes before."""
        return topic_arn in self._topics

    def owner_of(self, topic_arn: str) -> UUID | None:
        """Return the tenant whose own account's topic it is; None for the operator's."""
        return self._topics.get(topic_arn)

    async def refresh(self, topic_arn: str) -> None:
        """
        Read the set again if it is old, or if it lacks the topic, as soon as it may be read again.

        SNS asks for a confirmation once, so a topic that was made a moment ago has to be found.
        """
        asked_at = time.monotonic()
        if topic_arn in self._topics and asked_at - self._read_at < _MAX_AGE_S:
            return
        async with self._reading:
            if self._read_at >= asked_at:
                return
            await asyncio.sleep(max(0.0, self._read_at + _MIN_AGE_S - time.monotonic()))
            begun = time.monotonic()
            rows = await self._pool.fetch(_READ)
            self._topics = {row["topic_arn"]: row["owner_id"] for row in rows if row["topic_arn"] is not None}
            self._in_regions({row["region"] for row in rows})
            self._read_at = begun
