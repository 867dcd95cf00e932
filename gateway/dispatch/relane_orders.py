"""
Works off relane orders: messages that wait for a sender that was swapped, disabled or left go to others, and
so do those whose sender's account, or the shared routes of which, are their tenant's no more.

A page at a time, in the order of message ids, each in its own transaction; a crash goes on from the last
page. A few seconds after the order, when every process has learnt of the change, a whole pass that moved
nothing ends it. What has nowhere to go stays where it is.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import asyncpg
import structlog
from msgspec import structs

from gateway.clock import Clock
from gateway.dispatch.failover import DISABLED, OFF_ROUTE, Failure, GoTo, Step, next_move
from gateway.dispatch.next_senders import next_senders
from gateway.dispatch.queue_rows import QueueRow, lock_rows
from gateway.dispatch.relane import Relane, relane
from gateway.messages.state import MessageState, lock
from gateway.routing import operating
from gateway.routing.candidates import route_fault
from gateway.routing.facts import TenantRouting
from gateway.routing.health import Illness
from gateway.routing.lanes import lane_identities
from gateway.routing.last_senders import last_senders
from tenants.tables import HotConnection

_log = structlog.get_logger(__name__)

ReadRouting = Callable[[UUID], Awaitable[TenantRouting]]
Ill = Callable[[], Mapping[UUID, Illness]]

ALL_KNOW: Final = timedelta(seconds=5)
"""By then every process has read the change of policy or health that came with the order."""
_PAGE: Final = 500
_FIRST: Final = UUID(int=0)
_UNHEALTHY: Final = "unhealthy"
_NEXT: Final = """
    SELECT o.tenant_id, o.sender_id, o.reason, o.created_at, o.done_up_to,
        (SELECT s.identity FROM senders s WHERE s.tenant_id = o.tenant_id AND s.id = o.sender_id) AS identity,
        EXISTS (SELECT FROM senders s JOIN health_states h ON h.subject_id IN (s.id, s.account_id)
            WHERE s.tenant_id = o.tenant_id AND s.id = o.sender_id AND h.state = 'disabled') AS disabled
    FROM relane_orders o
    WHERE NOT (o.sender_id = ANY($1::uuid[])) ORDER BY o.created_at LIMIT 1 FOR UPDATE OF o SKIP LOCKED
"""
"""The reason is the operator's; tenants are told no more than whether somebody put the sender away."""
_WAITING: Final = """
    SELECT message_id FROM dispatch_queue
    WHERE message_id > $1 AND tenant_id = $2 AND lane->>'identity' = ANY($3::text[])
        AND state IN ('queued', 'scheduled') AND attempt = 0
    ORDER BY message_id LIMIT $4
"""
"""What waits for its second attempt, since AWS may have it, is carried by the same sender or by nobody."""
_UP_TO: Final = "UPDATE relane_orders SET done_up_to = $3 WHERE tenant_id = $1 AND sender_id = $2"
_DONE: Final = "DELETE FROM relane_orders WHERE tenant_id = $1 AND sender_id = $2"


class RelaneOrders:
    """One round at a time; any number of processes may run one."""

    def __init__(
        self, pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock, *, read_routing: ReadRouting, ill: Ill
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._read_routing = read_routing
        self._ill = ill
        self._moved: dict[UUID, int] = {}
        """Messages moved in the pass that is under way, by sender."""

    async def work(self) -> int:
        """Work off what there is; returns how many messages moved."""
        moved, rested = 0, set[UUID]()
        while True:
            async with self._pool.acquire() as connection, connection.transaction():
                order = await connection.fetchrow(_NEXT, list(rested))
                if order is None:
                    return moved
                count, ended = await self._page(connection, order)
            moved += count
            if ended:
                rested.add(order["sender_id"])

    async def _page(self, connection: HotConnection, order: asyncpg.Record) -> tuple[int, bool]:
        """Move one page; returns how many moved, and whether the pass is over."""
        tenant_id, sender_id = order["tenant_id"], order["sender_id"]
        after = order["done_up_to"] or _FIRST
        lanes = [str(each) for each in lane_identities(order["identity"] or sender_id)]
        rows = await connection.fetch(_WAITING, after, tenant_id, lanes, _PAGE)
        if not rows:
            await self._end_pass(connection, order)
            return 0, True
        ids = [row["message_id"] for row in rows]
        routing = await self._read_routing(tenant_id)
        states = await lock(connection, ids)
        queued = await lock_rows(connection, ids)
        now = self._clock.now()
        had: Mapping[bytes, Sequence[UUID]] = {}
        if routing.sticky_sender:
            recipients = {row.recipient_hash for row in queued}
            had = await last_senders(connection, tenant_id, recipients, now=now)
        found = [
            self._relane(states[row.message_id], row, routing, order, had.get(row.recipient_hash, ()))
            for row in queued
            if row.message_id in states and row.sender_id == sender_id
        ]
        moved = await relane(connection, [each for each in found if each is not None], now=now)
        self._moved[sender_id] = self._moved.get(sender_id, 0) + len(moved)
        await connection.execute(_UP_TO, tenant_id, sender_id, ids[-1])
        return len(moved), False

    async def _end_pass(self, connection: HotConnection, order: asyncpg.Record) -> None:
        tenant_id, sender_id = order["tenant_id"], order["sender_id"]
        moved = self._moved.pop(sender_id, 0)
        if moved == 0 and self._clock.now() - order["created_at"] >= ALL_KNOW:
            await connection.execute(_DONE, tenant_id, sender_id)
            return
        await connection.execute(_UP_TO, tenant_id, sender_id, None)
        if moved:
            reason = order["reason"]
            _log.info("messages_relaned", sender=str(sender_id), messages=moved, reason=reason)

    def _relane(
        self,
        state: MessageState,
        row: QueueRow,
        routing: TenantRouting,
        order: asyncpg.Record,
        had: Sequence[UUID],
    ) -> Relane | None:
        candidates = next_senders(row, routing, self._ill())
        code = _off_route(row, routing) if order["reason"] == operating.OFF_ROUTE else _code(order)
        if code is None:
            return None
        if order["reason"] == operating.MOVED:
            at = routing.senders.get(row.sender_id)
            if at is None or at.account_id == row.account_id:
                return None
            candidates = [each for each in candidates if each.sender.id == row.sender_id] or candidates
        move = next_move(
            Failure(blame="sender", code=code, definite=True, by_hand=code != _UNHEALTHY),
            current=row.sender_id,
            account=row.account_id,
            failures=0,
            after=1,
            trail=row.trail,
            candidates=candidates,
            routing=routing,
            spread=row.message_id.int,
            had=had,
            recipient_hash=row.recipient_hash,
        )
        if not isinstance(move, GoTo):
            return None
        route = routing.routes.get(row.account_id)
        step = Step(
            sender=row.sender_id,
            account=row.account_id,
            region="" if route is None else route.region,
            value=row.sender_value,
            blame="sender",
            code=code,
            at=self._clock.now(),
        )
        return Relane(
            state=state,
            to=move.sender,
            routing=routing,
            country=row.need.country,
            step=step,
            attempt=row.attempt,
        )


def _off_route(row: QueueRow, routing: TenantRouting) -> str | None:
    """Return why the message may not leave by its sender in its account, or None if it may by now."""
    if row.account_id not in routing.routes:
        return OFF_ROUTE
    sender = routing.senders.get(row.sender_id)
    if sender is None:
        return None
    fault = route_fault(routing, row.need.country, structs.replace(sender, account_id=row.account_id))
    return None if fault is None else fault[0]


def _code(order: asyncpg.Record) -> str:
    """Return what tenants are told; the reason is the operator's."""
    if order["reason"] == operating.MOVED:
        return "moved"
    return DISABLED if order["disabled"] else _UNHEALTHY
