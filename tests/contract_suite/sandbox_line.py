"""The carrier of test keys, on a real Postgres."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg
import msgspec

from gateway.carrier.ports import OutboundText, Outcome
from gateway.carrier.sandbox import SandboxCarrier
from gateway.clock import FixedClock
from gateway.receipts.event import Receipt, parse
from tests.contract_suite.lines import Situation, Trial, a_text
from tests.harness.waiting import until

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
_INSERTING = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%INTO sandbox_receipts%'
"""


class SandboxLine:
    """The sandbox refuses nobody and is never busy; only its database can fail it."""

    SITUATIONS = ("accepting", "receipts", "dropped_before")

    def __init__(
        self, pool: "asyncpg.Pool[asyncpg.Record]", observer: "asyncpg.Pool[asyncpg.Record]"
    ) -> None:
        self._pool = pool
        self._observer = observer

    @contextlib.asynccontextmanager
    async def trial(self, situation: Situation) -> AsyncIterator[Trial]:
        """Bring a situation about for the length of a block."""
        carrier = SandboxCarrier(self._pool, FixedClock(NOW))
        if situation == "dropped_before":
            yield Trial(_CutOff(carrier, self._observer), a_text())
        else:
            yield Trial(carrier, a_text())

    async def receipts(self, text: OutboundText, provider_message_id: str) -> list[Receipt]:
        """Return the receipts that are owed for a text."""
        rows = await self._pool.fetch(
            "SELECT event FROM sandbox_receipts WHERE message_id = $1 ORDER BY due_at", text.message_id
        )
        read = [parse(msgspec.json.encode(row["event"])) for row in rows]
        return [
            each
            for each in read
            if isinstance(each, Receipt) and each.provider_message_id == provider_message_id
        ]


class _CutOff:
    """A sandbox whose connection the database ends in the middle of a send."""

    def __init__(self, carrier: SandboxCarrier, observer: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._carrier = carrier
        self._observer = observer

    async def send(self, text: OutboundText) -> Outcome:
        """Hold the send at a lock and end its connection there."""
        async with self._observer.acquire() as holding, holding.transaction(), asyncio.TaskGroup() as group:
            await holding.execute("LOCK TABLE sandbox_receipts IN ACCESS EXCLUSIVE MODE")
            sending = group.create_task(self._carrier.send(text))
            pid = await until(lambda: self._observer.fetchval(_INSERTING))
            await self._observer.execute("SELECT pg_terminate_backend($1)", pid)
        return sending.result()
