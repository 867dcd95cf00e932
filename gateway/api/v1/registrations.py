"""`/v1/registrations`: forms, drafts, attachments, review, submission and new versions."""

import asyncio
from typing import Annotated, Final

from litestar import Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Struct

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, page_of
from gateway.api.lists.short_lists import ShortLimit, part_of
from gateway.api.registration_acts import (
    CostBody,
    NewRegistrationBody,
    Speaker,
    ValuesBody,
    attach_one,
    confirm_one,
    fill_one,
    form_of,
    id_of,
    open_one,
    read_one,
    renew_one,
    review_one,
    shown,
    start_one,
)
from gateway.api.registration_views import (
    AttachmentView,
    MoveView,
    RegistrationSummary,
    RegistrationVersionView,
    RegistrationView,
    ReviewView,
    move_view,
    summary_of,
    version_view,
)
from gateway.api.uploads import UploadOperation, uploaded
from tenants.registrations import service, store
from tenants.registrations.attached_files import LARGEST_BYTES
from tenants.registrations.forms import Form, FormType
from tenants.registrations.lifecycle import Status
from tenants.registrations.linting.draft import Draft, Finding
from tenants.registrations.linting.lint import lint

_REGISTRATIONS: Final = {NEEDS: "registrations"}
_ROOM_FOR_A_FORM: Final = 16 * 1024

StatusFilter = Annotated[Status | None, QueryParameter(name="status", description="Only these.")]
TypeFilter = Annotated[
    str | None,
    QueryParameter(name="type", pattern=r"^[A-Z0-9_]{1,100}\Z", description="Only this registration type."),
]
FileName = Annotated[
    str,
    QueryParameter(
        name="name", min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*\Z", description="For people."
    ),
]
ForField = Annotated[
    str | None,
    QueryParameter(
        name="field", min_length=1, max_length=100, description="Path of the field to put it into."
    ),
]


def _me(request: ApiRequest) -> Speaker:
    return Speaker(scope=request.auth, as_operator=False)


@get(
    "/registration-forms", opt=_REGISTRATIONS, responses=refusals(*TENANT), summary="List registration types"
)
async def list_registration_forms(
    request: ApiRequest, desk: NamedDependency[Desk], limit: ShortLimit = None, after: After = None
) -> Page[FormType]:
    """Return what can be registered, and for which resources, as AWS says today."""
    return part_of(request, await desk.services.registrations.types(), limit, after)


@get(
    "/registration-forms/{registration_type:str}",
    opt=_REGISTRATIONS,
    responses=refusals(*TENANT, "not_found"),
    summary="Read a registration form",
)
async def get_registration_form(registration_type: FromPath[str], desk: NamedDependency[Desk]) -> Form:
    """Return a form with its sections and fields, as AWS describes it; at most a day old."""
    return await desk.services.registrations.form(registration_type)


@get("/registrations", opt=_REGISTRATIONS, responses=refusals(*TENANT), summary="List registrations")
async def list_registrations(
    request: ApiRequest,
    desk: NamedDependency[Desk],
    *,
    status: StatusFilter = None,
    registration_type: TypeFilter = None,
    limit: Limit = DEFAULT_LIMIT,
    after: After = None,
) -> Page[RegistrationSummary]:
    """Return a page of registrations, the newest first."""
    async with desk.tenant(request.auth) as session:
        rows = await store.page(
            request.auth,
            session,
            status=status,
            registration_type=registration_type,
            limit=limit + 1,
            after=id_after(request, after),
        )
    return page_of(request, rows, limit, view=summary_of, place=lambda row: row.id)


@post(
    "/registrations",
    status_code=201,
    opt=_REGISTRATIONS,
    responses=refusals(*TENANT, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found", "conflict"),
    summary="Open a registration",
    description="A draft: AWS hears nothing of it. Values are held against the live form, field by field.",
)
async def create_registration(
    request: ApiRequest, data: JSONBody[NewRegistrationBody], desk: NamedDependency[Desk]
) -> Response[RegistrationView]:
    """Open a draft, or return the one of the same reference."""
    return await open_one(request, desk, _me(request), data)


@get(
    "/registrations/{registration_id:str}",
    opt=_REGISTRATIONS,
    responses=refusals(*TENANT, "not_found"),
    summary="Read a registration",
)
async def get_registration(
    request: ApiRequest, registration_id: FromPath[str], desk: NamedDependency[Desk]
) -> RegistrationView:
    """Return a registration, what it lacks, and why it was denied."""
    return await read_one(desk, _me(request), id_of(registration_id))


@put(
    "/registrations/{registration_id:str}/fields",
    opt=_REGISTRATIONS,
    responses=refusals(*TENANT, *WITH_BODY, "not_found", "registration_state", "registration_changed"),
    summary="Fill fields",
    description="All or nothing: one wrong value and none is stored. A registration that is `ready` becomes "
    "a draft again. With `edition`, values that somebody else changed meanwhile are not overwritten.",
)
async def fill_registration(
    request: ApiRequest,
    registration_id: FromPath[str],
    data: JSONBody[ValuesBody],
    desk: NamedDependency[Desk],
) -> RegistrationView:
    """Change values of the current draft."""
    return await fill_one(desk, _me(request), id_of(registration_id), data)


@post(
    "/registrations/{registration_id:str}/attachments",
    status_code=201,
    opt=_REGISTRATIONS,
    request_max_body_size=LARGEST_BYTES + _ROOM_FOR_A_FORM,
    responses=refusals(
        *TENANT, *WITH_IDEMPOTENCY, "body_too_large", "not_found", "attachment_refused", "registration_state"
    ),
    operation_class=UploadOperation,
    summary="Attach a file",
    description="PDF, JPEG or PNG up to 500 KB, as the body or as the field `file` of a form. It is written "
    "anew; what is encrypted, active or two kinds at once is refused. `field` puts it into the form.",
)
async def attach_to_registration(
    request: ApiRequest,
    registration_id: FromPath[str],
    desk: NamedDependency[Desk],
    name: FileName = "attachment",
    field: ForField = None,
) -> Response[AttachmentView]:
    """Keep one file."""
    wanted = id_of(registration_id)
    content = await uploaded(request)
    return await attach_one(request, desk, _me(request), wanted, content, name=name, field=field)


@post(
    "/registrations/{registration_id:str}/prepare",
    status_code=200,
    opt=_REGISTRATIONS,
    responses=refusals(
        *TENANT, *WITH_IDEMPOTENCY, "not_found", "registration_state", "live_key_required", "tenant_closed"
    ),
    summary="Bring a registration to AWS for review",
    description="AWS gets everything but the submission: read `…/review` once it is `ready`. Where the next "
    "step costs, it waits for `…/confirm-cost`.",
)
async def prepare_registration(
    request: ApiRequest, registration_id: FromPath[str], desk: NamedDependency[Desk]
) -> Response[RegistrationView]:
    """Begin to bring it to AWS."""
    wanted = id_of(registration_id)
    return await start_one(request, desk, _me(request), wanted, "review")


@get(
    "/registrations/{registration_id:str}/review",
    opt=_REGISTRATIONS,
    responses=refusals(*TENANT, "not_found"),
    summary="Compare with what AWS holds",
)
async def review_registration(
    request: ApiRequest, registration_id: FromPath[str], desk: NamedDependency[Desk]
) -> ReviewView:
    """Return each field as it was filled in and as AWS holds it now."""
    return await review_one(desk, _me(request), id_of(registration_id))


@post(
    "/registrations/{registration_id:str}/confirm-cost",
    status_code=200,
    opt=_REGISTRATIONS,
    responses=refusals(
        *TENANT, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found", "conflict", "live_key_required", "tenant_closed"
    ),
    summary="Accept the cost",
    description="Nothing that costs is asked of AWS before. The amounts have to be those under `cost`.",
)
async def confirm_registration_cost(
    request: ApiRequest,
    registration_id: FromPath[str],
    data: JSONBody[CostBody],
    desk: NamedDependency[Desk],
) -> Response[RegistrationView]:
    """Allow what costs."""
    wanted = id_of(registration_id)
    return await confirm_one(request, desk, _me(request), wanted, data)


@post(
    "/registrations/{registration_id:str}/submit",
    status_code=200,
    opt=_REGISTRATIONS,
    responses=refusals(
        *TENANT,
        *WITH_IDEMPOTENCY,
        "not_found",
        "registration_state",
        "registration_not_compliant",
        "cost_not_confirmed",
        "live_key_required",
        "tenant_closed",
    ),
    summary="Submit a registration",
    description="Complete, without what the linter calls an error, and with its cost confirmed. What is not "
    "at AWS yet is brought there first. Until the reviewers decide nothing can be changed.",
)
async def submit_registration(
    request: ApiRequest, registration_id: FromPath[str], desk: NamedDependency[Desk]
) -> Response[RegistrationView]:
    """Hand it in."""
    wanted = id_of(registration_id)
    return await start_one(request, desk, _me(request), wanted, "submit")


@get(
    "/registrations/{registration_id:str}/versions",
    opt=_REGISTRATIONS,
    responses=refusals(*TENANT, "not_found"),
    summary="List versions",
)
async def list_registration_versions(
    request: ApiRequest,
    registration_id: FromPath[str],
    desk: NamedDependency[Desk],
    limit: ShortLimit = None,
    after: After = None,
) -> Page[RegistrationVersionView]:
    """Return every version with what was filled in and why it was denied."""
    wanted = id_of(registration_id)
    async with desk.tenant(request.auth) as session:
        await service.get(request.auth, session, wanted)
        rows = await store.versions(request.auth, session, wanted)
    return part_of(request, [version_view(row) for row in rows], limit, after)


@post(
    "/registrations/{registration_id:str}/versions",
    status_code=201,
    opt=_REGISTRATIONS,
    responses=refusals(*TENANT, *WITH_IDEMPOTENCY, "not_found", "registration_state"),
    summary="Begin a new version",
    description="After a denial, or to change what is approved; it begins with the last version's values and "
    "goes to the back of the reviewers' queue.",
)
async def create_registration_version(
    request: ApiRequest, registration_id: FromPath[str], desk: NamedDependency[Desk]
) -> Response[RegistrationView]:
    """Open another draft."""
    wanted = id_of(registration_id)
    return await renew_one(request, desk, _me(request), wanted)


@get(
    "/registrations/{registration_id:str}/history",
    opt=_REGISTRATIONS,
    responses=refusals(*TENANT, "not_found"),
    summary="Read a registration's history",
)
async def get_registration_history(
    request: ApiRequest,
    registration_id: FromPath[str],
    desk: NamedDependency[Desk],
    limit: ShortLimit = None,
    after: After = None,
) -> Page[MoveView]:
    """Return who moved it where, and when."""
    wanted = id_of(registration_id)
    async with desk.tenant(request.auth) as session:
        await service.get(request.auth, session, wanted)
        rows = await store.moves(request.auth, session, wanted)
    return part_of(request, [move_view(row) for row in rows], limit, after)


@delete(
    "/registrations/{registration_id:str}",
    status_code=200,
    opt=_REGISTRATIONS,
    responses=refusals(*TENANT, "not_found", "registration_state"),
    summary="Give a draft up",
)
async def delete_registration(
    request: ApiRequest, registration_id: FromPath[str], desk: NamedDependency[Desk]
) -> RegistrationView:
    """Give up a draft that AWS knows nothing of; its history stays."""
    wanted = id_of(registration_id)
    form = await form_of(desk, _me(request), wanted)
    async with desk.tenant(request.auth) as session:
        found = await service.discard(request.auth, session, wanted, now=desk.services.clock.now())
        return await shown(desk, _me(request), session, found, form)


class LintResult(Struct, frozen=True, kw_only=True):
    """What reviewers would object to."""

    compliant: bool
    """Whether there is no error; warnings do not stop a submission."""
    findings: list[Finding]


@post(
    "/registrations/lint",
    status_code=200,
    opt=_REGISTRATIONS,
    responses=refusals(*TENANT, *WITH_BODY),
    summary="Lint a draft",
    description="Opt-in text, samples, CONFIRM, HELP and STOP texts, terms and privacy policy, flags, sender "
    "id and contact, each finding with its fix. Stores nothing; a submission is held to the same rules.",
)
async def lint_registration(data: JSONBody[Draft]) -> LintResult:
    """Return every finding, the errors first."""
    findings = await asyncio.to_thread(lint, data)
    return LintResult(compliant=all(each.severity != "error" for each in findings), findings=findings)
