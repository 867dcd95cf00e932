"""
Tenants forgotten row by row: what `tollgate_erasure_plan()` names, in the scheduler, a batch a transaction.

A batch that a crash cuts short is done again by whoever comes next; two that meet do not wait for each other.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg
import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from gateway.clock import Clock
from gateway.db.transaction import worker_transaction
from gateway.faultpoints import FaultPoint, fp
from tenants.access.service import revoke_all
from tenants.accounts import erasure
from tenants.accounts.models import Erasure
from tenants.people.sessions import end_all
from tenants.scope import TenantScope

_log = structlog.get_logger(__name__)

_AT_ONCE: Final = 1000
_BEGINS_AFTER: Final = timedelta(seconds=10)
"""Longer than a revoked API key is trusted and a request takes, so that nobody writes behind the erasure."""
_DUE: Final = """
    SELECT tenant_id FROM tenant_erasures WHERE finished_at IS NULL AND asked_at <= now() - $1::interval
    ORDER BY asked_at
"""
_IN_FLIGHT: Final = text("""
    SELECT EXISTS (SELECT FROM dispatch_queue WHERE tenant_id = :tenant)
        OR EXISTS (
            SELECT FROM provider_messages p
            JOIN messages m ON m.id = p.message_id AND m.created_at = p.message_at
            WHERE p.tenant_id = :tenant AND p.known_at > now() - interval '72 hours' AND m.status = 'sent')
        OR EXISTS (SELECT FROM balances WHERE held <> 0 AND tenant_id = :tenant)
""")

Forget = Callable[[UUID], Awaitable[None]]
"""Takes away what Redis holds of a tenant."""


async def begin(scope: TenantScope, session: AsyncSession, *, now: datetime) -> Erasure:
    """
    Forget a closed tenant's key and name; its rows follow. Asked again, nothing changes.

    Its API keys and its people's sessions end here: whoever still wrote would write behind the erasure.

    Raises:
        NotFound: There is no such tenant.
        Conflict: It is not closed, or a message waits, is under way or has its final receipt to come.
    """
    in_flight = bool((await session.execute(_IN_FLIGHT, {"tenant": scope.tenant_id})).scalar_one())
    begun = await erasure.begin(scope, session, in_flight=in_flight)
    await revoke_all(scope, session, now=now)
    await end_all(scope, session)
    return begun


class Erasures:
    """One round at a time, by the scheduler; any number of them may run."""

    def __init__(
        self, pool: "asyncpg.Pool[asyncpg.Record]", engine: AsyncEngine, forget: Forget, clock: Clock
    ) -> None:
        self._pool = pool
        self._engine = engine
        self._forget = forget
        self._clock = clock

    async def work(self, *, at_once: int = _AT_ONCE, begins_after: timedelta = _BEGINS_AFTER) -> int:
        """
        Erase what was asked for, to its end; returns how many tenants were finished.

        A tenant that cannot be erased is put off behind the others; its fault is raised when they are done.
        """
        finished = 0
        fault: Exception | None = None
        for row in await self._pool.fetch(_DUE, begins_after):
            try:
                finished += await self._erase(row["tenant_id"], at_once)
            except Exception as error:  # noqa: BLE001 - raised below
                _log.warning("erasure_put_off", tenant_id=str(row["tenant_id"]), error=str(error))
                fault = fault or error
        if fault is not None:
            raise fault
        return finished

    async def _erase(self, tenant_id: UUID, at_once: int) -> bool:
        await fp(FaultPoint.ERASURE_BEGUN)
        while more := await self._pool.fetchval("SELECT tollgate_erase_batch($1, $2)", tenant_id, at_once):
            await fp(FaultPoint.ERASURE_MIDWAY)
        if more is None:
            return False  # another process is at it
        await fp(FaultPoint.ERASURE_ROWS_GONE)
        # After the rows: whoever reads them meanwhile finds nothing to write there again.
        await self._forget(tenant_id)
        async with worker_transaction(self._engine) as session:
            await erasure.finish(TenantScope(tenant_id=tenant_id), session, now=self._clock.now())
            await fp(FaultPoint.ERASURE_IN_COMMIT)
        _log.info("tenant_erased", tenant_id=str(tenant_id))
        return True
