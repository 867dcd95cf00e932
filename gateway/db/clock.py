"""
Postgres's time in every process, so that two machines whose clocks differ judge one deadline alike.

A life that one process grants and another one ends, a lease, a delivery that is due: with the machines' own
clocks, five minutes between two of them would expire fresh messages. Between two looks at Postgres the
monotonic clock carries the time on, so a step of the machine's clock, either way, is not seen at all.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg
import structlog

from gateway.clock import Clock, SystemClock
from gateway.db.faults import DATABASE_FAULTS

_log = structlog.get_logger(__name__)

_EVERY_S: Final = 10.0
_FIRST_WITHIN_S: Final = 5.0
_WORTH_TELLING_S: Final = 1.0
_USELESS_S: Final = 1.0
"""A look that took longer says too little of the instant at which Postgres read its clock."""


class PostgresClock:
    """Until Postgres was asked, the machine's own time."""

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        *,
        machine: Clock | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        ahead: Callable[[float], None] = lambda _: None,
    ) -> None:
        """`ahead` hears at each look how many seconds the machine's clock is before Postgres's."""
        self._pool = pool
        self._ahead = ahead
        self._machine = machine or SystemClock()
        self._monotonic = monotonic
        self._then = monotonic()
        self._at = self._machine.now()

    def now(self) -> datetime:
        """Return the present instant in UTC, as Postgres would tell it."""
        return self._at + timedelta(0, self._monotonic() - self._then)  # by name it takes twice as long

    async def look(self) -> bool:
        """
        Read Postgres's clock; returns whether the answer was quick enough to be believed.

        Raises:
            DATABASE_FAULTS: Postgres did not answer; the time goes on as it was.
        """
        async with self._pool.acquire() as connection:
            asked = self._monotonic()
            told: datetime = await connection.fetchval("SELECT clock_timestamp()")
            answered = self._monotonic()
        if answered - asked > _USELESS_S:
            return False
        self._then, self._at = (asked + answered) / 2, told.astimezone(UTC)
        ahead_s = (self._machine.now() - self.now()).total_seconds()
        self._ahead(ahead_s)
        if abs(ahead_s) > _WORTH_TELLING_S:
            _log.warning("machine_clock_is_off", ahead_of_postgres_s=round(ahead_s, 3))
        return True

    async def follow(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(_EVERY_S)
            try:
                await self.look()
            except DATABASE_FAULTS as error:
                _log.warning("clock_not_read", error=str(error))


@asynccontextmanager
async def open_clock(
    pool: "asyncpg.Pool[asyncpg.Record]", *, ahead: Callable[[float], None]
) -> AsyncGenerator[PostgresClock]:
    """Follow Postgres's clock for the length of a block."""
    clock = PostgresClock(pool, ahead=ahead)
    try:
        async with asyncio.timeout(_FIRST_WITHIN_S):
            await clock.look()
    except (*DATABASE_FAULTS, TimeoutError) as error:
        _log.warning("clock_not_read", error=str(error))
    following = asyncio.create_task(clock.follow())
    try:
        yield clock
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
