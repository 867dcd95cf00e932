"""
Texts that ask a phone, on their way: orders of consents become messages, each once.

Like automatic replies they are leased by moving their due time, and the order is the Idempotency-Key, so a
process that dies gives them back and no phone is asked twice.
"""

from typing import Final

import asyncpg
import structlog

from gateway.clock import Clock
from gateway.db.faults import DATABASE_FAULTS
from gateway.errors import Unavailable
from gateway.inbound.answering import Replies
from gateway.inbound.text_orders import WORTH_WAITING, TextOrder, TextOrders
from gateway.intake.outcome import Declined
from gateway.intake.replying import AutoReply
from gateway.lanes.errors import RedisUnavailable
from gateway.messages.keys import DataKeys
from gateway.telemetry import metrics
from tenants.consents.service import ask_context, asked_number
from tenants.scope import TenantScope

_log = structlog.get_logger(__name__)

_TAKE: Final = """
    UPDATE consent_asks a SET due_at = $2, attempts = a.attempts + 1
    FROM (SELECT tenant_id, id FROM consent_asks WHERE due_at <= $1
        ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED) AS due
    WHERE a.tenant_id = due.tenant_id AND a.id = due.id
    RETURNING a.tenant_id, a.id, a.test, a.recipient_hash, a.number_sealed, a.text_sealed, a.attempts,
        a.closes_at
"""
_PUT_OFF: Final = "UPDATE consent_asks SET due_at = $3 WHERE tenant_id = $1 AND id = $2"
_DONE: Final = "DELETE FROM consent_asks WHERE tenant_id = $1 AND id = $2"


class _Order(TextOrder, frozen=True, kw_only=True):
    test: bool
    recipient_hash: bytes
    number_sealed: bytes


class Asking:
    """Works off the orders; any number of processes may."""

    def __init__(
        self, pool: "asyncpg.Pool[asyncpg.Record]", replies: Replies, keys: DataKeys, clock: Clock
    ) -> None:
        self._pool = pool
        self._orders = TextOrders(pool, clock, _Order, take=_TAKE, put_off=_PUT_OFF)
        self._replies = replies
        self._keys = keys

    async def work(self) -> int:
        """Send every text that is due; returns how many were tried."""
        return await self._orders.work_off(self._ask)

    async def _ask(self, order: _Order) -> None:
        if self._orders.is_over(order):
            await self._close(order, "too_late")
            return
        try:
            scope = TenantScope(tenant_id=order.tenant_id, live=not order.test)
            outcome = await self._replies.reply(scope, await self._text(order))
        except (RedisUnavailable, Unavailable, *DATABASE_FAULTS) as error:
            _log.warning("consent_ask_put_off", ask_id=str(order.id), error=str(error))
            await self._orders.put_off(order)
            return
        if isinstance(outcome, Declined) and outcome.code in WORTH_WAITING:
            await self._orders.put_off(order)
        elif isinstance(outcome, Declined):
            _log.info("consent_ask_refused", ask_id=str(order.id), code=outcome.code)
            await self._close(order, "refused")
        else:
            await self._close(order, "sent")

    async def _text(self, order: _Order) -> AutoReply:
        key = await self._keys.of(order.tenant_id)
        return AutoReply(
            answers=order.id,
            kind="consent",
            to=asked_number(order.number_sealed, order.recipient_hash, key),
            from_=None,
            text=key.open(order.text_sealed, context=ask_context(order.id)).decode(),
        )

    async def _close(self, order: _Order, outcome: str) -> None:
        metrics.AUTO_REPLIES.labels("consent", outcome).inc()
        await self._pool.execute(_DONE, order.tenant_id, order.id)
