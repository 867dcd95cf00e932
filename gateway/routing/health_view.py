"""What is ill now, in memory: read from Postgres each second, asked for free."""

import asyncio
from collections.abc import Mapping
from typing import Final
from uuid import UUID

import asyncpg
import structlog

from gateway.db.faults import DATABASE_FAULTS
from gateway.routing.health import Illness

_log = structlog.get_logger(__name__)

_EVERY_S: Final = 1.0
_ILL: Final = "SELECT subject_id, state, reason FROM health_states WHERE state <> 'healthy'"


class HealthView:
    """One per process; while Postgres is away, what was known last stands."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool
        self._ill: Mapping[UUID, Illness] = {}

    def ill(self) -> Mapping[UUID, Illness]:
        """Return what is not healthy, by id of sender and of account; empty at nearly all times."""
        return self._ill

    async def run(self) -> None:
        """Look each second until cancelled."""
        while True:
            try:
                await self.refresh()
            except DATABASE_FAULTS as error:
                _log.warning("health_not_read", error=str(error))
            await asyncio.sleep(_EVERY_S)

    async def refresh(self) -> None:
        """Read what is ill now."""
        rows = await self._pool.fetch(_ILL)
        self._ill = {row["subject_id"]: Illness(state=row["state"], reason=row["reason"]) for row in rows}
