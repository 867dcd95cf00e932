"""A message on its way, a carrier that answers as told, and a clock that stands."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from gateway.clock import FixedClock
from gateway.dispatch.mark import MarkedMessage, mark
from gateway.dispatch.record import Recorder
from tenants.ids import new_uuid

UNKNOWN_WAIT = timedelta(seconds=90)


class ScriptedCarrier:
    """Answers each send by a function; a port's fake, not a patch."""

    def __init__(self, answer) -> None:
        self.answer = answer
        self.sent = []

    async def send(self, text):
        """Keep the text and answer."""
        self.sent.append(text)
        outcome = self.answer(text)
        return await outcome if asyncio.iscoroutine(outcome) else outcome


@pytest.fixture
def clock() -> FixedClock:
    """Stands at the real now, since ids carry the real time."""
    return FixedClock(datetime.now(UTC))


@pytest.fixture
def marked(worker_pool):
    """A function that marks messages as a worker does."""

    async def take(*ids: UUID, now: datetime | None = None) -> list[MarkedMessage]:
        async with worker_pool.acquire() as connection:
            return await mark(connection, ids, worker=new_uuid(), now=now or datetime.now(UTC))

    return take


@pytest.fixture
async def recorder(worker_pool, clock):
    """A running recorder."""
    made = Recorder(worker_pool, clock, unknown_wait=UNKNOWN_WAIT)
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
def scripted_carrier():
    """The class of carriers that answer as told."""
    return ScriptedCarrier
