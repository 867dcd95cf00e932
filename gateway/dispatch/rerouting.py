"""
Fail-over of a batch of results: those whose message goes to another sender are taken out of the batch.

Each moves in one transaction with its trail; what is left is recorded as usual. A result that comes a second
time, because the answer to its commit was lost, finds its own step in the trail and is dropped.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg
import structlog
from msgspec import structs

from gateway.carrier.ports import NotSent, Refused
from gateway.clock import Clock
from gateway.dispatch.failover import (
    NO_IDENTITY,
    Failure,
    GoTo,
    Stay,
    Step,
    call_result,
    failure_of,
    next_move,
)
from gateway.dispatch.mark import MarkedMessage
from gateway.dispatch.next_senders import next_senders
from gateway.dispatch.queue_rows import QueueRow, lock_rows
from gateway.dispatch.record import Recorded, Result
from gateway.dispatch.relane import Relane, relane
from gateway.messages.state import MessageState, lock
from gateway.routing.facts import TenantRouting
from gateway.routing.health import HOLD, Illness
from gateway.routing.last_senders import last_senders
from gateway.routing.tally import CallTally
from tenants.tables import HotConnection

_log = structlog.get_logger(__name__)

ReadRouting = Callable[[UUID], Awaitable[TenantRouting]]
Ill = Callable[[], Mapping[UUID, Illness]]


_FAILED_AGAIN: Final = """
    UPDATE dispatch_queue q SET failures = LEAST(failures + 1, 1000)
    FROM unnest($1::uuid[], $2::timestamptz[]) AS d (message_id, lease)
    WHERE q.message_id = d.message_id AND q.message_id = ANY($1) AND q.state || '' = 'dispatching'
        AND q.due_at = d.lease
"""
_ILL: Final = """
    INSERT INTO health_states AS h (subject_id, kind, state, reason, since, hold_seconds)
    VALUES ($1, $2, 'unhealthy', $3, $4, $5)
    ON CONFLICT (subject_id) DO UPDATE SET state = excluded.state, reason = excluded.reason,
        since = excluded.since, hold_seconds = excluded.hold_seconds
    WHERE h.state = 'healthy'
"""
_ORDER: Final = """
    INSERT INTO relane_orders (tenant_id, sender_id, reason)
    SELECT tenant_id, id, $3 FROM senders
    WHERE state = 'active' AND (id = $1 AND tenant_id = $4 OR $2 AND account_id = $1)
    ON CONFLICT DO NOTHING
"""


class Rerouting:
    """One per dispatching process."""

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        clock: Clock,
        *,
        read_routing: ReadRouting,
        ill: Ill,
        after: int,
        tally: CallTally,
    ) -> None:
        self._pool = pool
        self._tally = tally
        self._clock = clock
        self._read_routing = read_routing
        self._ill = ill
        self._after = after

    def observe(self, message: MarkedMessage, result: Result) -> None:
        """Count a call for the health of its sender and route; test messages have neither."""
        said = call_result(result)
        if said is not None and message.account_id is not None and message.sender_id is not None:
            self._tally.count((message.sender_id, message.account_id), said)

    async def take(self, batch: Sequence[Recorded]) -> list[Recorded]:
        """Move what can go to another sender; returns what is to be recorded as usual."""
        failed = [each for each in batch if failure_of(each.result, moved=True) is not None]
        if not failed:
            return list(batch)
        routings = {
            tenant_id: await self._read_routing(tenant_id)
            for tenant_id in {each.message.tenant_id for each in failed}
        }
        async with self._pool.acquire() as connection, connection.transaction():
            settled = await self._move(connection, failed, routings)
        replaced = [settled.get(each.message.message_id, each) for each in batch]
        return [each for each in replaced if each is not None]

    async def _move(
        self,
        connection: HotConnection,
        failed: Sequence[Recorded],
        routings: Mapping[UUID, TenantRouting],
    ) -> dict[UUID, Recorded | None]:
        """Return what becomes of each result: None where nothing is left to record."""
        now = self._clock.now()
        ids = [each.message.message_id for each in failed]
        states = await lock(connection, ids)
        rows = {row.message_id: row for row in await lock_rows(connection, ids)}
        had = await self._had(connection, routings, states, rows)
        settled: dict[UUID, Recorded | None] = {}
        moves: list[Relane] = []
        again: list[Recorded] = []
        for each in failed:
            message_id = each.message.message_id
            row, state = rows.get(message_id), states.get(message_id)
            if row is None or state is None:
                continue
            if _moved_before(row, each):
                settled[message_id] = None
            elif _may_move(row, state, each):
                move = self._decide(each, row, state, routings[state.tenant_id], had.get(message_id, ()))
                if isinstance(move, Relane):
                    moves.append(move)
                else:
                    again.append(each)
                    settled[message_id] = move
        gone = set(await relane(connection, moves, now=now))
        settled.update(dict.fromkeys(gone))
        answers = {each.message.message_id: _detail(each.result) for each in failed if each.called}
        await self._blame(connection, [move for move in moves if move.state.id in gone], answers, now)
        await connection.execute(
            _FAILED_AGAIN, [e.message.message_id for e in again], [e.message.leased_until for e in again]
        )
        return settled

    async def _had(
        self,
        connection: HotConnection,
        routings: Mapping[UUID, TenantRouting],
        states: Mapping[UUID, MessageState],
        rows: Mapping[UUID, QueueRow],
    ) -> Mapping[UUID, Sequence[UUID]]:
        """Return the senders that recipients had, by message; of tenants for which that counts."""
        found: dict[UUID, Sequence[UUID]] = {}
        for tenant_id in (each for each, routing in routings.items() if routing.sticky_sender):
            mine = (each for each in states.values() if each.tenant_id == tenant_id)
            of_tenant = {each.id: rows[each.id].recipient_hash for each in mine if each.id in rows}
            recipients = set(of_tenant.values())
            had = await last_senders(connection, tenant_id, recipients, now=self._clock.now())
            found |= {message_id: had.get(each, ()) for message_id, each in of_tenant.items()}
        return found

    def _decide(
        self,
        each: Recorded,
        row: QueueRow,
        state: MessageState,
        routing: TenantRouting,
        had: Sequence[UUID],
    ) -> Relane | Recorded:
        failure = failure_of(each.result, moved=bool(row.trail))
        if failure is None:
            return each
        ill = self._ill()
        after = 1 if row.sender_id in ill or row.account_id in ill else self._after
        match next_move(
            failure,
            current=row.sender_id,
            account=row.account_id,
            failures=row.failures,
            after=after,
            trail=row.trail,
            candidates=next_senders(row, routing, ill),
            routing=routing,
            spread=row.message_id.int,
            had=had,
            recipient_hash=row.recipient_hash,
        ):
            case GoTo(sender=sender):
                return Relane(
                    state=state,
                    to=sender,
                    routing=routing,
                    country=row.need.country,
                    step=_step(each, row, failure, routing, self._clock.now()),
                    attempt=each.message.attempt - 1,
                )
            case Stay():
                return _nowhere(each, failure)

    async def _blame(
        self, connection: HotConnection, moves: Sequence[Relane], answers: Mapping[UUID, str], now: datetime
    ) -> None:
        """
        Spare the messages behind the same answer: what AWS named is ill at once, and its line moves.

        A connection that fails is left to the rates: it says less, and there are many of them.

        Args:
            answers: What more is to be said to the operator, by message that the carrier was asked for.
        """
        named = [m for m in moves if m.state.id in answers and m.step.blame != "region"]
        blamed = {(m.step.sender, m.step.blame, m.step.code): m for m in named}
        for move in blamed.values():
            of_account = move.step.blame == "account"
            subject = move.step.account if of_account else move.step.sender
            kind = "route" if of_account else "sender"
            reason = f"AWS refused it: {move.step.code}{answers[move.state.id]}"
            hold_s = round(HOLD.total_seconds())
            await connection.execute(_ILL, subject, kind, reason, now, hold_s)
            await connection.execute(_ORDER, subject, of_account, reason, move.state.tenant_id)
            _log.warning("sender_left", kind=kind, subject=str(subject), code=move.step.code)


def _moved_before(row: QueueRow, each: Recorded) -> bool:
    return any(step.lease == each.message.leased_until for step in row.trail)


def _may_move(row: QueueRow, state: MessageState, each: Recorded) -> bool:
    """The mark must still be ours, and nothing may say that AWS took the message after all."""
    ours = row.state == "dispatching" and row.due_at == each.message.leased_until
    untouched = state.provider_message_id is None and state.receipt_rank == 0 and not state.resend_of_unknown
    return ours and untouched and state.status in {"queued", "dispatching"}


def _step(each: Recorded, row: QueueRow, failure: Failure, routing: TenantRouting, now: datetime) -> Step:
    route = routing.routes.get(row.account_id)
    return Step(
        sender=row.sender_id,
        account=row.account_id,
        region="" if route is None else route.region,
        value=row.sender_value,
        blame=failure.blame,
        code=failure.code,
        at=now,
        lease=each.message.leased_until,
    )


def _detail(result: Result) -> str:
    """Return what follows the code in the operator's views."""
    return f" ({result.detail})" if isinstance(result, NotSent) and result.detail else ""


def _nowhere(each: Recorded, failure: Failure) -> Recorded:
    """AWS has no identity, and we know of no other: waiting for one would only hide it from the tenant."""
    if failure.code != NO_IDENTITY:
        return each
    refused = Refused(
        code="no_originator",
        detail="No sender of this tenant can reach the country; the operator can provision one.",
    )
    return structs.replace(each, result=refused)
