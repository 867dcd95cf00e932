"""What AWS's copies are made from, over all tenants; for the reconciler, which is the operator's."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy import delete, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts.models import Tenant
from tenants.protection.models import (
    AccountProtectConfiguration,
    ProtectAssociation,
    ProtectConfiguration,
    ProtectLink,
    ProtectOverride,
)
from tenants.senders.models import AwsAccount, ConfigurationSet, Sender

RESEEN_AFTER_S: Final = 3600
"""A copy that is up to date is compared with AWS's own so often."""


class OfTenant(Struct, frozen=True, kw_only=True):
    """A tenant's configuration with what else its copy depends on."""

    row: ProtectConfiguration
    tenant: Tenant


class SetOf(Struct, frozen=True, kw_only=True):
    """A tenant's configuration set at AWS and the configuration that shall hold for it."""

    name: str
    configuration_id: UUID


async def of_operator(session: AsyncSession) -> Sequence[AccountProtectConfiguration]:
    """Return the operator's own, the default first."""
    query = select(AccountProtectConfiguration).order_by(
        AccountProtectConfiguration.is_default.desc(), AccountProtectConfiguration.id
    )
    return (await session.scalars(query)).all()


async def of_tenants(session: AsyncSession, account: AwsAccount) -> list[OfTenant]:
    """Return the configurations of tenants that send from an account: defaults first, then by age."""
    sends = exists().where(
        Sender.tenant_id == Tenant.id, Sender.account_id == account.id, Sender.state != "released"
    )
    query = (
        select(ProtectConfiguration, Tenant)
        .join(Tenant, Tenant.id == ProtectConfiguration.tenant_id)
        .where(Tenant.state != "closed", sends)
        .order_by(ProtectConfiguration.is_default.desc(), ProtectConfiguration.id)
    )
    return [OfTenant(row=row[0], tenant=row[1]) for row in (await session.execute(query)).all()]


async def sets_of(session: AsyncSession, account: AwsAccount) -> list[SetOf]:
    """Return the tenants' configuration sets in an account that have a configuration to hold for them."""
    named = (ProtectAssociation.tenant_id == ConfigurationSet.tenant_id) & (
        ProtectAssociation.account_id == ConfigurationSet.account_id
    )
    default = (ProtectConfiguration.tenant_id == ConfigurationSet.tenant_id) & ProtectConfiguration.is_default
    query = (
        select(ConfigurationSet.name, ProtectAssociation.configuration_id, ProtectConfiguration.id)
        .outerjoin(ProtectAssociation, named)
        .outerjoin(ProtectConfiguration, default)
        .where(ConfigurationSet.account_id == account.id)
        .order_by(ConfigurationSet.name)
    )
    return [
        SetOf(name=name, configuration_id=associated or of_tenant)
        for name, associated, of_tenant in (await session.execute(query)).all()
        if associated or of_tenant
    ]


async def overrides_of(
    session: AsyncSession, configuration_id: UUID, now: datetime
) -> Sequence[ProtectOverride]:
    """Return the overrides of one configuration that hold; 10,000 at most."""
    unexpired = ProtectOverride.expires_at.is_(None) | (ProtectOverride.expires_at > now)
    query = select(ProtectOverride).where(ProtectOverride.configuration_id == configuration_id, unexpired)
    return (await session.scalars(query)).all()


async def links(session: AsyncSession, account_id: UUID) -> dict[UUID, ProtectLink]:
    """Return the copies in an account, by configuration."""
    query = select(ProtectLink).where(ProtectLink.account_id == account_id)
    return {row.configuration_id: row for row in await session.scalars(query)}


async def put_link(session: AsyncSession, link: ProtectLink) -> None:
    """Write down how a copy stands."""
    values = {
        "aws_id": link.aws_id,
        "state": link.state,
        "synced_version": link.synced_version or 0,
        "drift": link.drift or [],
        "fault": link.fault,
        "checked_at": link.checked_at,
    }
    statement = insert(ProtectLink).values(
        configuration_id=link.configuration_id, account_id=link.account_id, **values
    )
    await session.execute(
        statement.on_conflict_do_update(index_elements=["configuration_id", "account_id"], set_=values)
    )


async def drop_link(session: AsyncSession, link: ProtectLink) -> None:
    """Forget a copy that AWS no longer has."""
    await session.execute(
        delete(ProtectLink).where(
            ProtectLink.configuration_id == link.configuration_id, ProtectLink.account_id == link.account_id
        )
    )
