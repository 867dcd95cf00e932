"""A template with all its versions, locked while one of them moves."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.audit import store as audit
from tenants.errors import NotFound
from tenants.ids import encode
from tenants.scope import TenantScope
from tenants.templates import store
from tenants.templates.authoring import VersionState
from tenants.templates.models import Template, TemplateVersion

Decider = Literal["operator", "linter", "tenant"]


class TemplateView(Struct, frozen=True, kw_only=True):
    """A template and all its versions, oldest first; there is always one."""

    template: Template
    versions: Sequence[TemplateVersion]

    @property
    def latest(self) -> TemplateVersion:
        """The version that was written last."""
        return self.versions[-1]

    @property
    def in_force(self) -> TemplateVersion | None:
        """The version that a send gets which names none."""
        return next((version for version in reversed(self.versions) if version.state == "approved"), None)


async def locked(scope: TenantScope, session: AsyncSession, template_id: UUID) -> TemplateView:
    """
    Return a template whose versions nobody else changes until the transaction ends.

    Raises:
        NotFound: The tenant has no such template.
    """
    return await view_of(scope, session, await store.get(scope, session, template_id, lock=True))


async def view_of(scope: TenantScope, session: AsyncSession, template: Template | None) -> TemplateView:
    """
    Return a template with its versions.

    Raises:
        NotFound: There is none.
    """
    if template is None:
        raise NotFound("template")
    versions = await store.versions(scope, session, [template.id])
    return TemplateView(template=template, versions=versions[template.id])


def numbered(view: TemplateView, version: int) -> TemplateVersion:
    """
    Return one version of a template.

    Raises:
        NotFound: There is none of that number.
    """
    chosen = next((row for row in view.versions if row.version == version), None)
    if chosen is None:
        raise NotFound("template version")
    return chosen


async def move(
    scope: TenantScope,
    session: AsyncSession,
    view: TemplateView,
    version: TemplateVersion,
    state: VersionState,
    *,
    by: Decider,
    now: datetime,
) -> None:
    """Put a version into a state, for which the caller has checked that it may get there, and say who did."""
    restored = version.state == "retired" and state == "approved"
    version.state, version.decided_at, version.decided_by = state, now, by
    await session.flush()
    action = "template.restored" if restored else f"template.{state}"
    await note(scope, session, view.template.id, action, {"version": version.version, "by": by})


async def note(
    scope: TenantScope, session: AsyncSession, template_id: UUID, action: str, detail: dict[str, Any]
) -> None:
    """Write what was done with a template into the audit trail."""
    await audit.append(scope, session, action=action, subject=encode("tpl", template_id), detail=detail)
