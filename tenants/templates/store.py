"""Queries on templates and their versions."""

from collections.abc import Sequence
from typing import cast
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.scope import TenantScope
from tenants.templates.authoring import Variant, Wording
from tenants.templates.models import Template, TemplateVersion
from tenants.templates.use_cases import USUAL, MessageType, UseCase
from tenants.templates.variables import Declaration


class ApprovedTemplate(Struct, frozen=True, kw_only=True):
    """A version that may be sent, as caches keep it."""

    template_id: UUID
    name: str
    version: int
    body: str
    type: MessageType
    variables: dict[str, Declaration]
    countries: frozenset[str]
    """Empty for every country of the tenant."""
    use_case: UseCase
    locale: str | None
    dlt_template_id: str | None
    variants: tuple[Variant, ...]


async def get(
    scope: TenantScope, session: AsyncSession, template_id: UUID, *, lock: bool = False
) -> Template | None:
    """Return the tenant's template, or None if it is absent or someone else's."""
    query = select(Template).where(Template.tenant_id == scope.tenant_id, Template.id == template_id)
    return await session.scalar(query.with_for_update() if lock else query)


async def named(scope: TenantScope, session: AsyncSession, name: str) -> Template | None:
    """Return the tenant's template of that name."""
    query = select(Template).where(Template.tenant_id == scope.tenant_id, Template.name == name)
    return await session.scalar(query)


async def page(
    scope: TenantScope, session: AsyncSession, *, limit: int, after: UUID | None = None
) -> Sequence[Template]:
    """Return up to `limit` templates of the tenant, newest first."""
    query = select(Template).where(Template.tenant_id == scope.tenant_id)
    if after is not None:
        query = query.where(Template.id < after)
    return (await session.scalars(query.order_by(Template.id.desc()).limit(limit))).all()


async def versions(
    scope: TenantScope, session: AsyncSession, template_ids: Sequence[UUID]
) -> dict[UUID, list[TemplateVersion]]:
    """Return every version of the tenant's templates as they stand now, oldest first, by template."""
    query = (
        select(TemplateVersion)
        .where(TemplateVersion.tenant_id == scope.tenant_id, TemplateVersion.template_id.in_(template_ids))
        .order_by(TemplateVersion.version)
        .execution_options(populate_existing=True)
    )
    found: dict[UUID, list[TemplateVersion]] = {template_id: [] for template_id in template_ids}
    for row in await session.scalars(query):
        found[row.template_id].append(row)
    return found


async def approved(scope: TenantScope, session: AsyncSession) -> list[ApprovedTemplate]:
    """Return everything the tenant may send now, the highest version of each template first."""
    query = (
        select(Template.name, TemplateVersion)
        .join(
            TemplateVersion,
            (TemplateVersion.tenant_id == Template.tenant_id) & (TemplateVersion.template_id == Template.id),
        )
        .where(Template.tenant_id == scope.tenant_id, TemplateVersion.tenant_id == scope.tenant_id)
        .where(TemplateVersion.state == "approved")
        .order_by(TemplateVersion.template_id, TemplateVersion.version.desc())
    )
    return [_approved(name, version) for name, version in await session.execute(query)]


def wording_of(row: TemplateVersion) -> Wording:
    """Return a stored version as its author wrote it."""
    kind = cast("MessageType", row.type)
    return Wording(
        body=row.body,
        type=kind,
        variables=msgspec.convert(row.variables, dict[str, Declaration]),
        countries=row.countries,
        use_case=USUAL[kind] if row.use_case is None else cast("UseCase", row.use_case),
        locale=row.locale,
        dlt_template_id=row.dlt_template_id,
        variants=msgspec.convert(row.variants, list[Variant]),
    )


def _approved(name: str, row: TemplateVersion) -> ApprovedTemplate:
    wording = wording_of(row)
    return ApprovedTemplate(
        template_id=row.template_id,
        name=name,
        version=row.version,
        body=wording.body,
        type=wording.type,
        variables=wording.variables,
        countries=frozenset(wording.countries),
        use_case=wording.use_case or USUAL[wording.type],
        locale=wording.locale,
        dlt_template_id=wording.dlt_template_id,
        variants=tuple(wording.variants),
    )
