"""
The inbox: texts that the roads in have parked and acknowledged, taken from there one by one.

Whatever road a text takes (SNS, SQS, Firehose), it is on disk before it is acknowledged, written by a role
that may do little else. Each is then taken in by a transaction of its own. What nobody's number got stays for
the operator; what an erased tenant's got is let go of; what cannot be taken in after several tries is set
aside, so that it holds up no other.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeAlias
from uuid import UUID

import structlog
from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.clock import Clock
from gateway.db.engine import connect
from gateway.db.faults import DATABASE_FAULTS
from gateway.db.transaction import worker_transaction
from gateway.faultpoints import FaultPoint, fp
from gateway.inbound.taking import (
    ErasedTenant,
    FileUnderWay,
    NobodysNumber,
    Repeated,
    Taken,
    Taking,
)
from gateway.lanes.errors import RedisUnavailable
from gateway.receipts.event import InboundText, parse
from gateway.telemetry import metrics
from tenants.accounts.sealing import DataKey
from tenants.optouts.service import Change

_log = structlog.get_logger(__name__)

CHANNEL: Final = "tollgate_inbound"
MOST_TRIES: Final = 5
_BATCH: Final = 100
_IDLE_S: Final = 1.0
_RECONNECT_S: Final = 1.0
_WAITING: Final = text(
    """
    SELECT event_key FROM parked_receipts WHERE reason = 'inbound' AND tries < :most
    ORDER BY received_at LIMIT :limit
    """
)
_TAKE: Final = text(
    """
    SELECT body_sealed, owner_id FROM parked_receipts WHERE event_key = :key AND reason = 'inbound'
    FOR UPDATE SKIP LOCKED
    """
)
_DONE: Final = text("DELETE FROM parked_receipts WHERE event_key = :key")
_KEEP: Final = text("UPDATE parked_receipts SET reason = :reason WHERE event_key = :key")
_FAILED: Final = text(
    """
    UPDATE parked_receipts SET tries = tries + 1,
        reason = CASE WHEN tries + 1 >= :most THEN 'not_taken_in' ELSE reason END
    WHERE event_key = :key RETURNING reason
    """
)

Project = Callable[[UUID, Change], Awaitable[None]]
"""Brings admission's copy up to date with one change."""


class Unreadable(Struct, frozen=True, tag="unreadable"):
    """No text after all."""


_Settled: TypeAlias = Taken | Repeated | NobodysNumber | ErasedTenant | Unreadable
"""What ends a text's wait in the inbox."""


class Inbox:
    """Works the inbox off; any number of processes may."""

    def __init__(
        self,
        database_url: str,
        engine: AsyncEngine,
        taking: Taking,
        project: Project,
        *,
        key: DataKey,
        clock: Clock,
    ) -> None:
        self._database_url = database_url
        self._engine = engine
        self._taking = taking
        self._project = project
        self._key = key
        self._clock = clock
        self._arrived = asyncio.Event()

    async def run(self) -> None:
        """Take in what comes until cancelled, woken by a notice, else each second."""
        while True:
            try:
                await self._listen()
            except DATABASE_FAULTS as error:
                _log.warning("inbox_listener_lost", error=str(error))
            except Exception:  # noqa: BLE001 - a database that goes away mid-work has many names; it is logged
                _log.exception("inbox_broken")
            await asyncio.sleep(_RECONNECT_S)

    async def _listen(self) -> None:
        connection = await connect(self._database_url, "worker")
        try:
            await connection.add_listener(CHANNEL, self._noticed)
            while not connection.is_closed():
                self._arrived.clear()
                await self.work()
                await self._next()
                await connection.fetchval("SELECT 1", timeout=5)
        finally:
            await connection.close(timeout=1)

    async def _next(self) -> None:
        try:
            async with asyncio.timeout(_IDLE_S):
                await self._arrived.wait()
        except TimeoutError:
            return

    def _noticed(self, _connection: Any, _pid: int, _channel: str, _payload: Any) -> None:
        self._arrived.set()

    async def work(self) -> int:
        """Take in all that waits; returns how many texts left the inbox."""
        taken = 0
        while keys := await self._waiting():
            done = [await self._take_one(key) for key in keys]
            taken += sum(done)
            if not any(done):
                break
        return taken

    async def _waiting(self) -> Sequence[bytes]:
        async with worker_transaction(self._engine) as session:
            return (await session.scalars(_WAITING, {"most": MOST_TRIES, "limit": _BATCH})).all()

    async def _take_one(self, event_key: bytes) -> bool:
        """Take one in; False where another process has it, or it has to be tried again."""
        try:
            outcome = await self._taken(event_key)
        except DATABASE_FAULTS:
            raise
        except Exception:  # noqa: BLE001 - one text that cannot be taken in must not hold up the others
            _log.exception("inbound_not_taken_in", event_key=event_key.hex())
            await self._failed(event_key)
            return False
        if outcome is None:
            return False
        if isinstance(outcome, Taken):
            await self._projected(outcome)
        return True

    async def _taken(self, event_key: bytes) -> _Settled | None:
        async with worker_transaction(self._engine) as session:
            row = (await session.execute(_TAKE, {"key": event_key})).first()
            if row is None:
                return None
            event = parse(self._key.open(row.body_sealed, context=event_key))
            outcome: _Settled = Unreadable()
            if isinstance(event, InboundText):
                taken = await self._taking.take_in(
                    session, event, now=self._clock.now(), published_by=row.owner_id
                )
                if isinstance(taken, FileUnderWay):
                    return None
                outcome = taken
            await session.execute(*_leaving(event_key, outcome))
            await fp(FaultPoint.INBOUND_IN_COMMIT)
        _count(outcome)
        return outcome

    async def _failed(self, event_key: bytes) -> None:
        async with worker_transaction(self._engine) as session:
            reason = await session.scalar(_FAILED, {"key": event_key, "most": MOST_TRIES})
        if reason != "inbound":
            metrics.INBOUND_TEXTS.labels("not_taken_in").inc()

    async def _projected(self, taken: Taken) -> None:
        """At once, so that a STOP counts before anybody is told; the row's notice makes up for a failure."""
        for change in taken.changes:
            try:
                await self._project(taken.tenant_id, change)
            except RedisUnavailable as error:
                _log.warning("opt_out_projection_failed", tenant_id=str(taken.tenant_id), error=str(error))
                return


def _leaving(event_key: bytes, outcome: _Settled) -> tuple[Any, dict[str, Any]]:
    match outcome:
        case Taken() | Repeated() | ErasedTenant():
            return _DONE, {"key": event_key}
        case NobodysNumber():
            return _KEEP, {"key": event_key, "reason": "no_such_number"}
        case Unreadable():
            return _KEEP, {"key": event_key, "reason": "unreadable"}


def _count(outcome: _Settled) -> None:
    match outcome:
        case Taken(action=action, tenant_id=tenant_id, inbound_id=inbound_id):
            metrics.INBOUND_TEXTS.labels(action or "no_keyword").inc()
            _log.info("inbound_taken_in", tenant_id=str(tenant_id), inbound_id=str(inbound_id), action=action)
        case Repeated():
            metrics.INBOUND_TEXTS.labels("repeated").inc()
        case ErasedTenant():
            metrics.INBOUND_TEXTS.labels("tenant_erased").inc()
        case NobodysNumber():
            metrics.INBOUND_TEXTS.labels("no_such_number").inc()
            _log.warning("inbound_for_nobody")
        case Unreadable():
            metrics.INBOUND_TEXTS.labels("unreadable").inc()
