"""Queries of files; the scope comes first and proves the tenant."""

from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.media.models import MediaFile
from tenants.scope import TenantScope


async def get(scope: TenantScope, session: AsyncSession, media_id: UUID) -> MediaFile | None:
    """Return the tenant's file, or None if it is absent, someone else's or of the other mode."""
    owned = (MediaFile.tenant_id == scope.tenant_id, MediaFile.id == media_id)
    return await session.scalar(select(MediaFile).where(*owned, MediaFile.test == (not scope.live)))


async def forget_expired(session: AsyncSession) -> None:
    """Delete the rows of files that S3's own lifecycle has deleted; needs a worker's session."""
    await session.execute(delete(MediaFile).where(MediaFile.expires_at < func.now()))
