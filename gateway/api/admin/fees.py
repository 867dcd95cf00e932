"""`/v1/admin/tenants/{id}/fees`: what a tenant owes beside its messages, and waiving it."""

from typing import Annotated, Final, Literal

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, page_of
from gateway.api.path_ids import named_tenant, path_id
from tenants.credits import owed_fees, service
from tenants.credits.money import format_amount
from tenants.credits.owed_fees import Fee
from tenants.ids import encode

_SUBJECTS: Final = {"lease": "idn", "lease_end": "idn", "platform": "ten", "registration": "reg"}

WhichFees = Annotated[
    Literal["open", "charged", "waived"] | None,
    QueryParameter(name="state", description="Only these; all if absent."),
]


class FeeView(Struct, frozen=True, kw_only=True):
    """A fee of a month, or a one-time one."""

    id: str
    """`fee_…`"""
    month: str
    """The month in which it is owed, `2026-11`."""
    item: str
    """`lease`, `lease_end` (what is given back of one), `platform` or `registration`."""
    subject: str
    """The sender, the registration, or for the platform's fee the tenant."""
    amount: str
    """In `unit`; negative for what is given back."""
    unit: str
    """`usd` or `credits`."""
    note: str
    state: str
    """`open` until the balance covers it, then `charged`; or `waived`."""
    waived_why: str | None


class Waiver(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a fee is let go."""

    reason: Annotated[str, Meta(min_length=1, max_length=500)]
    """The tenant reads it on its statement."""


def fee_view(fee: Fee) -> FeeView:
    """Return a fee as the wire writes it."""
    return FeeView(
        id=encode("fee", fee.id),
        month=f"{fee.month:%Y-%m}",
        item=fee.item,
        subject=encode(_SUBJECTS[fee.item], fee.subject_id),
        amount=format_amount(fee.amount, fee.unit),
        unit="usd" if fee.unit == "micros" else fee.unit,
        note=fee.note,
        state=fee.state,
        waived_why=fee.waived_why,
    )


@get(
    "/tenants/{tenant_id:str}/fees",
    responses=refusals(*OPERATOR, "not_found"),
    summary="List a tenant's fees",
)
async def list_tenant_fees(
    request: ApiRequest,
    tenant_id: FromPath[str],
    desk: NamedDependency[Desk],
    *,
    limit: Limit = DEFAULT_LIMIT,
    after: After = None,
    which: WhichFees = None,
) -> Page[FeeView]:
    """Return leases, platform fees and registrations, the newest first."""
    scope = named_tenant(tenant_id)
    async with desk.operator() as session:
        await service.balance(scope, session)
        found = await owed_fees.page(
            scope, session, limit=limit + 1, after=id_after(request, after), state=which
        )
    return page_of(request, found, limit, view=fee_view, place=lambda fee: fee.id)


@post(
    "/tenants/{tenant_id:str}/fees/{fee_id:str}/waive",
    status_code=200,
    responses=refusals(*OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found", "fee_charged"),
    summary="Waive an open fee",
)
async def waive_fee(
    *,
    request: ApiRequest,
    tenant_id: FromPath[str],
    fee_id: FromPath[str],
    data: JSONBody[Waiver],
    desk: NamedDependency[Desk],
) -> Response[FeeView]:
    """Let a fee go that is not charged yet; one in the ledger is given back by a correction instead."""
    scope, fee = named_tenant(tenant_id), path_id("fee", fee_id, "fee")

    async def work(session: AsyncSession) -> FeeView:
        return fee_view(await owed_fees.waive(scope, session, fee, reason=data.reason))

    return await desk.operator_once(request, work, status=200)
