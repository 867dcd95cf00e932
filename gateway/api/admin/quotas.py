"""`/v1/admin/tenants/{id}/senders/{id}` and `…/mps-increases`: quotas of senders, and asking AWS for more."""

from typing import Annotated

from litestar import Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, page_of
from gateway.api.path_ids import named_tenant, path_id
from gateway.api.v1.sender_gates import SenderGatesView, read_gates
from gateway.messages.view import timestamp
from tenants.accounts import service as accounts
from tenants.ids import encode
from tenants.rates import Rate
from tenants.senders import quotas
from tenants.senders.models import MpsIncrease
from tenants.senders.quotas import QuotaChange


class IncreaseBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An increase that was asked for at AWS."""

    parts_per_second: Rate
    country: Annotated[str, Meta(pattern=r"^[A-Z]{2}\Z")] | None = None
    """Destination country; every country of the sender where absent."""
    case_id: Annotated[str, Meta(max_length=100)] | None = None
    """The support case at AWS."""
    note: Annotated[str, Meta(max_length=500)] | None = None


class GrantBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What AWS granted; the whole body may be left out."""

    parts_per_second: Rate | None = None
    """Where it is not what was asked for."""


class IncreaseView(Struct, frozen=True, kw_only=True):
    """An increase of a sender's MPS on its way."""

    id: str
    sender_id: str
    country: str | None
    requested_parts_per_second: float
    granted_parts_per_second: float | None
    state: str
    """`requested`, `approved` or `denied`; the quota changes when it is approved."""
    case_id: str | None
    note: str | None
    created_at: str | None
    decided_at: str | None


def increase_view(row: MpsIncrease) -> IncreaseView:
    """Return a row as the wire shows it."""
    return IncreaseView(
        id=encode("inc", row.id),
        sender_id=encode("idn", row.sender_id),
        country=row.country,
        requested_parts_per_second=row.requested_parts_per_second,
        granted_parts_per_second=row.granted_parts_per_second,
        state=row.state,
        case_id=row.case_id,
        note=row.note,
        created_at=timestamp(row.created_at),
        decided_at=timestamp(row.decided_at),
    )


@patch(
    "/tenants/{tenant_id:str}/senders/{sender_id:str}",
    responses=refusals(*OPERATOR, *WITH_BODY, "not_found"),
    summary="Set a sender's quotas",
    description=(
        "What AWS or the carriers granted otherwise than by the facts: MPS, MPS by country, parts per day, "
        "the 10DLC campaign. What is absent stays, null returns to the facts. Queued messages follow within "
        "seconds."
    ),
)
async def set_sender_quota(
    tenant_id: FromPath[str],
    sender_id: FromPath[str],
    data: JSONBody[QuotaChange],
    desk: NamedDependency[Desk],
) -> SenderGatesView:
    """Change what differs from the facts, and return the gates that are then in force."""
    scope, sender = named_tenant(tenant_id), path_id("idn", sender_id, "sender")
    async with desk.operator() as session:
        await quotas.change_quota(scope, session, sender, data)
        view = await read_gates(scope, session, sender)
    await desk.services.policy_changed(scope.tenant_id)
    return view


@post(
    "/tenants/{tenant_id:str}/senders/{sender_id:str}/mps-increases",
    status_code=201,
    responses=refusals(*OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found"),
    summary="Note an MPS increase asked for",
    description="Nothing is faster until it is approved: AWS throttles what is above the old rate.",
)
async def request_mps_increase(
    request: ApiRequest,
    tenant_id: FromPath[str],
    sender_id: FromPath[str],
    data: JSONBody[IncreaseBody],
    desk: NamedDependency[Desk],
) -> Response[IncreaseView]:
    """Keep track of a request to AWS."""
    scope, sender = named_tenant(tenant_id), path_id("idn", sender_id, "sender")

    async def work(session: AsyncSession) -> IncreaseView:
        row = await quotas.request_increase(
            scope,
            session,
            sender,
            parts_per_second=data.parts_per_second,
            country=data.country,
            case_id=data.case_id,
            note=data.note,
        )
        return increase_view(row)

    return await desk.operator_once(request, work, status=201)


@get(
    "/tenants/{tenant_id:str}/mps-increases",
    responses=refusals(*OPERATOR, "not_found"),
    summary="List MPS increases",
)
async def list_mps_increases(
    request: ApiRequest,
    tenant_id: FromPath[str],
    desk: NamedDependency[Desk],
    limit: Limit = DEFAULT_LIMIT,
    after: After = None,
) -> Page[IncreaseView]:
    """Return a page of a tenant's increases, the newest first."""
    scope = named_tenant(tenant_id)
    async with desk.operator() as session:
        await accounts.get(scope, session)
        rows = await quotas.increases(scope, session, limit=limit + 1, after=id_after(request, after))
    return page_of(request, rows, limit, view=increase_view, place=lambda row: row.id)


@post(
    "/tenants/{tenant_id:str}/mps-increases/{increase_id:str}/approve",
    status_code=200,
    responses=refusals(*OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found", "conflict"),
    summary="Approve an MPS increase",
    description="AWS granted it: the sender's quota changes at once. Approving again changes nothing.",
)
async def approve_mps_increase(
    request: ApiRequest,
    tenant_id: FromPath[str],
    increase_id: FromPath[str],
    desk: NamedDependency[Desk],
    data: JSONBody[GrantBody | None] = None,
) -> Response[IncreaseView]:
    """Write down that AWS granted it, in full or in part."""
    granted = data.parts_per_second if data else None
    return await _decide(request, (tenant_id, increase_id), desk, approved=True, granted=granted)


@post(
    "/tenants/{tenant_id:str}/mps-increases/{increase_id:str}/deny",
    status_code=200,
    responses=refusals(*OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found", "conflict"),
    summary="Deny an MPS increase",
    description="AWS refused it: the quota stays as it is.",
)
async def deny_mps_increase(
    request: ApiRequest, tenant_id: FromPath[str], increase_id: FromPath[str], desk: NamedDependency[Desk]
) -> Response[IncreaseView]:
    """Write down that AWS refused it."""
    return await _decide(request, (tenant_id, increase_id), desk, approved=False, granted=None)


async def _decide(
    request: ApiRequest, named: tuple[str, str], desk: Desk, *, approved: bool, granted: float | None
) -> Response[IncreaseView]:
    scope, increase = named_tenant(named[0]), path_id("inc", named[1], "MPS increase")

    async def work(session: AsyncSession) -> IncreaseView:
        row = await quotas.decide_increase(
            scope,
            session,
            increase,
            approved=approved,
            at=desk.services.clock.now(),
            parts_per_second=granted,
        )
        return increase_view(row)

    answer = await desk.operator_once(request, work, status=200)
    await desk.services.policy_changed(scope.tenant_id)
    return answer
