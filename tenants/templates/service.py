"""
What is done with templates: written, edited, submitted, decided on.

A template is locked while its versions change, so two edits at once make two versions and never one.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.audit import store as audit
from tenants.errors import Conflict, InvalidInput, NotFound
from tenants.ids import encode, new_uuid
from tenants.scope import TenantScope
from tenants.templates import authoring, store
from tenants.templates.authoring import VersionState, Wording
from tenants.templates.models import Template, TemplateVersion
from tenants.templates.store import ApprovedTemplate

_MAX_REASON: Final = 1000


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


async def create(scope: TenantScope, session: AsyncSession, *, name: str, wording: Wording) -> TemplateView:
    """
    Add a template whose version 1 is a draft.

    Raises:
        InvalidInput: The name, the body, a declaration or a country breaks a rule.
        Conflict: The tenant has a template of that name.
    """
    checked = authoring.check_wording(wording)
    template = Template(tenant_id=scope.tenant_id, id=new_uuid(), name=authoring.check_name(name))
    await _insert(session, template)
    await _add_version(scope, session, template, 1, checked)
    await _note(scope, session, template.id, "template.created", {"name": name, "version": 1})
    return await get(scope, session, template.id)


async def edit(
    scope: TenantScope, session: AsyncSession, template_id: UUID, wording: Wording
) -> TemplateView:
    """
    Add a version, a draft that needs its own approval; what is approved stays in force until then.

    Raises:
        NotFound: The tenant has no such template.
        InvalidInput: The body, a declaration or a country breaks a rule.
    """
    checked = authoring.check_wording(wording)
    view = await _locked(scope, session, template_id)
    number = view.latest.version + 1
    await _add_version(scope, session, view.template, number, checked)
    await _note(scope, session, template_id, "template.edited", {"version": number})
    return await get(scope, session, template_id)


async def submit(
    scope: TenantScope, session: AsyncSession, template_id: UUID, *, now: datetime
) -> TemplateView:
    """
    Hand the latest version to the operator; handing it over again changes nothing.

    Raises:
        NotFound: The tenant has no such template.
        Conflict: The latest version was decided on already.
    """
    view = await _locked(scope, session, template_id)
    version = view.latest
    if version.state == "submitted":
        return view
    authoring.check_move(version.state, "submitted")
    version.state, version.submitted_at = "submitted", now
    await session.flush()
    await _note(scope, session, template_id, "template.submitted", {"version": version.version})
    return view


async def approve(
    scope: TenantScope,
    session: AsyncSession,
    template_id: UUID,
    *,
    now: datetime,
    version: int | None = None,
    keep_older: bool = False,
) -> TemplateView:
    """
    Allow a submitted version to be sent; the operator's decision, the highest submitted one by default.

    Older approved versions retire in the same transaction unless `keep_older` asks otherwise.

    Raises:
        NotFound: The tenant has no such template or version.
        Conflict: No version waits for a decision.
    """
    view = await _locked(scope, session, template_id)
    chosen = _submitted(view, version, "approved")
    if not keep_older:
        _retire_older(view, chosen, now)
    chosen.state, chosen.decided_at = "approved", now
    await session.flush()
    await _note(scope, session, template_id, "template.approved", {"version": chosen.version})
    return view


async def reject(
    scope: TenantScope,
    session: AsyncSession,
    template_id: UUID,
    *,
    reason: str,
    now: datetime,
    version: int | None = None,
) -> TemplateView:
    """
    Refuse a submitted version and say why; the operator's decision, the highest submitted one by default.

    Raises:
        InvalidInput: The reason is missing or too long.
        NotFound: The tenant has no such template or version.
        Conflict: No version waits for a decision.
    """
    if not reason.strip() or len(reason) > _MAX_REASON:
        detail = f"a reason has 1 to {_MAX_REASON} characters; the author has to know what to change"
        raise InvalidInput("/reason", "invalid_reason", detail)
    view = await _locked(scope, session, template_id)
    chosen = _submitted(view, version, "rejected")
    chosen.state, chosen.decided_at, chosen.rejection_reason = "rejected", now, reason
    await session.flush()
    await _note(scope, session, template_id, "template.rejected", {"version": chosen.version})
    return view


async def get(scope: TenantScope, session: AsyncSession, template_id: UUID) -> TemplateView:
    """
    Return a template with its versions.

    Raises:
        NotFound: The tenant has no such template.
    """
    return await _view(scope, session, await store.get(scope, session, template_id))


async def page(
    scope: TenantScope, session: AsyncSession, *, limit: int, after: UUID | None = None
) -> list[TemplateView]:
    """Return up to `limit` templates with their versions, newest first."""
    templates = await store.page(scope, session, limit=limit, after=after)
    versions = await store.versions(scope, session, [template.id for template in templates])
    return [TemplateView(template=template, versions=versions[template.id]) for template in templates]


async def approved(scope: TenantScope, session: AsyncSession) -> list[ApprovedTemplate]:
    """Return everything the tenant may send now, the highest version of each template first."""
    return await store.approved(scope, session)


async def _insert(session: AsyncSession, template: Template) -> None:
    try:
        async with session.begin_nested():
            session.add(template)
    except IntegrityError as error:
        raise Conflict("name_taken", f"there is a template named {template.name}") from error


async def _add_version(
    scope: TenantScope, session: AsyncSession, template: Template, number: int, wording: Wording
) -> None:
    session.add(
        TemplateVersion(
            tenant_id=scope.tenant_id,
            template_id=template.id,
            version=number,
            state="draft",
            body=wording.body,
            type=wording.type,
            variables=msgspec.to_builtins(wording.variables),
            countries=wording.countries,
        )
    )
    await session.flush()


async def _locked(scope: TenantScope, session: AsyncSession, template_id: UUID) -> TemplateView:
    return await _view(scope, session, await store.get(scope, session, template_id, lock=True))


async def _view(scope: TenantScope, session: AsyncSession, template: Template | None) -> TemplateView:
    if template is None:
        raise NotFound("template")
    versions = await store.versions(scope, session, [template.id])
    return TemplateView(template=template, versions=versions[template.id])


def _submitted(view: TemplateView, version: int | None, wanted: VersionState) -> TemplateVersion:
    if version is None:
        waiting = [row for row in view.versions if row.state == "submitted"]
        if not waiting:
            raise Conflict("template_state", "no version of this template waits for a decision")
        return waiting[-1]
    chosen = next((row for row in view.versions if row.version == version), None)
    if chosen is None:
        raise NotFound("template version")
    authoring.check_move(chosen.state, wanted)
    return chosen


def _retire_older(view: TemplateView, chosen: TemplateVersion, now: datetime) -> None:
    for row in view.versions:
        if row.state == "approved":
            if row.version > chosen.version:
                raise Conflict("newer_version_approved", f"version {row.version} is approved already")
            row.state, row.decided_at = "retired", now


async def _note(
    scope: TenantScope, session: AsyncSession, template_id: UUID, action: str, detail: dict[str, Any]
) -> None:
    await audit.append(scope, session, action=action, subject=encode("tpl", template_id), detail=detail)
