"""`/v1/templates`: write, edit, submit, look at versions, retire and restore them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, TypeVar

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import UNSET, Meta, Struct, UnsetType
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, page_of
from gateway.api.lists.short_lists import ShortLimit, part_of
from gateway.api.path_ids import path_id
from gateway.api.template_events import decision_event
from gateway.api.v1.template_views import (
    TemplateVersionView,
    TemplateView,
    tariff,
    template_view,
    version_view,
)
from gateway.webhooks.announcements import announce
from tenants.errors import InvalidInput, NotFound
from tenants.scope import TenantScope
from tenants.templates import decisions, service
from tenants.templates.authoring import Variant, Wording
from tenants.templates.changes import WordingChanges
from tenants.templates.library import LibraryTemplate, library, wording_of
from tenants.templates.use_cases import MessageType, UseCase
from tenants.templates.variables import Declaration
from tenants.templates.versions import TemplateView as VersionedTemplate
from tenants.templates.versions import numbered

_TEMPLATES: Final = {NEEDS: "templates"}
_KIND: Final = "template"
_LARGEST: Final = 2**31 - 1
_MOST_DIGITS: Final = 10
_Number = Annotated[int, Meta(ge=1, le=_LARGEST)]
_COMPARED_AT_ONCE: Final = asyncio.Semaphore(1)
"""Two wordings in thirty languages, written to be hard to compare, take seconds."""
_T = TypeVar("_T")
_Act = Callable[[AsyncSession], Awaitable[VersionedTemplate]]


class NewTemplate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A template to be: a name and its first wording, or one of the library with the tenant's brand."""

    name: str | UnsetType = UNSET
    """1 to 100 letters, digits, blanks and `._:-`; sends may call it by this name. Else the library's id."""
    from_library: str | UnsetType = UNSET
    """Id in `GET /v1/template-library`; beside it only `name`, `brand` and `countries` are given."""
    brand: Annotated[str, Meta(min_length=1, max_length=100)] | UnsetType = UNSET
    """Fills the library's `{brand}`; the tenant's own where absent."""
    body: str | UnsetType = UNSET
    """Place-holders in braces: `Acme: your code is {code}`; a brace itself is written twice."""
    type: MessageType | UnsetType = UNSET
    variables: dict[str, Declaration] = {}
    """By name; a variable that is not declared is text of up to 40 characters."""
    countries: list[str] = []
    """Where it may go; empty for every country of the tenant."""
    use_case: UseCase | None = None
    """What it is for, as senders are registered; the type's usual one where absent."""
    locale: str | None = None
    """Language of `body`, as a BCP 47 tag."""
    dlt_template_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,100}\Z")] | None = None
    """The wording's id in India's DLT registry, for sends to India that name none."""
    variants: list[Variant] = []
    """Other languages; a send picks by `template.locale`, else by the recipient's country, else `body`."""


@get("/template-library", opt=_TEMPLATES, responses=refusals(*TENANT), summary="List the starter library")
async def list_template_library(
    request: ApiRequest, limit: ShortLimit = None, after: After = None
) -> Page[LibraryTemplate]:
    """Return templates that need only a brand; `POST /v1/templates {"from_library": "otp"}` takes one."""
    return part_of(request, list(library()), limit, after)


@get("/templates", opt=_TEMPLATES, responses=refusals(*TENANT), summary="List templates")
async def list_templates(
    request: ApiRequest, desk: NamedDependency[Desk], limit: Limit = DEFAULT_LIMIT, after: After = None
) -> Page[TemplateView]:
    """Return a page of templates, the newest first."""
    async with desk.tenant(request.auth) as session:
        rows = await service.page(request.auth, session, limit=limit + 1, after=id_after(request, after))
        by = await tariff(request.auth, session, desk.services.clock.now())
    return page_of(
        request, rows, limit, view=lambda row: template_view(row, by), place=lambda row: row.template.id
    )


@post(
    "/templates",
    status_code=201,
    opt=_TEMPLATES,
    responses=refusals(*TENANT, *WITH_BODY, *WITH_IDEMPOTENCY, "name_taken"),
    summary="Write a template",
    description="Version 1 is a draft; submit it to have it approved. `findings` is what the linter says.",
)
async def create_template(
    request: ApiRequest, data: JSONBody[NewTemplate], desk: NamedDependency[Desk]
) -> Response[TemplateView]:
    """Add a template with its first wording."""

    async def act(session: AsyncSession) -> VersionedTemplate:
        name, wording = await _first_wording(request.auth, session, data)
        return await service.create(request.auth, session, name=name, wording=wording)

    return await _change(request, desk, act, status=201)


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
        found = await service.get(request.auth, session, path_id("tpl", template_id, _KIND))
        return template_view(found, await tariff(request.auth, session, desk.services.clock.now()))


@get(
    "/templates/{template_id:str}/versions",
    opt=_TEMPLATES,
    responses=refusals(*TENANT, "not_found"),
    summary="List the versions of a template",
)
async def list_template_versions(
    request: ApiRequest,
    template_id: FromPath[str],
    desk: NamedDependency[Desk],
    limit: ShortLimit = None,
    after: After = None,
) -> Page[TemplateVersionView]:
    """Return every version of a template."""
    async with desk.tenant(request.auth) as session:
        found = await service.get(request.auth, session, path_id("tpl", template_id, _KIND))
        by = await tariff(request.auth, session, desk.services.clock.now())
        return part_of(request, [version_view(row, by) for row in found.versions], limit, after)


@get(
    "/templates/{template_id:str}/versions/{version:str}",
    opt=_TEMPLATES,
    responses=refusals(*TENANT, "not_found"),
    summary="Read a version of a template",
)
async def get_template_version(
    request: ApiRequest, template_id: FromPath[str], version: FromPath[str], desk: NamedDependency[Desk]
) -> TemplateVersionView:
    """Return one version."""
    async with desk.tenant(request.auth) as session:
        found = await service.get(request.auth, session, path_id("tpl", template_id, _KIND))
        row = numbered(found, _number(version))
        return version_view(row, await tariff(request.auth, session, desk.services.clock.now()))


@get(
    "/templates/{template_id:str}/versions/{version:str}/changes",
    opt=_TEMPLATES,
    responses=refusals(*TENANT, "not_found"),
    summary="Compare two versions of a template",
    description="Against the version before, unless `since` names another; `substantial` if brand, purpose, "
    "links, variables or much of the text differ.",
)
async def get_template_changes(
    request: ApiRequest,
    template_id: FromPath[str],
    version: FromPath[str],
    desk: NamedDependency[Desk],
    since: Annotated[_Number | None, QueryParameter(name="since")] = None,
) -> WordingChanges:
    """Return what a version changed, word by word."""
    number = _number(version)
    async with desk.tenant(request.auth) as session:
        found = await service.get(request.auth, session, path_id("tpl", template_id, _KIND))
    earlier = max(1, number - 1) if since is None else since
    async with _COMPARED_AT_ONCE:
        return await asyncio.to_thread(service.changes_since, found, number, earlier)


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
    return await _change(
        request, desk, lambda session: service.edit(request.auth, session, wanted, data), status=201
    )


@post(
    "/templates/{template_id:str}/submit",
    status_code=200,
    opt=_TEMPLATES,
    responses=refusals(
        *TENANT, *WITH_IDEMPOTENCY, "not_found", "template_state", "template_not_compliant", "tenant_closed"
    ),
    summary="Submit the latest version for approval",
    description="Refused where the linter finds an error. Where the plan lets the linter approve and it "
    "leaves nothing to decide for a person, the version is approved at once; else the operator decides.",
)
async def submit_template(
    request: ApiRequest, template_id: FromPath[str], desk: NamedDependency[Desk]
) -> Response[TemplateView]:
    """Hand the latest version in."""
    wanted = path_id("tpl", template_id, _KIND)

    async def act(session: AsyncSession) -> VersionedTemplate:
        found = await service.submit(request.auth, session, wanted, now=desk.services.clock.now())
        if found.latest.state == "approved":
            told = decision_event(found, found.latest)
            await announce(request.auth, session, "template.approved", told)
        return found

    return await _change(request, desk, act)


@post(
    "/templates/{template_id:str}/versions/{version:str}/retire",
    status_code=200,
    opt=_TEMPLATES,
    responses=refusals(*TENANT, *WITH_IDEMPOTENCY, "not_found", "template_state"),
    summary="Retire an approved version",
    description="Sends get it no more, within 1 s; what was accepted before still goes out.",
)
async def retire_template_version(
    request: ApiRequest, template_id: FromPath[str], version: FromPath[str], desk: NamedDependency[Desk]
) -> Response[TemplateView]:
    """Stop a version from being sent."""
    wanted, number, now = path_id("tpl", template_id, _KIND), _number(version), desk.services.clock.now()
    return await _change(
        request,
        desk,
        lambda session: decisions.retire(request.auth, session, wanted, number, by="tenant", now=now),
    )


@post(
    "/templates/{template_id:str}/versions/{version:str}/restore",
    status_code=200,
    opt=_TEMPLATES,
    responses=refusals(*TENANT, *WITH_IDEMPOTENCY, "not_found", "template_state"),
    summary="Restore a version that the tenant retired",
    description="It was approved as it stands and is sendable again; not where the operator retired it.",
)
async def restore_template_version(
    request: ApiRequest, template_id: FromPath[str], version: FromPath[str], desk: NamedDependency[Desk]
) -> Response[TemplateView]:
    """Make a version sendable again."""
    wanted, number, now = path_id("tpl", template_id, _KIND), _number(version), desk.services.clock.now()
    return await _change(
        request,
        desk,
        lambda session: decisions.restore(request.auth, session, wanted, number, by="tenant", now=now),
    )


async def _change(request: ApiRequest, desk: Desk, act: _Act, *, status: int = 200) -> Response[TemplateView]:
    async def work(session: AsyncSession) -> TemplateView:
        found = await act(session)
        return template_view(found, await tariff(request.auth, session, desk.services.clock.now()))

    answer = await desk.tenant_once(request, work, status=status)
    await desk.services.policy_changed(request.auth.tenant_id)
    return answer


async def _first_wording(scope: TenantScope, session: AsyncSession, data: NewTemplate) -> tuple[str, Wording]:
    if data.from_library is not UNSET:
        _refuse_beside_library(data)
        brand = await service.brand_of(scope, session) if data.brand is UNSET else data.brand
        wording = wording_of(data.from_library, brand=brand, countries=data.countries)
        return data.from_library if data.name is UNSET else data.name, wording
    if data.brand is not UNSET:
        raise InvalidInput("/brand", "not_from_library", "`brand` fills a template of the library only")
    return _given("name", data.name), Wording(
        body=_given("body", data.body),
        type=_given("type", data.type),
        variables=data.variables,
        countries=data.countries,
        use_case=data.use_case,
        locale=data.locale,
        dlt_template_id=data.dlt_template_id,
        variants=data.variants,
    )


def _refuse_beside_library(data: NewTemplate) -> None:
    given: dict[str, Any] = {
        "body": data.body,
        "type": data.type,
        "variables": data.variables or UNSET,
        "use_case": data.use_case or UNSET,
        "locale": data.locale or UNSET,
        "dlt_template_id": data.dlt_template_id or UNSET,
        "variants": data.variants or UNSET,
    }
    for name, value in given.items():
        if value is not UNSET:
            raise InvalidInput(
                f"/{name}", "from_library", "the library gives it; leave it out, or edit later"
            )


def _given(name: str, value: _T | UnsetType) -> _T:
    if value is UNSET:
        raise InvalidInput(f"/{name}", "required", f"The field '{name}' is required.")
    return value


def _number(version: str) -> int:
    """Return a version's number; what is no number names no version."""
    if not (version.isascii() and version.isdigit() and len(version) <= _MOST_DIGITS):
        raise NotFound("template version")
    return int(version)
