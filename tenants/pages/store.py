"""Queries on public pages; each takes the tenant first."""

from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import delete, func, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.pages.models import FormHit, HostedPages, PageCode
from tenants.scope import TenantScope

_HIT: Final = text(
    """
    INSERT INTO form_hits AS f (tenant_id, bucket, hits, began_at) VALUES (:tenant_id, :bucket, 1, :now)
    ON CONFLICT (tenant_id, bucket) DO UPDATE SET
        hits = CASE WHEN f.began_at <= :since THEN 1 ELSE f.hits + 1 END,
        began_at = CASE WHEN f.began_at <= :since THEN :now ELSE f.began_at END
    RETURNING hits, began_at
    """
)
_FORGOTTEN_AFTER: Final = timedelta(days=1)


class Uses(Struct, frozen=True, kw_only=True):
    """What was counted in a window."""

    hits: int
    began_at: datetime
    """When the window began, which the first use opens."""


async def get(scope: TenantScope, session: AsyncSession) -> HostedPages | None:
    """Return the tenant's settings, or None where it has no pages."""
    return await session.get(HostedPages, scope.tenant_id, populate_existing=True)


async def put(scope: TenantScope, session: AsyncSession, settings: dict[str, Any]) -> None:
    """Write the tenant's settings."""
    row = insert(HostedPages).values(tenant_id=scope.tenant_id, settings=settings)
    changed = {"settings": settings, "updated_at": func.now()}
    await session.execute(row.on_conflict_do_update(index_elements=[HostedPages.tenant_id], set_=changed))


async def hit(
    scope: TenantScope, session: AsyncSession, bucket: bytes, *, window: timedelta, now: datetime
) -> Uses:
    """Count one use and return how many there are in the window; forgets what is a day old."""
    old = (FormHit.tenant_id == scope.tenant_id) & (FormHit.began_at < now - _FORGOTTEN_AFTER)
    await session.execute(delete(FormHit).where(old))
    values = {"tenant_id": scope.tenant_id, "bucket": bucket, "now": now, "since": now - window}
    row = (await session.execute(_HIT, values)).one()
    return Uses(hits=row.hits, began_at=row.began_at)


async def hits(
    scope: TenantScope, session: AsyncSession, bucket: bytes, *, window: timedelta, now: datetime
) -> Uses | None:
    """Return how many uses were counted in the window, and count none; None where it is over."""
    row = await session.get(FormHit, (scope.tenant_id, bucket), populate_existing=True)
    if row is None or row.began_at <= now - window:
        return None
    return Uses(hits=row.hits, began_at=row.began_at)


async def put_code(
    scope: TenantScope,
    session: AsyncSession,
    *,
    recipient_hash: bytes,
    code_hash: bytes,
    digits: int,
    expires_at: datetime,
) -> None:
    """Replace the code of a phone; what was guessed wrongly stays counted."""
    fresh = {"code_hash": code_hash, "digits": digits, "attempts": 0, "expires_at": expires_at}
    row = insert(PageCode).values(tenant_id=scope.tenant_id, recipient_hash=recipient_hash, **fresh)
    keys = [PageCode.tenant_id, PageCode.recipient_hash]
    await session.execute(row.on_conflict_do_update(index_elements=keys, set_=fresh))


async def code(scope: TenantScope, session: AsyncSession, recipient_hash: bytes) -> PageCode | None:
    """Return the code of a phone, locked."""
    return await session.get(
        PageCode, (scope.tenant_id, recipient_hash), with_for_update=True, populate_existing=True
    )
