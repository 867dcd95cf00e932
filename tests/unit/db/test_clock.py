"""Postgres's time, carried on by the monotonic clock: a machine whose clock is wrong is not believed."""

import contextlib
from datetime import UTC, datetime, timedelta

from gateway.clock import FixedClock
from gateway.db.clock import PostgresClock

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Postgres:
    """A pool of one connection to a server that tells a time, after a while."""

    def __init__(self) -> None:
        self.time = NOON
        self.monotonic = 1000.0
        self.takes_s = 0.0

    @contextlib.asynccontextmanager
    async def acquire(self):
        """Lend the connection."""
        yield self

    async def fetchval(self, _: str) -> datetime:
        """Tell the time, in the middle of the wait."""
        self.monotonic += self.takes_s
        return self.time


def clock_of(postgres: Postgres, machine: FixedClock) -> PostgresClock:
    """A clock on a machine of its own."""
    return PostgresClock(postgres, machine=machine, monotonic=lambda: postgres.monotonic)


async def test_a_machine_that_is_off_goes_by_postgres():
    """Five minutes ahead or behind, the processes agree."""
    for off in (timedelta(minutes=5), timedelta(minutes=-5)):
        postgres = Postgres()
        clock = clock_of(postgres, FixedClock(NOON + off))
        assert clock.now() == NOON + off, "before Postgres was asked there is nothing else to go by"
        assert await clock.look()
        assert clock.now() == NOON


async def test_a_step_of_the_machine_is_not_seen_between_two_looks():
    """The monotonic clock carries the time on."""
    postgres, machine = Postgres(), FixedClock(NOON)
    clock = clock_of(postgres, machine)
    await clock.look()
    machine.advance(timedelta(minutes=-10))
    postgres.monotonic += 7.5
    assert clock.now() == NOON + timedelta(seconds=7.5)


async def test_the_answer_is_taken_for_the_middle_of_its_way():
    """An error of half the way at most."""
    postgres = Postgres()
    postgres.takes_s = 0.2
    clock = clock_of(postgres, FixedClock(NOON))
    assert await clock.look()
    assert clock.now() == NOON + timedelta(seconds=0.1)


async def test_an_answer_that_took_long_is_not_believed():
    """A machine that stood still between the two readings would be off by as much."""
    postgres = Postgres()
    clock = clock_of(postgres, FixedClock(NOON))
    await clock.look()
    postgres.takes_s, postgres.time = 3.0, NOON + timedelta(hours=1)
    assert not await clock.look()
    assert clock.now() == NOON + timedelta(seconds=3)
