"""Automatic replies on their way: an order that cannot be carried out is its own affair."""

from uuid import uuid4

import pytest

from gateway.clock import SystemClock
from gateway.inbound.answering import Answering
from gateway.messages.inbound import person_context, reply_context
from gateway.messages.keys import DataKeys
from tenants.ids import new_uuid
from tests.harness.tenants import SECRET_KEY, enrol

BROKEN = 4


class Replies:
    """Accepts every reply."""

    def __init__(self) -> None:
        self.texts = []

    async def reply(self, _, reply):
        """Remember what is said."""
        self.texts.append(reply.text)
        return new_uuid()


class Gate:
    """Takes every opt-out."""

    async def add_opt_out(self, *_):
        """As admission would."""


@pytest.fixture
async def ordered(worker_engine, worker_pool):
    """A function that orders a reply of a tenant of its own; sealed so that nobody can open it, if broken."""
    await worker_pool.execute("DELETE FROM inbound_replies")

    async def make(text, *, broken=False):
        scope, sender, inbound = await enrol(worker_engine), new_uuid(), new_uuid()
        key = await DataKeys(worker_pool, SECRET_KEY).of(scope.tenant_id)
        account = await worker_pool.fetchval(
            "INSERT INTO aws_accounts (id, name, region, sends_per_second)"
            " VALUES ($1, $2, 'us-east-1', 1) RETURNING id",
            new_uuid(),
            uuid4().hex,
        )
        await worker_pool.execute(
            "INSERT INTO senders (tenant_id, id, account_id, type, value, country, arn, parts_per_second,"
            " state, message_types)"
            " VALUES ($1, $2, $3, 'LONG_CODE', '+12065550100', 'US', $4, 1, 'active', '{}')",
            scope.tenant_id,
            sender,
            account,
            f"arn:{uuid4()}",
        )
        await worker_pool.execute(
            "INSERT INTO inbound_messages (tenant_id, id, created_at, provider_message_id, sender_id,"
            " sender_value, recipient_hash, from_sealed, reply)"
            " VALUES ($1, $2, now(), $3, $4, '+12065550100', $5, $6, 'due')",
            scope.tenant_id,
            inbound,
            uuid4().hex,
            sender,
            key.recipient_hash("+12065550199"),
            key.seal(b"+12065550199", context=person_context(inbound)),
        )
        context = b"another row's" if broken else reply_context(inbound)
        await worker_pool.execute(
            "INSERT INTO inbound_replies (tenant_id, inbound_id, kind, text_sealed, due_at, closes_at)"
            " VALUES ($1, $2, 'stop', $3, now() - interval '1 s', now() + interval '15 min')",
            scope.tenant_id,
            inbound,
            key.seal(text.encode(), context=context),
        )

    return make


async def test_orders_that_cannot_be_carried_out_hold_up_no_other_tenants(ordered, worker_pool):
    """A lease later they would stand before the same ones again, until it is too late for all."""
    for _ in range(BROKEN):
        await ordered("Nobody reads this", broken=True)
    await ordered("You are unsubscribed")
    replies = Replies()
    answering = Answering(worker_pool, replies, Gate(), DataKeys(worker_pool, SECRET_KEY), SystemClock())
    assert await answering.work() == BROKEN + 1
    assert replies.texts == ["You are unsubscribed"]
    left = await worker_pool.fetch("SELECT due_at > now() AS later FROM inbound_replies")
    assert [row["later"] for row in left] == [True] * BROKEN
