"""
What to do with an attempt nobody answered for, once the wait for its receipt is over. Pure rule, then SQL.

A text sent twice is worse than one sent late, so the rule depends on what the text is: a one-time code is
sent once more if it is still worth it, a transactional text if its tenant's plan says so, a promotional one
never. One resend at most, flagged, with the same hold.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import asyncpg
import msgspec
import structlog
from msgspec import structs

from gateway.clock import Clock
from gateway.dispatch.given_up import given_up
from gateway.faultpoints import FaultPoint, fp
from gateway.messages.state import MessageState, lock, save
from gateway.messages.status import advance
from tenants.accounts.plan import Plan
from tenants.tables import HotConnection

_log = structlog.get_logger(__name__)

MIN_LIFE_LEFT = timedelta(seconds=30)
"""A resend with less life than this would arrive too late to be of use."""
MAX_ATTEMPTS = 2
_BATCH = 200

Verdict = Literal["resend", "give_up"]


def verdict(
    *, message_type: str, attempt: int, expires_at: datetime, now: datetime, resend_transactional: bool
) -> Verdict:
    """Return whether an attempt of unknown outcome is made once more."""
    if attempt >= MAX_ATTEMPTS or expires_at - now < MIN_LIFE_LEFT:
        return "give_up"
    if message_type == "otp" or (message_type == "transactional" and resend_transactional):
        return "resend"
    return "give_up"


_WAITING = """
    SELECT message_id FROM dispatch_queue WHERE state = $1 AND due_at <= $2 ORDER BY due_at LIMIT $3
"""
_LEASES_OVER = """
    UPDATE dispatch_queue SET state = 'unknown', due_at = $1::timestamptz + $2, worker = NULL,
        claims = claims + 1
    WHERE message_id = ANY($3::uuid[]) AND state || '' = 'dispatching' AND due_at <= $1
    RETURNING message_id
"""
"""The wait begins now and not with the lease's end: while Postgres was away no receipt could be applied."""
_DUE = """
    SELECT message_id, tenant_id, attempt FROM dispatch_queue
    WHERE message_id = ANY($2::uuid[]) AND state || '' = 'unknown' AND due_at <= $1 FOR UPDATE
"""
_RESEND = """
    UPDATE dispatch_queue SET state = 'scheduled', due_at = $2, waits_for = 'no_answer'
    WHERE message_id = ANY($1::uuid[])
"""
_DROP = "DELETE FROM dispatch_queue WHERE message_id = ANY($1::uuid[])"
_PLANS = "SELECT id, plan FROM tenants WHERE id = ANY($1::uuid[])"


class UnknownSweep:
    """Turns dead workers' marks into unknowns, and settles unknowns whose wait is over."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock, *, wait: timedelta) -> None:
        self._pool = pool
        self._clock = clock
        self._wait = wait

    async def sweep(self) -> int:
        """Do one round; returns how many messages moved."""
        now = self._clock.now()
        async with self._pool.acquire() as connection:
            async with connection.transaction():
                orphans = await self._orphan(connection, now)
            async with connection.transaction():
                settled = await self._settle(connection, now)
        if orphans or settled:
            _log.warning("unknown_outcomes", lease_over=orphans, settled=settled)
        return orphans + settled

    async def _orphan(self, connection: HotConnection, now: datetime) -> int:
        """Turn the marks whose lease is over into unknowns."""
        states = await _lock_waiting(connection, "dispatching", now)
        rows = await connection.fetch(_LEASES_OVER, now, self._wait, list(states))
        orphans = [states[row["message_id"]] for row in rows]
        changes = [(s, structs.replace(s, status=advance(s.status, "dispatching"))) for s in orphans]
        await save(connection, changes, now=now)
        return len(orphans)

    async def _settle(self, connection: HotConnection, now: datetime) -> int:
        states = await _lock_waiting(connection, "unknown", now)
        due = await connection.fetch(_DUE, now, list(states))
        if not due:
            return 0
        plans = await _plans(connection, {row["tenant_id"] for row in due})
        resend: list[UUID] = []
        changes: list[tuple[MessageState, MessageState]] = []
        for row in due:
            state = states[row["message_id"]]
            if _decide(state, row["attempt"], plans[row["tenant_id"]], now) == "resend":
                resend.append(state.id)
                changes.append((state, structs.replace(state, resend_of_unknown=True)))
            else:
                changes.append((state, given_up(state)))
        await connection.execute(_RESEND, resend, now)
        await connection.execute(_DROP, [row["message_id"] for row in due if row["message_id"] not in resend])
        await save(connection, changes, now=now)
        await fp(FaultPoint.UNKNOWN_IN_COMMIT)
        return len(due)


async def _lock_waiting(connection: HotConnection, state: str, now: datetime) -> dict[UUID, MessageState]:
    """Lock messages before their queue rows, as receipts and records do; the rows are judged again after."""
    rows = await connection.fetch(_WAITING, state, now, _BATCH)
    return await lock(connection, [row["message_id"] for row in rows])


def _decide(state: MessageState, attempt: int, plan: Plan, now: datetime) -> Verdict:
    if state.status not in {"queued", "dispatching"}:
        return "give_up"
    return verdict(
        message_type=state.type,
        attempt=attempt,
        expires_at=state.expires_at,
        now=now,
        resend_transactional=plan.resend_unknown_transactional,
    )


async def _plans(connection: HotConnection, tenants: set[UUID]) -> Mapping[UUID, Plan]:
    rows = await connection.fetch(_PLANS, list(tenants))
    return {row["id"]: msgspec.convert(row["plan"], Plan) for row in rows}
