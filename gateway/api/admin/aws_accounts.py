"""`/v1/admin/aws-accounts`: the routes by which messages leave."""

from typing import Annotated
from uuid import UUID

from litestar import get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, refusals
from gateway.api.refusals import Refusal
from gateway.messages.view import timestamp
from tenants.accounts import service as accounts
from tenants.errors import InvalidId
from tenants.ids import decode, encode
from tenants.scope import TenantScope
from tenants.senders import service, store
from tenants.senders.models import AwsAccount
from tenants.senders.service import AccountFacts

_Text = Annotated[str, Meta(min_length=1, max_length=2048)]
_Rate = Annotated[float, Meta(gt=0, le=10_000)]


class AwsAccountView(Struct, frozen=True, kw_only=True):
    """One AWS account in one Region."""

    id: str
    name: str
    region: str
    endpoint_url: str | None
    role_arn: str | None
    external_id: str | None
    sends_per_second: float
    topic_arn: str | None
    """The SNS topic whose posts are believed."""
    shared_routes: bool
    owner: str | None
    """The tenant whose own account it is; null for the operator's."""
    created_at: str | None


class AwsAccounts(Struct, frozen=True, kw_only=True):
    """Every route; an operator has few."""

    data: list[AwsAccountView]
    next_cursor: None = None


class AwsAccountBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an account is reached and what it allows."""

    region: _Text
    endpoint_url: _Text | None = None
    """Another endpoint for its calls, such as the emulator's."""
    role_arn: _Text | None = None
    external_id: _Text | None = None
    sends_per_second: _Rate = 1.0
    """SendTextMessage requests per second; AWS starts every account at 1."""
    topic_arn: _Text | None = None
    subscription_arn: _Text | None = None
    shared_routes: bool | None = None
    """Whether its messages may leave by shared routes, if the tenant's plan agrees. Absent: as it is."""
    owner: Annotated[str, Meta(max_length=40)] | None = None
    """`ten_…` whose own account it is, and whom alone it carries. Absent: as it is."""


def aws_account_view(row: AwsAccount) -> AwsAccountView:
    """Return a route as the wire shows it."""
    return AwsAccountView(
        id=encode("acc", row.id),
        name=row.name,
        region=row.region,
        endpoint_url=row.endpoint_url,
        role_arn=row.role_arn,
        external_id=row.external_id,
        sends_per_second=row.sends_per_second,
        topic_arn=row.topic_arn,
        shared_routes=row.shared_routes,
        owner=None if row.owner_id is None else encode("ten", row.owner_id),
        created_at=timestamp(row.created_at),
    )


@get("/aws-accounts", responses=refusals(*OPERATOR), summary="List AWS accounts")
async def list_aws_accounts(desk: NamedDependency[Desk]) -> AwsAccounts:
    """Return every route, the oldest first."""
    async with desk.operator() as session:
        rows = await store.accounts(session)
    return AwsAccounts(data=[aws_account_view(row) for row in rows])


@put(
    "/aws-accounts/{name:str}",
    responses=refusals(*OPERATOR, *WITH_BODY),
    summary="Add or change an AWS account",
)
async def put_aws_account(
    name: FromPath[str], data: JSONBody[AwsAccountBody], desk: NamedDependency[Desk]
) -> AwsAccountView:
    """Add or replace the route of that name."""
    facts = AccountFacts(
        **{field: getattr(data, field) for field in data.__struct_fields__ if field != "owner"},
        owner_id=None if data.owner is None else _owner(data.owner),
    )
    async with desk.operator() as session:
        if facts.owner_id is not None:
            await accounts.get(TenantScope(tenant_id=facts.owner_id), session)
        return aws_account_view(await service.ensure_account(session, facts, name=name))


def _owner(text: str) -> UUID:
    try:
        return decode("ten", text)
    except InvalidId as error:
        raise Refusal.of_field("/owner", "invalid_id", str(error)) from error
