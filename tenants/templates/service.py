"""
What an author does with templates: writes, edits, looks at and submits them. See `decisions` for the rest.

A template is locked while its versions change, so two edits at once make two versions and never one.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts import service as accounts
from tenants.accounts.models import Tenant
from tenants.errors import Conflict, InvalidInput, InvalidInputs
from tenants.ids import new_uuid
from tenants.scope import TenantScope
from tenants.templates import authoring, compliance, store
from tenants.templates.authoring import Wording
from tenants.templates.changes import WordingChanges, changes
from tenants.templates.compliance import Audience
from tenants.templates.findings import Finding
from tenants.templates.models import Template, TemplateVersion
from tenants.templates.store import ApprovedTemplate
from tenants.templates.versions import TemplateView, locked, move, note, numbered, view_of


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
    await note(scope, session, template.id, "template.created", {"name": name, "version": 1})
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
    view = await locked(scope, session, template_id)
    number = view.latest.version + 1
    await _add_version(scope, session, view.template, number, checked)
    await note(scope, session, template_id, "template.edited", {"version": number})
    return await get(scope, session, template_id)


async def submit(
    scope: TenantScope, session: AsyncSession, template_id: UUID, *, now: datetime
) -> TemplateView:
    """
    Hand the latest version in: to the linter, then to the operator unless the plan lets the linter decide.

    Handing it in again changes nothing. Approved by the linter, it stands beside older approved versions.

    Raises:
        NotFound: The tenant has no such template.
        Conflict: The latest version was decided on already, or the tenant is closed.
        InvalidInputs: The linter found errors; the version stays a draft.
    """
    view = await locked(scope, session, template_id)
    version = view.latest
    if version.state == "submitted":
        return view
    authoring.check_move(version.state, "submitted")
    await accounts.check_open(scope, session)
    tenant = await accounts.get(scope, session)
    findings = compliance.lint(store.wording_of(version), _audience(tenant))
    _refuse_errors(findings)
    version.findings = msgspec.to_builtins(findings)
    version.state, version.submitted_at = "submitted", now
    await session.flush()
    await note(scope, session, template_id, "template.submitted", {"version": version.version})
    if accounts.plan_of(tenant).auto_approve_templates and not compliance.needs_a_person(findings):
        await move(scope, session, view, version, "approved", by="linter", now=now)
    return view


async def get(scope: TenantScope, session: AsyncSession, template_id: UUID) -> TemplateView:
    """
    Return a template with its versions.

    Raises:
        NotFound: The tenant has no such template.
    """
    return await view_of(scope, session, await store.get(scope, session, template_id))


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
            dlt_template_id=wording.dlt_template_id,
            variants=msgspec.to_builtins(wording.variants),
            findings=msgspec.to_builtins(findings),
        )
    )
    await session.flush()
