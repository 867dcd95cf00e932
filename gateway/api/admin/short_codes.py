"""`/v1/admin/short-codes`: applications for short codes, their packs, and where they are."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from litestar import Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, page_of
from gateway.api.path_ids import named_tenant, path_id
from gateway.api.short_code_views import PackView, ShortCodeView, pack_view, printed, short_code_view
from gateway.registrations.short_codes import tell
from tenants.accounts import service as accounts
from tenants.accounts.plan import CountryCode
from tenants.errors import InvalidInput, InvalidInputs
from tenants.pages import service as pages
from tenants.pages.disclosures import links_of
from tenants.scope import TenantScope
from tenants.shortcodes import service
from tenants.shortcodes.models import ShortCode
from tenants.shortcodes.pack import Pack, Question, asked, pack_of
from tenants.shortcodes.stages import StageName

_HOME = "/tenants/{tenant_id:str}/short-codes"
_ONE = _HOME + "/{short_code_id:str}"
_MARK: Final = "SHORT_CODE"
_YEARS: Final = range(2000, 2100)

Line = Annotated[str, Meta(min_length=1, max_length=200)]
Digits = Annotated[str, Meta(pattern=r"^[0-9]{3,8}\Z")]


class NewShortCode(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A short code that was asked for in a support case."""

    country: CountryCode
    name: Line
    """The tenant's own name for it."""
    support_case: Line | None = None
    """AWS's number of the case; one case for each country."""


class AnswersBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Answers of the pack."""

    answers: Annotated[dict[str, str | None], Meta(max_length=200)]
    """By field key; null takes one back, and what is known otherwise counts again."""


class StageBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where it is now."""

    stage: StageName
    note: Annotated[str, Meta(min_length=1, max_length=2000)] | None = None
    code: Digits | None = None
    """The code itself, once AWS names it."""
    billing_started_at: datetime | None = None
    """When AWS began to bill it; with a time zone."""


@get("/short-codes", responses=refusals(*OPERATOR), summary="List every tenant's short codes")
async def list_all_short_codes(
    request: ApiRequest, desk: NamedDependency[Desk], limit: Limit = DEFAULT_LIMIT, after: After = None
) -> Page[ShortCodeView]:
    """Return a page over all tenants, the newest first, each with its age, its owner and what is next."""
    now = desk.services.clock.now()
    async with desk.operator() as session:
        rows = await service.page_of_all(session, limit=limit + 1, after=id_after(request, after))
    return page_of(
        request, rows, limit, view=lambda row: short_code_view(row, now=now), place=lambda row: row.id
    )


@post(
    _HOME,
    status_code=201,
    responses=refusals(*OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found"),
    summary="Begin a short code",
    description="AWS takes short codes by support case only: open one for each country, then track it here.",
)
async def create_short_code(
    request: ApiRequest, tenant_id: FromPath[str], data: JSONBody[NewShortCode], desk: NamedDependency[Desk]
) -> Response[ShortCodeView]:
    """Enter it at its first stage."""
    scope, now = named_tenant(tenant_id), desk.services.clock.now()

    async def work(session: AsyncSession) -> ShortCodeView:
        await accounts.get(scope, session)
        row = await service.request(
            scope, session, country=data.country, name=data.name, support_case=data.support_case, now=now
        )
        await tell(scope, session, row, previous="none")
        return short_code_view(row, now=now)

    return await desk.operator_once(request, work, status=201)


@get(_ONE, responses=refusals(*OPERATOR, "not_found"), summary="Read a tenant's short code")
async def get_tenant_short_code(
    tenant_id: FromPath[str], short_code_id: FromPath[str], desk: NamedDependency[Desk]
) -> ShortCodeView:
    """Return where it is, since when, who has it, and what came before."""
    async with desk.operator() as session:
        row = await service.get(named_tenant(tenant_id), session, _id(short_code_id))
    return short_code_view(row, now=desk.services.clock.now())


@post(
    _ONE + "/stage",
    status_code=200,
    responses=refusals(*OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found", "conflict"),
    summary="Move a short code to a stage",
    description=(
        "As the support case says. The tenant's endpoints get `short_code.stage_changed`; a stage that is "
        "the operator's to work on is a task in the inbox, and so is one that lasts longer than usual."
    ),
)
async def move_short_code(
    request: ApiRequest,
    tenant_id: FromPath[str],
    short_code_id: FromPath[str],
    data: JSONBody[StageBody],
    desk: NamedDependency[Desk],
) -> Response[ShortCodeView]:
    """Enter a stage."""
    scope, wanted, now = named_tenant(tenant_id), _id(short_code_id), desk.services.clock.now()
    _check_instant(data.billing_started_at)

    async def work(session: AsyncSession) -> ShortCodeView:
        before = (await service.get(scope, session, wanted, lock=True)).stage
        row = await service.move(
            scope,
            session,
            wanted,
            data.stage,
            note=data.note,
            code=data.code,
            billing_started_at=data.billing_started_at,
            now=now,
        )
        await tell(scope, session, row, previous=before)
        return short_code_view(row, now=now)

    return await desk.operator_once(request, work, status=200)


@put(
    _ONE + "/answers",
    responses=refusals(*OPERATOR, *WITH_BODY, "not_found"),
    summary="Answer what the pack asks",
)
async def answer_short_code(
    tenant_id: FromPath[str],
    short_code_id: FromPath[str],
    data: JSONBody[AnswersBody],
    desk: NamedDependency[Desk],
) -> PackView:
    """Change answers, all or nothing, and return the pack."""
    scope, wanted = named_tenant(tenant_id), _id(short_code_id)
    async with desk.operator() as session:
        country = (await service.get(scope, session, wanted)).country
    questions = await _questions(desk, country)
    async with desk.operator() as session:
        row = await service.answer(scope, session, wanted, questions, data.answers)
        return pack_view(row, await _pack(desk, scope, session, row, questions))


@get(
    _ONE + "/pack",
    responses=refusals(*OPERATOR, "not_found"),
    summary="Read a short code's application pack",
    description=(
        "What AWS's form asks, answered from the tenant's registrations and pages and from `answers`, with "
        "what is blank and what reviewers would object to."
    ),
)
async def get_short_code_pack(
    tenant_id: FromPath[str], short_code_id: FromPath[str], desk: NamedDependency[Desk]
) -> PackView:
    """Return the application as far as it is known."""
    row, pack = await _read(desk, named_tenant(tenant_id), short_code_id)
    return pack_view(row, pack)


@get(
    _ONE + "/pack.html",
    media_type="text/html",
    responses=refusals(*OPERATOR, "not_found", "validation_failed"),
    summary="Export a short code's application pack",
    description="As a page to print or to attach to the support case; a blank answer keeps it back.",
)
async def export_short_code_pack(
    tenant_id: FromPath[str], short_code_id: FromPath[str], desk: NamedDependency[Desk]
) -> Response[str]:
    """Return the complete application."""
    row, pack = await _read(desk, named_tenant(tenant_id), short_code_id)
    if pack.blank:
        faults = tuple(
            InvalidInput(f"/answers/{each.key}", "required", f"{each.title} is blank") for each in pack.blank
        )
        raise InvalidInputs("validation_failed", "The pack is not complete.", faults)
    headers = {"Content-Disposition": 'attachment; filename="short-code-application.html"'}
    return Response(printed(row, pack), media_type="text/html", headers=headers)


async def _read(desk: Desk, scope: TenantScope, short_code_id: str) -> tuple[ShortCode, Pack]:
    async with desk.operator() as session:
        row = await service.get(scope, session, _id(short_code_id))
    questions = await _questions(desk, row.country)
    async with desk.operator() as session:
        return row, await _pack(desk, scope, session, row, questions)


async def _questions(desk: Desk, country: str) -> tuple[Question, ...]:
    """AWS's own form is asked as well, should it describe one for short codes of the country."""
    types = [each.type for each in await desk.services.registrations.types()]
    named = [each for each in types if _MARK in each and each.startswith(country)]
    return asked([await desk.services.registrations.form(each) for each in named])


async def _pack(
    desk: Desk, scope: TenantScope, session: AsyncSession, row: ShortCode, questions: tuple[Question, ...]
) -> Pack:
    tenant = await accounts.get(scope, session)
    known: dict[str, str] = {}
    if (settings := await pages.read(scope, session)) is not None:
        links = links_of(desk.public_url, tenant.slug)
        known = {"terms_url": links.terms, "privacy_url": links.privacy, "service_name": settings.brand}
    registered = await service.registered_values(scope, session)
    answers: Mapping[str, str] = row.answers
    return pack_of(questions, answers, registered, known, country=row.country)


def _check_instant(at: datetime | None) -> None:
    if at is not None and (at.tzinfo is None or at.year not in _YEARS):
        detail = f"an instant with a time zone, of {_YEARS.start} to {_YEARS.stop - 1}"
        raise InvalidInput("/billing_started_at", "wrong_instant", detail)


def _id(text: str) -> UUID:
    return path_id("sc", text, "short code")
