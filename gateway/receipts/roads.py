"""Queries on the roads in: an operator's queues and Firehose keys, each of one AWS account."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from msgspec import Struct
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.receipts.access_keys import NewAccessKey
from gateway.receipts.models import FirehoseKey, ReceiptQueue
from tenants.errors import InvalidInput, NotFound
from tenants.ids import new_uuid
from tenants.senders.models import AwsAccount

_LONGEST_URL: Final = 1024
_LOCAL: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_PATH: Final = re.compile(r"/[0-9]{12}/[A-Za-z0-9_-]{1,80}")


def check_queue_url(url: str) -> str:
    """
    Return the URL of a queue as it is kept.

    Raises:
        InvalidInput: It is not `https://host/account/name`; http is for test servers on this machine.
    """
    parts = urlsplit(url) if len(url) <= _LONGEST_URL and url.isascii() and url.isprintable() else None
    try:
        host = None if parts is None or parts.username or parts.query or parts.fragment else parts.hostname
        port_is_good = parts is not None and (parts.port is None or parts.port > 0)
    except ValueError:
        host, port_is_good = None, False
    is_safe = parts is not None and (parts.scheme == "https" or (parts.scheme == "http" and host in _LOCAL))
    if parts is None or not host or not port_is_good or not is_safe or not _PATH.fullmatch(parts.path):
        raise InvalidInput(
            "/url", "invalid_url", "a queue's URL is https://sqs.REGION.amazonaws.com/ACCOUNT/NAME"
        )
    return url


class QueueOfAccount(Struct, frozen=True):
    """A queue and the account whose credentials open it."""

    queue: ReceiptQueue
    account: AwsAccount


async def queues(session: AsyncSession) -> Sequence[QueueOfAccount]:
    """Return every queue, the oldest first."""
    query = select(ReceiptQueue, AwsAccount).join(AwsAccount, AwsAccount.id == ReceiptQueue.account_id)
    return [
        QueueOfAccount(queue, account)
        for queue, account in await session.execute(query.order_by(ReceiptQueue.id))
    ]


async def queue(session: AsyncSession, queue_id: UUID) -> QueueOfAccount:
    """
    Return one queue.

    Raises:
        NotFound: There is none of that id.
    """
    found = [each for each in await queues(session) if each.queue.id == queue_id]
    if not found:
        raise NotFound("receipt queue")
    return found[0]


async def put_queue(session: AsyncSession, account_id: UUID, url: str, *, signed_only: bool) -> ReceiptQueue:
    """
    Add a queue or change the one with that URL.

    Raises:
        NotFound: There is no such account.
    """
    if await session.get(AwsAccount, account_id) is None:
        raise NotFound("AWS account")
    changed = {"account_id": account_id, "signed_only": signed_only}
    statement = (
        insert(ReceiptQueue)
        .values(id=new_uuid(), url=url, **changed)
        .on_conflict_do_update(index_elements=["url"], set_=changed)
        .returning(ReceiptQueue)
    )
    return (await session.scalars(statement, execution_options={"populate_existing": True})).one()


async def remove_queue(session: AsyncSession, queue_id: UUID) -> None:
    """
    Read a queue no longer; what is in it stays there.

    Raises:
        NotFound: There is none of that id.
    """
    removed = delete(ReceiptQueue).where(ReceiptQueue.id == queue_id).returning(ReceiptQueue.id)
    if (await session.scalar(removed)) is None:
        raise NotFound("receipt queue")


async def keys(session: AsyncSession) -> Sequence[FirehoseKey]:
    """Return every key, the oldest first, revoked ones included."""
    return list(await session.scalars(select(FirehoseKey).order_by(FirehoseKey.id)))


async def add_key(session: AsyncSession, account_id: UUID, key: NewAccessKey) -> FirehoseKey:
    """
    Store a new key of an account.

    Raises:
        NotFound: There is no such account.
    """
    if await session.get(AwsAccount, account_id) is None:
        raise NotFound("AWS account")
    row = FirehoseKey(id=key.id, account_id=account_id, secret_hash=key.secret_hash, hint=key.hint)
    session.add(row)
    await session.flush()
    await session.refresh(row)
    return row


async def revoke_key(session: AsyncSession, key_id: UUID, *, now: datetime) -> FirehoseKey:
    """
    Revoke a key; every process refuses it within five seconds. Revoking it again changes nothing.

    Raises:
        NotFound: There is none of that id.
    """
    row = await session.get(FirehoseKey, key_id)
    if row is None:
        raise NotFound("Firehose key")
    if row.revoked_at is None:
        await session.execute(update(FirehoseKey).where(FirehoseKey.id == key_id).values(revoked_at=now))
        await session.refresh(row)
    return row
