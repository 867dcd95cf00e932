"""Queries on API keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.access.credential import StoredKey
from tenants.access.models import ApiKey
from tenants.scope import TenantScope


async def get(
    scope: TenantScope, session: AsyncSession, key_id: UUID, *, lock: bool = False
) -> ApiKey | None:
    """Return the tenant's key, or None if it is absent or someone else's."""
    query = select(ApiKey).where(ApiKey.tenant_id == scope.tenant_id, ApiKey.id == key_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return await session.scalar(query)


async def page(
    scope: TenantScope, session: AsyncSession, *, limit: int, after: UUID | None = None
) -> Sequence[ApiKey]:
    """Return up to `limit` keys of the tenant, newest first, revoked ones included."""
    query = select(ApiKey).where(ApiKey.tenant_id == scope.tenant_id)
    if after is not None:
        query = query.where(ApiKey.id < after)
    return (await session.scalars(query.order_by(ApiKey.id.desc()).limit(limit))).all()


async def revoke_all(scope: TenantScope, session: AsyncSession, *, now: datetime) -> None:
    """End the tenant's keys that have not ended yet."""
    live = ApiKey.revoked_at.is_(None)
    await session.execute(
        update(ApiKey).where(ApiKey.tenant_id == scope.tenant_id, live).values(revoked_at=now)
    )


async def stored_key(session: AsyncSession, key_id: UUID) -> StoredKey | None:
    """
    Return what authentication needs of a key.

    The one read that has no scope yet, since it is what makes one; needs a worker's session.
    """
    row = await session.scalar(select(ApiKey).where(ApiKey.id == key_id))
    return None if row is None else _stored(row)


def _stored(row: ApiKey) -> StoredKey:
    known: dict[str, Any] = {name: getattr(row, name) for name in StoredKey.__struct_fields__}
    return msgspec.convert(known, StoredKey)
