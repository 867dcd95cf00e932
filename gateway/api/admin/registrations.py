"""`/v1/admin/registrations`: every tenant's, and what the operator does on a tenant's behalf."""

from typing import Annotated

from litestar import Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, page_of
from gateway.api.path_ids import named_tenant, query_id
from gateway.api.registration_acts import (
    CostBody,
    NewRegistrationBody,
    Speaker,
    ValuesBody,
    answer_with,
    attach_one,
    confirm_one,
    fill_one,
    form_of,
    id_of,
    open_one,
    read_one,
    renew_one,
    review_one,
    start_one,
)
from gateway.api.registration_views import (
    AttachmentView,
    RegistrationSummary,
    RegistrationView,
    ReviewView,
    summary_of,
)
from gateway.api.uploads import UploadOperation, uploaded
from gateway.api.v1.registrations import FileName, ForField, StatusFilter, TypeFilter
from tenants.accounts import service as accounts
from tenants.registrations import operating, service
from tenants.registrations.attached_files import LARGEST_BYTES
from tenants.registrations.forms import Form

_ROOM_FOR_A_FORM = 16 * 1024
_HOME = "/tenants/{tenant_id:str}/registrations"
_ONE = _HOME + "/{registration_id:str}"

TenantFilter = Annotated[
    str | None, QueryParameter(name="tenant", max_length=40, description="Only this tenant's, by `ten_…`.")
]


def _for(tenant_id: str) -> Speaker:
    return Speaker(scope=named_tenant(tenant_id), as_operator=True)


@get("/registrations", responses=refusals(*OPERATOR), summary="List every tenant's registrations")
async def list_all_registrations(
    request: ApiRequest,
    desk: NamedDependency[Desk],
    *,
    tenant: TenantFilter = None,
    status: StatusFilter = None,
    registration_type: TypeFilter = None,
    limit: Limit = DEFAULT_LIMIT,
    after: After = None,
) -> Page[RegistrationSummary]:
    """Return a page over all tenants, the newest first; `waiting_for` says who has to act."""
    only = None if tenant is None else query_id("ten", tenant, "?tenant")
    async with desk.operator() as session:
        rows = await operating.page_of_all(
            session,
            tenant_id=only,
            status=status,
            registration_type=registration_type,
            limit=limit + 1,
            after=id_after(request, after),
        )
    return page_of(request, rows, limit, view=summary_of, place=lambda row: row.id)


@get(
    "/registration-forms/{registration_type:str}",
    responses=refusals(*OPERATOR, "not_found"),
    summary="Read a registration form for the operator",
)
async def get_operator_registration_form(
    registration_type: FromPath[str], desk: NamedDependency[Desk]
) -> Form:
    """Return a form with its sections and fields, as AWS describes it; at most a day old."""
    return await desk.services.registrations.form(registration_type)


@post(
    _HOME,
    status_code=201,
    responses=refusals(*OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found", "conflict"),
    summary="Open a registration for a tenant",
    description="Entered on the tenant's behalf; the audit trail and `created_by` say so.",
)
async def create_tenant_registration(
    request: ApiRequest,
    tenant_id: FromPath[str],
    data: JSONBody[NewRegistrationBody],
    desk: NamedDependency[Desk],
) -> Response[RegistrationView]:
    """Open a draft, or return the one of the same reference."""
    speaker = _for(tenant_id)
    async with desk.operator() as session:
        await accounts.get(speaker.scope, session)
    return await open_one(request, desk, speaker, data)


@get(_ONE, responses=refusals(*OPERATOR, "not_found"), summary="Read a tenant's registration")
async def get_tenant_registration(
    tenant_id: FromPath[str], registration_id: FromPath[str], desk: NamedDependency[Desk]
) -> RegistrationView:
    """Return a registration, what it lacks, and why it was denied."""
    return await read_one(desk, _for(tenant_id), id_of(registration_id))


@put(
    _ONE + "/fields",
    responses=refusals(*OPERATOR, *WITH_BODY, "not_found", "registration_state", "registration_changed"),
    summary="Fill fields for a tenant",
)
async def fill_tenant_registration(
    tenant_id: FromPath[str],
    registration_id: FromPath[str],
    data: JSONBody[ValuesBody],
    desk: NamedDependency[Desk],
) -> RegistrationView:
    """Change values of the current draft, all or nothing."""
    return await fill_one(desk, _for(tenant_id), id_of(registration_id), data)


@post(
    _ONE + "/attachments",
    status_code=201,
    request_max_body_size=LARGEST_BYTES + _ROOM_FOR_A_FORM,
    responses=refusals(
        *OPERATOR,
        *WITH_IDEMPOTENCY,
        "body_too_large",
        "not_found",
        "attachment_refused",
        "registration_state",
    ),
    operation_class=UploadOperation,
    summary="Attach a file for a tenant",
    description="PDF, JPEG or PNG up to 500 KB, as the body or as the field `file` of a form.",
)
async def attach_to_tenant_registration(
    request: ApiRequest,
    tenant_id: FromPath[str],
    registration_id: FromPath[str],
    desk: NamedDependency[Desk],
    *,
    name: FileName = "attachment",
    field: ForField = None,
) -> Response[AttachmentView]:
    """Keep one file."""
    speaker, wanted = _for(tenant_id), id_of(registration_id)
    content = await uploaded(request)
    return await attach_one(request, desk, speaker, wanted, content, name=name, field=field)


@post(
    _ONE + "/prepare",
    status_code=200,
    responses=refusals(
        *OPERATOR, *WITH_IDEMPOTENCY, "not_found", "registration_state", "live_key_required", "tenant_closed"
    ),
    summary="Bring a tenant's registration to AWS for review",
)
async def prepare_tenant_registration(
    request: ApiRequest, tenant_id: FromPath[str], registration_id: FromPath[str], desk: NamedDependency[Desk]
) -> Response[RegistrationView]:
    """Begin to bring it to AWS."""
    return await start_one(request, desk, _for(tenant_id), id_of(registration_id), "review")


@get(
    _ONE + "/review",
    responses=refusals(*OPERATOR, "not_found"),
    summary="Compare a tenant's registration with what AWS holds",
)
async def review_tenant_registration(
    tenant_id: FromPath[str], registration_id: FromPath[str], desk: NamedDependency[Desk]
) -> ReviewView:
    """Return each field as it was filled in and as AWS holds it now."""
    return await review_one(desk, _for(tenant_id), id_of(registration_id))


@post(
    _ONE + "/confirm-cost",
    status_code=200,
    responses=refusals(
        *OPERATOR,
        *WITH_BODY,
        *WITH_IDEMPOTENCY,
        "not_found",
        "conflict",
        "live_key_required",
        "tenant_closed",
    ),
    summary="Accept the cost of a tenant's registration",
)
async def confirm_tenant_registration_cost(
    request: ApiRequest,
    tenant_id: FromPath[str],
    registration_id: FromPath[str],
    data: JSONBody[CostBody],
    desk: NamedDependency[Desk],
) -> Response[RegistrationView]:
    """Allow what costs."""
    wanted = id_of(registration_id)
    return await confirm_one(request, desk, _for(tenant_id), wanted, data)


@post(
    _ONE + "/submit",
    status_code=200,
    responses=refusals(
        *OPERATOR,
        *WITH_IDEMPOTENCY,
        "not_found",
        "registration_state",
        "registration_not_compliant",
        "cost_not_confirmed",
        "live_key_required",
        "tenant_closed",
    ),
    summary="Submit a tenant's registration",
)
async def submit_tenant_registration(
    request: ApiRequest, tenant_id: FromPath[str], registration_id: FromPath[str], desk: NamedDependency[Desk]
) -> Response[RegistrationView]:
    """Hand it in."""
    return await start_one(request, desk, _for(tenant_id), id_of(registration_id), "submit")


@post(
    _ONE + "/versions",
    status_code=201,
    responses=refusals(*OPERATOR, *WITH_IDEMPOTENCY, "not_found", "registration_state"),
    summary="Begin a new version of a tenant's registration",
)
async def create_tenant_registration_version(
    request: ApiRequest, tenant_id: FromPath[str], registration_id: FromPath[str], desk: NamedDependency[Desk]
) -> Response[RegistrationView]:
    """Open another draft."""
    return await renew_one(request, desk, _for(tenant_id), id_of(registration_id))


@post(
    _ONE + "/retry",
    status_code=200,
    responses=refusals(*OPERATOR, *WITH_IDEMPOTENCY, "not_found", "registration_state"),
    summary="Go on at once with a registration that waits",
    description="After a quota was raised or a permission given; else the gateway tries every half hour.",
)
async def retry_tenant_registration(
    request: ApiRequest, tenant_id: FromPath[str], registration_id: FromPath[str], desk: NamedDependency[Desk]
) -> Response[RegistrationView]:
    """Make a registration that is under way due now."""
    speaker, wanted = _for(tenant_id), id_of(registration_id)
    form = await form_of(desk, speaker, wanted)
    now = desk.services.clock.now()

    async def act(session: AsyncSession) -> service.RegistrationView:
        return await operating.retry(speaker.scope, session, wanted, now=now)

    return await answer_with(request, desk, speaker, form, act)
