"""
Tells AWS what tenants said of their messages: PutMessageFeedback, from a table of orders.

Orders are leased by moving their due time, so that a process that dies gives them back by doing nothing;
saying the same twice is harmless. An order is done when AWS took it, will not take it, or does not count it
any more.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import structlog
from botocore.exceptions import BotoCoreError
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.carrier.aws import send_config
from gateway.carrier.aws_errors import classify
from gateway.carrier.pace import Pace
from gateway.carrier.ports import NotSent, Refused
from gateway.carrier.session import AwsSession, session_of
from gateway.clock import Clock
from gateway.db.transaction import worker_transaction
from tenants.senders import store as senders
from tenants.senders.models import AwsAccount

_log = structlog.get_logger(__name__)

PER_SECOND: Final = 20.0
"""AWS's default quota of PutMessageFeedback per account."""
_ANSWER_S: Final = 5.0
_BATCH: Final = 100
_LEASE: Final = timedelta(seconds=60)
"""Longer than a batch takes at that pace with every call running into its timeouts."""
_LONGEST_WAIT_S: Final = 300
_MOST_DOUBLINGS: Final = 9

_TAKE: Final = """
    UPDATE feedback_orders SET due_at = $2, attempts = attempts + 1
    WHERE (tenant_id, message_id) IN (
        SELECT tenant_id, message_id FROM feedback_orders WHERE due_at <= $1
        ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
    RETURNING tenant_id, message_id, account_id, provider_message_id, status, attempts, closes_at
"""
_DONE: Final = "DELETE FROM feedback_orders WHERE tenant_id = $1 AND message_id = $2"
_LATER: Final = "UPDATE feedback_orders SET due_at = $3 WHERE tenant_id = $1 AND message_id = $2"

OpenClient = Callable[[AwsAccount], AbstractAsyncContextManager[Any]]


def client_of(own: AwsSession) -> OpenClient:
    """Return what opens an account for feedback, through its role where it has one."""

    @asynccontextmanager
    async def opened(account: AwsAccount) -> AsyncGenerator[Any]:
        async with session_of(own, account).client(
            "pinpoint-sms-voice-v2",
            region_name=account.region,
            endpoint_url=account.endpoint_url,
            config=send_config(int(PER_SECOND), read_s=_ANSWER_S),
        ) as client:
            yield client

    return opened


class FeedbackCourier:
    """Works off the orders; any number of processes may."""

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        engine: AsyncEngine,
        open_client: OpenClient,
        clock: Clock,
    ) -> None:
        self._pool = pool
        self._engine = engine
        self._open = open_client
        self._clock = clock
        self._paces: defaultdict[UUID, Pace] = defaultdict(lambda: Pace(PER_SECOND))

    async def work(self) -> int:
        """Tell AWS all that is due; returns how many orders were tried."""
        tried = 0
        while orders := await self._take():
            await self._tell_all(orders)
            tried += len(orders)
        return tried

    async def _take(self) -> list[asyncpg.Record]:
        now = self._clock.now()
        return await self._pool.fetch(_TAKE, now, now + _LEASE, _BATCH)

    async def _tell_all(self, orders: Sequence[asyncpg.Record]) -> None:
        async with worker_transaction(self._engine) as session:
            accounts = {each.id: each for each in await senders.accounts(session)}
        by_account: defaultdict[UUID, list[asyncpg.Record]] = defaultdict(list)
        for order in orders:
            by_account[order["account_id"]].append(order)
        async with asyncio.TaskGroup() as group:
            for account_id, theirs in by_account.items():
                group.create_task(self._tell_account(accounts.get(account_id), theirs))

    async def _tell_account(self, account: AwsAccount | None, orders: Sequence[asyncpg.Record]) -> None:
        if account is None:
            for order in orders:
                await self._drop(order, "the account is gone")
            return
        try:
            async with self._open(account) as client, asyncio.TaskGroup() as group:
                for order in orders:
                    group.create_task(self._tell(client, order))
        except BotoCoreError as error:
            _log.warning("feedback_account_not_opened", account=account.name, error=str(error))
            for order in orders:
                await self._not_taken(order, error)

    async def _tell(self, client: Any, order: asyncpg.Record) -> None:
        await self._paces[order["account_id"]].turn("put_message_feedback")
        try:
            await client.put_message_feedback(
                MessageId=order["provider_message_id"], MessageFeedbackStatus=order["status"].upper()
            )
        except Exception as error:  # noqa: BLE001 - every failure is an outcome, the table decides which
            await self._not_taken(order, error)
        else:
            await self._pool.execute(_DONE, order["tenant_id"], order["message_id"])

    async def _not_taken(self, order: asyncpg.Record, error: Exception) -> None:
        """Try again later, unless AWS said no to this one or its hour is over."""
        outcome, now = classify(error), self._clock.now()
        said_no = isinstance(outcome, Refused) or (isinstance(outcome, NotSent) and outcome.fault == "sender")
        if said_no or now >= order["closes_at"]:
            await self._drop(order, str(error))
            return
        wait_s = min(2 ** min(order["attempts"], _MOST_DOUBLINGS), _LONGEST_WAIT_S)
        due_at = now + timedelta(seconds=wait_s)
        await self._pool.execute(_LATER, order["tenant_id"], order["message_id"], due_at)

    async def _drop(self, order: asyncpg.Record, why: str) -> None:
        _log.warning("feedback_not_taken", message_id=str(order["message_id"]), why=why)
        await self._pool.execute(_DONE, order["tenant_id"], order["message_id"])
