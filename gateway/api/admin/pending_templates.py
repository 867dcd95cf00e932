"""Queries across tenants on templates that wait for the operator; they need a worker's session."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts.models import Tenant
from tenants.scope import TenantScope
from tenants.templates.models import Template, TemplateVersion


async def owner(session: AsyncSession, template_id: UUID) -> TenantScope | None:
    """Return the scope of the tenant that wrote a template, or None if there is no such template."""
    tenant_id = await session.scalar(select(Template.tenant_id).where(Template.id == template_id))
    return None if tenant_id is None else TenantScope(tenant_id=tenant_id)


async def page(
    session: AsyncSession, state: str, *, limit: int, after: tuple[UUID, int] | None
) -> Sequence[tuple[Template, TemplateVersion, Tenant]]:
    """
    Return up to `limit` versions in a state with their tenants, the oldest template first.

    `after` is template and version of the last row of the page before.
    """
    place = tuple_(TemplateVersion.template_id, TemplateVersion.version)
    query = (
        select(Template, TemplateVersion, Tenant)
        .join(
            TemplateVersion,
            (TemplateVersion.tenant_id == Template.tenant_id) & (TemplateVersion.template_id == Template.id),
        )
        .join(Tenant, Tenant.id == Template.tenant_id)
        .where(TemplateVersion.state == state)
        .order_by(TemplateVersion.template_id, TemplateVersion.version)
        .limit(limit)
    )
    if after is not None:
        query = query.where(place > after)
    return [(template, version, tenant) for template, version, tenant in await session.execute(query)]
