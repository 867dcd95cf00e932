"""Attachments that were kept before attachments were sealed."""

from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.db.transaction import worker_transaction
from tenants.registrations.sealed_files import KeyOf, seal_plain


async def seal_attachments(engine: AsyncEngine, key_of: KeyOf) -> int:
    """Seal all of them, a few at a time; returns how many."""
    sealed = 0
    while True:
        async with worker_transaction(engine) as session:
            some = await seal_plain(session, key_of)
        sealed += some
        if not some:
            return sealed
