"""`/v1/templates`: write, edit, submit."""

from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, id_cursor, page_of
from gateway.api.path_ids import path_id
from gateway.messages.view import timestamp
from tenants.ids import encode
from tenants.templates import service
from tenants.templates.authoring import Wording
from tenants.templates.models import TemplateVersion

_TEMPLATES: Final = {NEEDS: "templates"}
_KIND: Final = "template"


class NewTemplate(Wording, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A template to be: a name and its first wording."""

    name: str
    """1 to 100 letters, digits, blanks and `._:-`; sends may call it by this name."""


class VersionView(Struct, frozen=True, kw_only=True):
    """One wording and what was decided on it."""

    version: int
    state: str
    """`draft`, `submitted`, `approved`, `rejected` or `retired`."""
    body: str
    type: str
    variables: dict[str, Any]
    countries: list[str]
    """Where it may go; empty for every country of the tenant."""
    rejection_reason: str | None
    created_at: str | None
    submitted_at: str | None
    decided_at: str | None


class TemplateView(Struct, frozen=True, kw_only=True):
    """A template: its latest version, and the one that is sent."""

    id: str
    name: str
    state: str
    """State of the latest version."""
    version: int
    """Number of the latest version."""
    approved_version: int | None
    """What a send gets that names no version."""
    body: str
    type: str
    variables: dict[str, Any]
    countries: list[str]
    rejection_reason: str | None
    created_at: str | None


class Versions(Struct, frozen=True, kw_only=True):
    """Every version of one template, the oldest first."""

    data: list[VersionView]


def template_view(found: service.TemplateView) -> TemplateView:
    """Return a template as the wire shows it."""
    latest, in_force = found.latest, found.in_force
    return TemplateView(
        id=encode("tpl", found.template.id),
        name=found.template.name,
        state=latest.state,
        version=latest.version,
        approved_version=None if in_force is None else in_force.version,
        body=latest.body,
        type=latest.type,
        variables=latest.variables,
        countries=latest.countries,
        rejection_reason=latest.rejection_reason,
        created_at=timestamp(found.template.created_at),
    )


def version_view(row: TemplateVersion) -> VersionView:
    """Return one version as the wire shows it."""
    return VersionView(
        version=row.version,
        state=row.state,
        body=row.body,
        type=row.type,
        variables=row.variables,
        countries=row.countries,
        rejection_reason=row.rejection_reason,
        created_at=timestamp(row.created_at),
        submitted_at=timestamp(row.submitted_at),
        decided_at=timestamp(row.decided_at),
    )


@get("/templates", opt=_TEMPLATES, responses=refusals(*TENANT), summary="List templates")
async def list_templates(
    request: ApiRequest, desk: NamedDependency[Desk], limit: Limit = DEFAULT_LIMIT, after: After = None
) -> Page[TemplateView]:
    """Return a page of templates, the newest first."""
    async with desk.tenant(request.auth) as session:
        rows = await service.page(request.auth, session, limit=limit + 1, after=id_after(after))
    return page_of(rows, limit, view=template_view, cursor=lambda row: id_cursor(row.template.id))


@post(
    "/templates",
    status_code=201,
    opt=_TEMPLATES,
    responses=refusals(*TENANT, *WITH_BODY, *WITH_IDEMPOTENCY, "name_taken"),
    summary="Write a template",
    description="Version 1 is a draft; submit it to have it approved.",
)
async def create_template(
    request: ApiRequest, data: JSONBody[NewTemplate], desk: NamedDependency[Desk]
) -> Response[TemplateView]:
    """Add a template with its first wording."""

    async def work(session: AsyncSession) -> TemplateView:
        return template_view(await service.create(request.auth, session, name=data.name, wording=data))

    answer = await desk.tenant_once(request, work, status=201)
    await desk.services.policy_changed(request.auth.tenant_id)
    return answer


@get(
    "/templates/{template_id:str}",
    opt=_TEMPLATES,
    responses=refusals(*TENANT, "not_found"),
    summary="Read a template",
)
async def get_template(
    request: ApiRequest, template_id: FromPath[str], desk: NamedDependency[Desk]
) -> TemplateView:
    """Return one template."""
    async with desk.tenant(request.auth) as session:
        return template_view(await service.get(request.auth, session, path_id("tpl", template_id, _KIND)))


@get(
    "/templates/{template_id:str}/versions",
    opt=_TEMPLATES,
    responses=refusals(*TENANT, "not_found"),
    summary="List the versions of a template",
)
async def list_template_versions(
    request: ApiRequest, template_id: FromPath[str], desk: NamedDependency[Desk]
) -> Versions:
    """Return every version of a template."""
    async with desk.tenant(request.auth) as session:
        found = await service.get(request.auth, session, path_id("tpl", template_id, _KIND))
        return Versions(data=[version_view(row) for row in found.versions])


@post(
    "/templates/{template_id:str}/versions",
    status_code=201,
    opt=_TEMPLATES,
    responses=refusals(*TENANT, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found"),
    summary="Edit a template",
    description="Adds a version, a draft; what is approved stays in force until the new one is approved.",
)
async def edit_template(
    request: ApiRequest, template_id: FromPath[str], data: JSONBody[Wording], desk: NamedDependency[Desk]
) -> Response[TemplateView]:
    """Add a wording."""
    wanted = path_id("tpl", template_id, _KIND)

    async def work(session: AsyncSession) -> TemplateView:
        return template_view(await service.edit(request.auth, session, wanted, data))

    answer = await desk.tenant_once(request, work, status=201)
    await desk.services.policy_changed(request.auth.tenant_id)
    return answer


@post(
    "/templates/{template_id:str}/submit",
    status_code=200,
    opt=_TEMPLATES,
    responses=refusals(*TENANT, *WITH_IDEMPOTENCY, "not_found", "template_state"),
    summary="Submit the latest version for approval",
)
async def submit_template(
    request: ApiRequest, template_id: FromPath[str], desk: NamedDependency[Desk]
) -> Response[TemplateView]:
    """Hand the latest version to the operator."""
    wanted = path_id("tpl", template_id, _KIND)

    async def work(session: AsyncSession) -> TemplateView:
        now = desk.services.clock.now()
        return template_view(await service.submit(request.auth, session, wanted, now=now))

    answer = await desk.tenant_once(request, work, status=200)
    await desk.services.policy_changed(request.auth.tenant_id)
    return answer
