"""Queries on registrations, their versions, history and attachments."""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from tenants.registrations.models import (
    Registration,
    RegistrationAttachment,
    RegistrationMove,
    RegistrationVersion,
)
from tenants.scope import TenantScope

_SENDER_ID: Final = "senderId"
"""Last part of the path of the field that names one."""


async def get(
    scope: TenantScope, session: AsyncSession, registration_id: UUID, *, lock: bool = False
) -> Registration | None:
    """Return the tenant's registration, or None if it is absent or someone else's."""
    query = select(Registration).where(
        Registration.tenant_id == scope.tenant_id, Registration.id == registration_id
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return await session.scalar(query)


async def referred(scope: TenantScope, session: AsyncSession, reference: str) -> Registration | None:
    """Return the tenant's registration that an import made under a reference."""
    query = select(Registration).where(
        Registration.tenant_id == scope.tenant_id, Registration.reference == reference
    )
    return await session.scalar(query)


async def page(
    scope: TenantScope,
    session: AsyncSession,
    *,
    status: str | None = None,
    registration_type: str | None = None,
    limit: int,
    after: UUID | None = None,
) -> Sequence[Registration]:
    """Return up to `limit` registrations of the tenant, newest first."""
    query = select(Registration).where(Registration.tenant_id == scope.tenant_id)
    if status is not None:
        query = query.where(Registration.status == status)
    if registration_type is not None:
        query = query.where(Registration.type == registration_type)
    if after is not None:
        query = query.where(Registration.id < after)
    return (await session.scalars(query.order_by(Registration.id.desc()).limit(limit))).all()


async def statuses_of_each(
    session: AsyncSession, tenant_ids: Collection[UUID]
) -> dict[UUID, list[tuple[str, str]]]:
    """Return type and status of the registrations of tenants that have any, in one query; equal ones once."""
    kinds = select(Registration.tenant_id, Registration.type, Registration.status)
    found: dict[UUID, list[tuple[str, str]]] = {}
    for tenant_id, kind, status in await session.execute(
        kinds.where(Registration.tenant_id.in_(tenant_ids)).distinct()
    ):
        found.setdefault(tenant_id, []).append((kind, status))
    return found


async def versions(
    scope: TenantScope, session: AsyncSession, registration_id: UUID
) -> Sequence[RegistrationVersion]:
    """Return every version of a registration, the oldest first."""
    query = (
        select(RegistrationVersion)
        .where(
            RegistrationVersion.tenant_id == scope.tenant_id,
            RegistrationVersion.registration_id == registration_id,
        )
        .order_by(RegistrationVersion.version)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(query)).all()


async def version(scope: TenantScope, session: AsyncSession, row: Registration) -> RegistrationVersion:
    """Return the registration's current version; there is always one."""
    query = (
        select(RegistrationVersion)
        .where(
            RegistrationVersion.tenant_id == scope.tenant_id,
            RegistrationVersion.registration_id == row.id,
            RegistrationVersion.version == row.version,
        )
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(query)).one()


async def sender_ids_of(scope: TenantScope, session: AsyncSession, row: Registration) -> frozenset[str]:
    """Return, in small letters, the sender ids that a registration names and no complete one of its type."""
    query = (
        select(Registration.id, RegistrationVersion.filled)
        .join(
            RegistrationVersion,
            (RegistrationVersion.tenant_id == Registration.tenant_id)
            & (RegistrationVersion.registration_id == Registration.id),
        )
        .where(Registration.tenant_id == scope.tenant_id, Registration.account_id == row.account_id)
        .where(Registration.type == row.type)
        .where((Registration.id == row.id) | (Registration.status == "complete"))
    )
    own: set[str] = set()
    others: set[str] = set()
    for registration_id, filled in await session.execute(query):
        named = {
            value.casefold()
            for path, value in filled.items()
            if path.rpartition(".")[2] == _SENDER_ID and isinstance(value, str)
        }
        (own if registration_id == row.id else others).update(named)
    return frozenset(own - others)


async def moves(
    scope: TenantScope, session: AsyncSession, registration_id: UUID
) -> Sequence[RegistrationMove]:
    """Return the history of a registration, the oldest move first."""
    query = (
        select(RegistrationMove)
        .where(
            RegistrationMove.tenant_id == scope.tenant_id, RegistrationMove.registration_id == registration_id
        )
        .order_by(RegistrationMove.id)
    )
    return (await session.scalars(query)).all()


async def attachment(
    scope: TenantScope, session: AsyncSession, attachment_id: UUID, *, content: bool = False
) -> RegistrationAttachment | None:
    """Return the tenant's attachment, its bytes only where they are wanted."""
    query = select(RegistrationAttachment).where(
        RegistrationAttachment.tenant_id == scope.tenant_id, RegistrationAttachment.id == attachment_id
    )
    if content:
        query = query.options(undefer(RegistrationAttachment.content))
    return await session.scalar(query)


async def attachments(
    scope: TenantScope, session: AsyncSession, attachment_ids: Collection[UUID]
) -> Sequence[RegistrationAttachment]:
    """Return those of the attachments that are the tenant's, without their bytes."""
    query = select(RegistrationAttachment).where(
        RegistrationAttachment.tenant_id == scope.tenant_id, RegistrationAttachment.id.in_(attachment_ids)
    )
    return (await session.scalars(query)).all()


async def attachment_like(
    scope: TenantScope, session: AsyncSession, sha256: bytes
) -> RegistrationAttachment | None:
    """Return an attachment of the tenant with the same bytes."""
    query = (
        select(RegistrationAttachment)
        .where(RegistrationAttachment.tenant_id == scope.tenant_id, RegistrationAttachment.sha256 == sha256)
        .order_by(RegistrationAttachment.id)
        .limit(1)
    )
    return await session.scalar(query)
