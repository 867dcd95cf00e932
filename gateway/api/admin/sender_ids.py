"""`/v1/admin/tenants/{id}/sender-ids`: one sender id in many countries, and whether AWS still has it."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Literal

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct, field
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.path_ids import named_tenant
from tenants.accounts import service as accounts
from tenants.accounts.plan import CountryCode
from tenants.ids import encode
from tenants.registrations import bulk_sender_ids as bulk
from tenants.registrations.bulk_sender_ids import BulkWish, SenderIdDrift
from tenants.registrations.models import BulkSenderId
from tenants.senders.service import MESSAGE_TYPES, MessageType

_HOME = "/tenants/{tenant_id:str}/sender-ids"
_Countries = Annotated[list[CountryCode], Meta(min_length=1, max_length=300)]

ValueFilter = Annotated[
    str | None, QueryParameter(name="sender_id", max_length=11, description="Only this sender id.")
]


class BulkBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sender id and where it is wanted."""

    sender_id: Annotated[str, Meta(min_length=1, max_length=11)]
    """3 to 11 letters, digits and hyphens that name the brand."""
    countries: _Countries | Literal["all"]
    """`all` is each country in which AWS has sender ids."""
    message_types: Annotated[list[MessageType], Meta(min_length=1, max_length=3)] = field(
        default_factory=lambda: list(MESSAGE_TYPES)
    )
    """What it is to carry; everything if absent."""


class BulkCountry(Struct, frozen=True, kw_only=True):
    """What became of one country."""

    sender_id: str
    country: str
    state: str
    """`waiting`, `created`, `adopted` (it was at AWS already), `registration_required`, `failed`."""
    account: str
    """`acc_…`"""
    arn: str | None
    monthly_usd: str | None
    """Dollars a month, as AWS said when it gave it."""
    code: str | None
    """AWS's reason, or the rule that it breaks."""
    detail: str | None


class BulkReport(Struct, frozen=True, kw_only=True):
    """How far it is, country by country."""

    total: int
    waiting: int
    created: int
    adopted: int
    registration_required: int
    failed: int
    monthly_usd: str
    """Sum of what was created or adopted."""
    data: list[BulkCountry]


class DriftReport(Struct, frozen=True, kw_only=True):
    """Every difference; none where AWS has what was given."""

    data: list[SenderIdDrift]


@post(
    _HOME + "/bulk",
    status_code=202,
    responses=refusals(*OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found", "conflict", "tenant_closed"),
    summary="Request a sender id in many countries",
    description=(
        "The scheduler asks AWS for one country a second and goes on past failures; a repetition tries again "
        "what failed and makes nothing twice. Countries that want a registration are reported and skipped."
    ),
)
async def request_sender_ids(
    request: ApiRequest, tenant_id: FromPath[str], data: JSONBody[BulkBody], desk: NamedDependency[Desk]
) -> Response[BulkReport]:
    """Order it; the report shows how far it is."""
    scope, now = named_tenant(tenant_id), desk.services.clock.now()
    wish = BulkWish(
        value=data.sender_id,
        countries=bulk.every_country() if isinstance(data.countries, str) else tuple(data.countries),
        message_types=tuple(dict.fromkeys(data.message_types)),
    )

    async def work(session: AsyncSession) -> BulkReport:
        await accounts.get(scope, session)
        await bulk.ask_for(scope, session, wish, now=now)
        return _report(await bulk.asked(scope, session, wish.value))

    return await desk.operator_once(request, work, status=202)


@get(
    _HOME + "/bulk",
    responses=refusals(*OPERATOR, "not_found"),
    summary="Follow requests for sender ids",
)
async def get_sender_ids_report(
    tenant_id: FromPath[str], desk: NamedDependency[Desk], *, sender_id: ValueFilter = None
) -> BulkReport:
    """Return each country that was asked for, with its state, its price and AWS's reason."""
    scope = named_tenant(tenant_id)
    async with desk.operator() as session:
        await accounts.get(scope, session)
        return _report(await bulk.asked(scope, session, sender_id))


@get(
    _HOME + "/drift",
    responses=refusals(*OPERATOR, "not_found"),
    summary="Compare a tenant's sender ids with AWS",
    description=(
        "Asks AWS now. `missing`, `unprotected`, `message_types`, `price`, or `not_asked_for`: the same "
        "sender id in a country that nobody asked for here."
    ),
)
async def get_sender_id_drift(tenant_id: FromPath[str], desk: NamedDependency[Desk]) -> DriftReport:
    """Return the differences between what was given and what AWS describes."""
    scope = named_tenant(tenant_id)
    async with desk.operator() as session:
        await accounts.get(scope, session)
    return DriftReport(data=await desk.services.registrations.sender_id_drift(scope))


def _report(rows: Sequence[BulkSenderId]) -> BulkReport:
    counts = Counter(row.state for row in rows)
    prices = (Decimal(row.monthly_usd) for row in bulk.given(rows) if row.monthly_usd)
    return BulkReport(
        total=len(rows),
        waiting=counts["waiting"],
        created=counts["created"],
        adopted=counts["adopted"],
        registration_required=counts["registration_required"],
        failed=counts["failed"],
        monthly_usd=str(sum(prices, Decimal("0.00"))),
        data=[_country(row) for row in rows],
    )


def _country(row: BulkSenderId) -> BulkCountry:
    return BulkCountry(
        sender_id=row.value,
        country=row.country,
        state=row.state,
        account=encode("acc", row.account_id),
        arn=row.arn,
        monthly_usd=row.monthly_usd,
        code=row.code,
        detail=row.detail,
    )
