"""
Attachments as they lie in the database: sealed with their tenant's key, each for its own row.

They show tax numbers, signed letters and people's names; a copy of the database alone shows none of it.
"""

from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from tenants.accounts.sealing import DataKey
from tenants.registrations.attached_files import CleanFile
from tenants.registrations.models import RegistrationAttachment

_BATCH: Final = 20
"""Of up to 500 KB each."""

KeyOf = Callable[[UUID], Awaitable[DataKey]]
"""Finds a tenant's key."""


def sealed(file: CleanFile, attachment_id: UUID, key: DataKey) -> bytes:
    """Return a file's bytes as they are kept under an id."""
    return key.seal(file.content, context=content_context(attachment_id))


def opened(row: RegistrationAttachment, key: DataKey) -> bytes:
    """
    Return an attachment's bytes, which have to be loaded.

    Raises:
        SealBroken: They were changed, or stand in a row that is not theirs.
    """
    return key.open(row.content, context=content_context(row.id)) if row.sealed else row.content


async def seal_plain(session: AsyncSession, key_of: KeyOf) -> int:
    """Seal some of what was kept before attachments were sealed; returns how many."""
    plain = (
        select(RegistrationAttachment)
        .where(~RegistrationAttachment.sealed)
        .order_by(RegistrationAttachment.tenant_id, RegistrationAttachment.id)
        .limit(_BATCH)
        .options(undefer(RegistrationAttachment.content))
        .with_for_update(skip_locked=True)
    )
    rows = (await session.scalars(plain)).all()
    for row in rows:
        key = await key_of(row.tenant_id)
        row.content, row.sealed = key.seal(row.content, context=content_context(row.id)), True
    await session.flush()
    return len(rows)


def content_context(attachment_id: UUID) -> bytes:
    """Return what binds a sealed file to its id."""
    return b"registration-attachment:" + attachment_id.bytes
