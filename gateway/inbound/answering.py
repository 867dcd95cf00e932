"""
Automatic replies on their way: orders become messages, each once.

Orders are leased by moving their due time, so that a process that dies gives them back by doing nothing; the
text that is answered is the reply's Idempotency-Key. A confirmation of an opt-out leaves only after admission
has taken the opt-out: nobody is told of a promise that is not kept yet.
"""

from typing import Any, Final, Protocol
from uuid import UUID

import asyncpg
import structlog

from gateway.clock import Clock
from gateway.db.faults import DATABASE_FAULTS
from gateway.errors import Unavailable
from gateway.faultpoints import FaultPoint, fp
from gateway.inbound.text_orders import WORTH_WAITING, TextOrder, TextOrders
from gateway.intake.outcome import Declined
from gateway.intake.replying import AutoReply
from gateway.lanes.errors import RedisUnavailable
from gateway.messages.inbound import person_context, reply_context
from gateway.messages.keys import DataKeys
from gateway.telemetry import metrics
from tenants.scope import TenantScope

_log = structlog.get_logger(__name__)

_TAKE: Final = """
    UPDATE inbound_replies r SET due_at = $2, attempts = r.attempts + 1
    FROM (SELECT tenant_id, inbound_id FROM inbound_replies WHERE due_at <= $1
        ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED) AS due
    JOIN inbound_messages m ON m.tenant_id = due.tenant_id AND m.id = due.inbound_id
    JOIN senders s ON s.tenant_id = m.tenant_id AND s.id = m.sender_id
    WHERE r.tenant_id = due.tenant_id AND r.inbound_id = due.inbound_id
    RETURNING r.tenant_id, r.inbound_id AS id, r.kind, r.lists, r.text_sealed, r.attempts, r.closes_at,
        m.from_sealed, m.recipient_hash, m.sender_value, s.message_types
"""
_PUT_OFF: Final = "UPDATE inbound_replies SET due_at = $3 WHERE tenant_id = $1 AND inbound_id = $2"
_CLOSE: Final = """
    WITH closed AS (
        DELETE FROM inbound_replies WHERE tenant_id = $1 AND inbound_id = $2 RETURNING inbound_id)
    UPDATE inbound_messages SET reply = $3, reply_detail = $4, reply_message_id = $5
    WHERE tenant_id = $1 AND id = $2
"""


class Replies(Protocol):
    """Accepts a reply as a message; `gateway.intake.replying.Replying` fits."""

    async def reply(self, scope: TenantScope, reply: AutoReply) -> UUID | Declined:
        """
        Return the message's id, or why there is none.

        Raises:
            Unavailable: Try again.
        """
        ...


class OptOutGate(Protocol):
    """Admission's copy of opt-outs; `gateway.admission.gate.AdmissionGate` fits."""

    async def add_opt_out(self, tenant_id: UUID, use_case: str, recipient_hash: bytes) -> None:
        """
        Refuse this recipient from now on.

        Raises:
            RedisUnavailable: It was not taken.
        """
        ...


class _Order(TextOrder, frozen=True, kw_only=True):
    kind: Any
    lists: list[str]
    from_sealed: bytes
    recipient_hash: bytes
    sender_value: str
    message_types: list[str]


class Answering:
    """Works off the orders; any number of processes may."""

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        replies: Replies,
        gate: OptOutGate,
        keys: DataKeys,
        clock: Clock,
    ) -> None:
        self._pool = pool
        self._orders = TextOrders(pool, clock, _Order, take=_TAKE, put_off=_PUT_OFF)
        self._replies = replies
        self._gate = gate
        self._keys = keys

    async def work(self) -> int:
        """Send every reply that is due; returns how many were tried."""
        return await self._orders.work_off(self._answer)

    async def _answer(self, order: _Order) -> None:
        if self._orders.is_over(order):
            await self._close(order, "refused", detail="it could not be sent in time")
            return
        try:
            await self._known_to_admission(order)
            await fp(FaultPoint.REPLY_BEFORE_ACCEPT)
            outcome = await self._replies.reply(
                TenantScope(tenant_id=order.tenant_id), await self._reply(order)
            )
            await fp(FaultPoint.REPLY_AFTER_ACCEPT)
        except (RedisUnavailable, Unavailable, *DATABASE_FAULTS) as error:
            _log.warning("reply_put_off", inbound_id=str(order.id), error=str(error))
            await self._orders.put_off(order)
            return
        if isinstance(outcome, UUID):
            await self._close(order, "sent", message_id=outcome)
        elif outcome.code in WORTH_WAITING:
            await self._orders.put_off(order)
        else:
            await self._close(order, "refused", detail=f"{outcome.code}: {outcome.detail}")

    async def _known_to_admission(self, order: _Order) -> None:
        """Confirm nothing that does not hold everywhere; adding an opt-out twice changes nothing."""
        if order.kind == "stop":
            for name in order.lists:
                await self._gate.add_opt_out(order.tenant_id, name, order.recipient_hash)

    async def _reply(self, order: _Order) -> AutoReply:
        key = await self._keys.of(order.tenant_id)
        inbound_id = order.id
        promotional = set(order.message_types) == {"promotional"}
        return AutoReply(
            answers=inbound_id,
            kind=order.kind,
            to=key.open(order.from_sealed, context=person_context(inbound_id)).decode(),
            from_=order.sender_value,
            text=key.open(order.text_sealed, context=reply_context(inbound_id)).decode(),
            type="promotional" if promotional else "transactional",
        )

    async def _close(
        self, order: _Order, reply: str, *, detail: str | None = None, message_id: UUID | None = None
    ) -> None:
        metrics.AUTO_REPLIES.labels(order.kind, reply).inc()
        await self._pool.execute(_CLOSE, order.tenant_id, order.id, reply, detail, message_id)
