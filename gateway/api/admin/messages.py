"""`/v1/admin/messages`: the operator's search over all tenants, written into the audit trail."""

from typing import Annotated, Final
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, refusals
from gateway.api.lists.message_query import MessageQuery, message_query
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, page_of
from gateway.api.path_ids import query_id
from gateway.api.refusals import Refusal
from gateway.insight import search
from gateway.insight.records import MessageRecord, Numbers, record_of
from gateway.insight.search import Wanted
from tenants.accounts.models import Tenant
from tenants.accounts.sealing import DataKey
from tenants.audit import store as audit
from tenants.budgets.budget import PLATFORM
from tenants.ids import encode
from tenants.scope import TenantScope

MOST_KEYS: Final = 2_000
"""Tenants under whose keys a number is looked for at once."""

OneTenant = Annotated[str | None, QueryParameter(name="tenant", max_length=40, description="Tenant id")]
AsNumbers = Annotated[
    Numbers,
    QueryParameter(description="`full` shows recipients whole; the audit trail says that they were shown."),
]


@get(
    "/messages",
    dependencies={"looked_for": Provide(message_query)},
    responses=refusals(*OPERATOR, "invalid_number", "search_too_wide"),
    summary="Search messages of all tenants",
    description=(
        "By any of their fields, of both modes, the newest first; never with their texts. Every search is in "
        "the audit trail of the tenant that it names, or in `/v1/admin/audit` where it names none."
    ),
)
async def search_messages(
    request: ApiRequest,
    desk: NamedDependency[Desk],
    looked_for: NamedDependency[MessageQuery],
    *,
    limit: Limit = DEFAULT_LIMIT,
    after: After = None,
    tenant: OneTenant = None,
    numbers: AsNumbers = "masked",
) -> Page[MessageRecord]:
    """Return a page of messages."""
    tenant_id = None if tenant is None else query_id("ten", tenant, "?tenant")
    wanted = await wanted_by_operator(desk, looked_for, tenant_id)
    async with desk.operator() as session:
        await note_look(session, "messages.searched", looked_for, tenant_id=tenant_id, numbers=numbers)
        async with search.bounded(session):
            rows = await search.page_of_all(
                session, wanted, tenant_id=tenant_id, limit=limit + 1, after=id_after(request, after)
            )
    keys = {row.tenant_id: await desk.services.data_keys.of(row.tenant_id) for row in rows}
    return page_of(
        request,
        rows,
        limit,
        view=lambda row: record_of(row, keys[row.tenant_id], numbers),
        place=lambda row: row.id,
    )


async def wanted_by_operator(desk: Desk, looked_for: MessageQuery, tenant_id: UUID | None) -> Wanted:
    """
    Return the search with the recipient under the keys of the tenant, or of all.

    Raises:
        Refusal: 422: there are too many tenants to look for a number with all their keys.
    """
    if looked_for.to is None:
        return looked_for.wanted
    keys: list[tuple[UUID, DataKey]] = [
        (each, await desk.services.data_keys.of(each)) for each in await _tenants(desk, tenant_id)
    ]
    return looked_for.under(keys)


async def note_look(
    session: AsyncSession, action: str, looked_for: MessageQuery, *, tenant_id: UUID | None, numbers: Numbers
) -> None:
    """Write down that the operator looked, by what, and whether numbers were shown; never at which number."""
    await audit.append(
        TenantScope(tenant_id=tenant_id or PLATFORM),
        session,
        action=action,
        subject="all" if tenant_id is None else encode("ten", tenant_id),
        detail={"by": list(looked_for.names), "numbers": numbers},
    )


async def _tenants(desk: Desk, tenant_id: UUID | None) -> list[UUID]:
    query = select(Tenant.id).limit(MOST_KEYS + 1)
    if tenant_id is not None:
        query = query.where(Tenant.id == tenant_id)
    async with desk.operator() as session:
        found = list(await session.scalars(query))
    if len(found) > MOST_KEYS:
        raise Refusal.of_field(
            "?tenant", "required", f"There are over {MOST_KEYS:,} tenants: name one to look for a number."
        )
    return found
