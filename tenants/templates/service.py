"""
What is done with templates: written, edited, submitted, decided on, retired and restored.

A template is locked while its versions change, so two edits at once make two versions and never one.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts import service as accounts
from tenants.accounts.models import Tenant
from tenants.audit import store as audit
from tenants.errors import Conflict, InvalidInput, InvalidInputs, NotFound
from tenants.ids import encode, new_uuid
from tenants.scope import TenantScope
from tenants.templates import authoring, compliance, store
from tenants.templates.authoring import VersionState, Wording
from tenants.templates.changes import WordingChanges, changes
from tenants.templates.compliance import Audience
from tenants.templates.findings import Finding
from tenants.templates.models import Template, TemplateVersion
from tenants.templates.store import ApprovedTemplate

_MAX_REASON: Final = 1000
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
    Hand the latest version in: to the linter, then to the operator unless the plan lets the linter decide.

    Handing it in again changes nothing. Approved by the linter, it stands beside older approved versions.

    Raises:
        NotFound: The tenant has no such template.
        Conflict: The latest version was decided on already.
        InvalidInputs: The linter found errors; the version stays a draft.
    """
    view = await _locked(scope, session, template_id)
    version = view.latest
    if version.state == "submitted":
        return view
    authoring.check_move(version.state, "submitted")
    tenant = await accounts.get(scope, session)
    findings = compliance.lint(store.wording_of(version), _audience(tenant))
    _refuse_errors(findings)
    version.findings = msgspec.to_builtins(findings)
    version.state, version.submitted_at = "submitted", now
    await session.flush()
    await _note(scope, session, template_id, "template.submitted", {"version": version.version})
    if accounts.plan_of(tenant).auto_approve_templates and not compliance.needs_a_person(findings):
        await _decide(scope, session, view, version, "approved", by="linter", now=now)
    return view


async def approve(
    scope: TenantScope,
    session: AsyncSession,
    template_id: UUID,
    *,
    now: datetime,
    version: int | None = None,
    keep_older: bool = True,
) -> TemplateView:
    """
    Allow a submitted version to be sent; the operator's decision, the highest submitted one by default.

    Older approved versions stay sendable by number until they are retired; without `keep_older` at once.

    Raises:
        NotFound: The tenant has no such template or version.
        Conflict: No version waits for a decision.
    """
    view = await _locked(scope, session, template_id)
    chosen = _submitted(view, version, "approved")
    _refuse_superseded(view, chosen)
    if not keep_older:
        _retire_older(view, now)
    await _decide(scope, session, view, chosen, "approved", by="operator", now=now)
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
    chosen.rejection_reason = reason
    await _decide(scope, session, view, chosen, "rejected", by="operator", now=now)
    return view


async def retire(
    scope: TenantScope, session: AsyncSession, template_id: UUID, version: int, *, by: Decider, now: datetime
) -> TemplateView:
    """
    Stop an approved version from being sent; what was accepted before is still delivered.

    Raises:
        NotFound: The tenant has no such template or version.
        Conflict: The version is not approved.
    """
    view = await _locked(scope, session, template_id)
    chosen = numbered(view, version)
    authoring.check_move(chosen.state, "retired")
    await _decide(scope, session, view, chosen, "retired", by=by, now=now)
    return view


async def restore(
    scope: TenantScope, session: AsyncSession, template_id: UUID, version: int, *, by: Decider, now: datetime
) -> TemplateView:
    """
    Make a retired version sendable again, as it was approved; a tenant only what it retired itself.

    Raises:
        NotFound: The tenant has no such template or version.
        Conflict: The version is not retired, or the operator retired it.
    """
    view = await _locked(scope, session, template_id)
    chosen = numbered(view, version)
    if chosen.state != "retired":
        detail = f"a version that is {chosen.state} cannot be restored; only a retired one can"
        raise Conflict("template_state", detail)
    if by == "tenant" and chosen.decided_by != "tenant":
        detail = "the operator's decision retired this version; write it again and submit it"
        raise Conflict("template_state", detail)
    await _decide(scope, session, view, chosen, "approved", by=by, now=now)
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


def changes_since(view: TemplateView, version: int, since: int) -> WordingChanges:
    """
    Return what a version changed against another one.

    Raises:
        NotFound: The template has no such version.
    """
    before, after = (store.wording_of(numbered(view, number)) for number in (since, version))
    return changes(before, after)


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


async def brand_of(scope: TenantScope, session: AsyncSession) -> str:
    """Return the name that the tenant's templates say first."""
    return _audience(await accounts.get(scope, session)).brands[0]


def _audience(tenant: Tenant) -> Audience:
    return Audience(
        brands=tuple(accounts.plan_of(tenant).brands) or (tenant.name,), countries=frozenset(tenant.countries)
    )


def _refuse_errors(findings: Sequence[Finding]) -> None:
    errors = [each for each in findings if each.severity == "error"]
    if errors:
        raise InvalidInputs(
            "template_not_compliant",
            f"{errors[0].detail}: {errors[0].fix}",
            tuple(InvalidInput(_place(each), each.code, f"{each.detail}: {each.fix}") for each in errors),
        )


def _place(finding: Finding) -> str:
    if finding.code == "promotion_forbidden":
        return "/countries"
    return "/body" if finding.locale is None else f"/variants/{finding.locale}"


async def _decide(
    scope: TenantScope,
    session: AsyncSession,
    view: TemplateView,
    version: TemplateVersion,
    state: VersionState,
    *,
    by: Decider,
    now: datetime,
) -> None:
    restored = version.state == "retired" and state == "approved"
    version.state, version.decided_at, version.decided_by = state, now, by
    await session.flush()
    action = "template.restored" if restored else f"template.{state}"
    await _note(scope, session, view.template.id, action, {"version": version.version, "by": by})


async def _insert(session: AsyncSession, template: Template) -> None:
    try:
        async with session.begin_nested():
            session.add(template)
    except IntegrityError as error:
        raise Conflict("name_taken", f"there is a template named {template.name}") from error


async def _add_version(
    scope: TenantScope, session: AsyncSession, template: Template, number: int, wording: Wording
) -> None:
    findings = compliance.lint(wording, _audience(await accounts.get(scope, session)))
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
            use_case=wording.use_case,
            locale=wording.locale,
            variants=msgspec.to_builtins(wording.variants),
            findings=msgspec.to_builtins(findings),
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
    chosen = numbered(view, version)
    authoring.check_move(chosen.state, wanted)
    return chosen


def _refuse_superseded(view: TemplateView, chosen: TemplateVersion) -> None:
    in_force = view.in_force
    if in_force is not None and in_force.version > chosen.version:
        raise Conflict("newer_version_approved", f"version {in_force.version} is approved already")


def _retire_older(view: TemplateView, now: datetime) -> None:
    for row in view.versions:
        if row.state == "approved":
            row.state, row.decided_at, row.decided_by = "retired", now, "operator"


async def _note(
    scope: TenantScope, session: AsyncSession, template_id: UUID, action: str, detail: dict[str, Any]
) -> None:
    await audit.append(scope, session, action=action, subject=encode("tpl", template_id), detail=detail)
