"""Cancelling a message that no worker has taken: the queue row is the arbiter."""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from gateway.intake.outcome import Declined
from gateway.messages.change import describe_change
from gateway.messages.models import Message
from gateway.messages.outbox import NewEvent, write_events
from gateway.messages.store import view_of
from gateway.messages.view import MessageView
from tenants.accounts.sealing import DataKey
from tenants.budgets.counting import Return, return_writes
from tenants.compound import execute
from tenants.credits.batch import Movement, ledger_writes
from tenants.credits.counting import Counted, count_writes
from tenants.ids import created_at
from tenants.scope import TenantScope

_LOCK = """
    SELECT * FROM messages
    WHERE tenant_id = $1 AND id = $2 AND created_at = $3 AND test = $4 FOR UPDATE
"""
_TAKE = """
    DELETE FROM dispatch_queue WHERE message_id = $1 AND state IN ('queued', 'scheduled') AND attempt = 0
    RETURNING message_id
"""
"""A message that waits for its resend may have been sent already: its attempt is not 0."""
_CANCEL = """
    UPDATE messages SET status = 'canceled', final_at = $4, price_final = 0, sequence = sequence + 1
    WHERE tenant_id = $1 AND id = $2 AND created_at = $3 RETURNING *
"""


async def cancel_message(
    pool: "asyncpg.Pool[asyncpg.Record]", scope: TenantScope, message_id: UUID, key: DataKey, now: datetime
) -> MessageView | Declined | None:
    """
    Cancel and release the hold, in one transaction; the lane entry in Redis is left to drop by itself.

    Returns None where the message is not the tenant's, Declined where a worker already has it. Cancelling
    a canceled message again answers as the first time.
    """
    owned = (scope.tenant_id, message_id, created_at(message_id))
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(_LOCK, *owned, not scope.live)
        if row is None:
            return None
        if row["status"] == "canceled":
            return view_of(_message(row), key)
        if await connection.fetchval(_TAKE, message_id) is None:
            return Declined(
                code="message_not_cancelable",
                detail=f"the message is {row['status']}; only scheduled and queued ones can be canceled",
            )
        row = await connection.fetchrow(_CANCEL, *owned, now)
        assert row is not None  # noqa: S101 - it is locked above
        await _release(connection, row)
        await write_events(connection, [_canceled(row)])
    return view_of(_message(row), key)


async def _release(connection: Any, row: asyncpg.Record) -> None:
    if row["test"]:
        return
    release = Movement(
        tenant_id=row["tenant_id"],
        subject_id=row["id"],
        subject_at=row["created_at"],
        kind="release",
        unit=row["unit"],
        available=row["price_estimated"],
        held=-row["price_estimated"],
    )
    place = {"tenant_id": row["tenant_id"], "message_id": row["id"]}
    counted = Counted(**place, message_at=row["created_at"], first=True)
    back = Return(**place, created_at=row["created_at"], sign=-1)
    writes = [
        *ledger_writes([release], also_lock=[row["tenant_id"]]),
        *count_writes([counted]),
        *return_writes([back], after_balances=True),
    ]
    await execute(connection, writes)


def _canceled(row: asyncpg.Record) -> NewEvent:
    return NewEvent(
        tenant_id=row["tenant_id"],
        type="message.canceled",
        message_id=row["id"],
        sequence=row["sequence"],
        data=describe_change(
            status="canceled",
            attempts=row["attempts"],
            unit=row["unit"],
            price_estimated=row["price_estimated"],
            price_final=0,
            final_at=row["final_at"],
        ),
    )


def _message(row: asyncpg.Record) -> Message:
    return Message(**dict(row))
