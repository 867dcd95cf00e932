"""Queries on a tenant's protect configurations and overrides."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.protection.models import (
    ProtectAssociation,
    ProtectConfiguration,
    ProtectFinding,
    ProtectOverride,
)
from tenants.scope import TenantScope

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('protect:' || :tenant, 0))")


async def lock(scope: TenantScope, session: AsyncSession) -> None:
    """Let one transaction at a time change a tenant's protection: limits and the default are counted."""
    await session.execute(_LOCK, {"tenant": str(scope.tenant_id)})


async def configurations(scope: TenantScope, session: AsyncSession) -> Sequence[ProtectConfiguration]:
    """Return the tenant's configurations, oldest first."""
    query = select(ProtectConfiguration).where(ProtectConfiguration.tenant_id == scope.tenant_id)
    return (await session.scalars(query.order_by(ProtectConfiguration.id))).all()


async def configuration(
    scope: TenantScope, session: AsyncSession, configuration_id: UUID
) -> ProtectConfiguration | None:
    """Return one of the tenant's configurations."""
    return await session.scalar(
        select(ProtectConfiguration).where(
            ProtectConfiguration.tenant_id == scope.tenant_id, ProtectConfiguration.id == configuration_id
        )
    )


async def associations(scope: TenantScope, session: AsyncSession) -> dict[UUID, UUID]:
    """Return the configuration of each of the tenant's configuration sets, by AWS account."""
    query = select(ProtectAssociation).where(ProtectAssociation.tenant_id == scope.tenant_id)
    return {row.account_id: row.configuration_id for row in await session.scalars(query)}


async def associate(
    scope: TenantScope, session: AsyncSession, account_id: UUID, configuration_id: UUID | None
) -> None:
    """Name the configuration of the tenant's set in an account; None for none."""
    if configuration_id is None:
        await session.execute(
            delete(ProtectAssociation).where(
                ProtectAssociation.tenant_id == scope.tenant_id, ProtectAssociation.account_id == account_id
            )
        )
        return
    statement = insert(ProtectAssociation).values(
        tenant_id=scope.tenant_id, account_id=account_id, configuration_id=configuration_id
    )
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "account_id"], set_={"configuration_id": configuration_id}
        )
    )


async def touch(scope: TenantScope, session: AsyncSession, configuration_id: UUID) -> None:
    """Raise a configuration's version, so that AWS is told of what changed below it."""
    await session.execute(
        update(ProtectConfiguration)
        .where(ProtectConfiguration.tenant_id == scope.tenant_id, ProtectConfiguration.id == configuration_id)
        .values(version=ProtectConfiguration.version + 1)
        .execution_options(synchronize_session=False)
    )


async def count_overrides(scope: TenantScope, session: AsyncSession, now: datetime) -> int:
    """Return how many overrides of the tenant have not expired."""
    query = select(func.count()).where(ProtectOverride.tenant_id == scope.tenant_id, _unexpired(now))
    return await session.scalar(query) or 0


async def override(
    scope: TenantScope, session: AsyncSession, configuration_id: UUID, recipient_hash: bytes
) -> ProtectOverride | None:
    """Return what a configuration says of a recipient, expired or not."""
    return await session.scalar(
        select(ProtectOverride).where(
            ProtectOverride.tenant_id == scope.tenant_id,
            ProtectOverride.configuration_id == configuration_id,
            ProtectOverride.recipient_hash == recipient_hash,
        )
    )


async def put_override(
    scope: TenantScope, session: AsyncSession, values: dict[str, Any], now: datetime
) -> ProtectOverride:
    """Insert an override or replace what it said."""
    statement = insert(ProtectOverride).values(
        tenant_id=scope.tenant_id, created_at=now, updated_at=now, **values
    )
    changed = {name: statement.excluded[name] for name in ("action", "expires_at", "updated_at")}
    return (
        await session.scalars(
            statement.on_conflict_do_update(
                index_elements=["tenant_id", "configuration_id", "recipient_hash"], set_=changed
            ).returning(ProtectOverride),
            execution_options={"populate_existing": True},
        )
    ).one()


async def overrides(
    scope: TenantScope,
    session: AsyncSession,
    *,
    now: datetime,
    limit: int,
    configuration_id: UUID | None = None,
    after: tuple[UUID, bytes] | None = None,
) -> Sequence[ProtectOverride]:
    """Return up to `limit` overrides that hold, of one configuration or all, in the primary key's order."""
    query = select(ProtectOverride).where(ProtectOverride.tenant_id == scope.tenant_id, _unexpired(now))
    if configuration_id is not None:
        query = query.where(ProtectOverride.configuration_id == configuration_id)
    if after is not None:
        query = query.where(
            func.row(ProtectOverride.configuration_id, ProtectOverride.recipient_hash) > func.row(*after)
        )
    ordered = query.order_by(ProtectOverride.configuration_id, ProtectOverride.recipient_hash)
    return (await session.scalars(ordered.limit(limit))).all()


async def mark_finding(
    scope: TenantScope, session: AsyncSession, message_id: UUID, *, false_positive: bool
) -> bool:
    """Note what the tenant says of what AWS found; False if AWS found nothing about the message."""
    statement = (
        update(ProtectFinding)
        .where(ProtectFinding.tenant_id == scope.tenant_id, ProtectFinding.message_id == message_id)
        .values(false_positive=false_positive)
        .returning(ProtectFinding.kind)
    )
    return (await session.execute(statement)).first() is not None


def _unexpired(now: datetime) -> Any:
    return (ProtectOverride.expires_at.is_(None)) | (ProtectOverride.expires_at > now)
