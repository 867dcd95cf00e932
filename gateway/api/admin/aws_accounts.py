"""`/v1/admin/aws-accounts`: the routes by which messages leave."""

from typing import Annotated
from uuid import UUID

from litestar import get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, Struct, UnsetType

from gateway.api.admin.own_trail import note
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, refusals
from gateway.api.lists.paging import After, Page
from gateway.api.lists.short_lists import ShortLimit, part_of
from gateway.api.path_ids import path_id
from gateway.api.refusals import Refusal
from gateway.carrier.check_ports import AccountCheck
from gateway.messages.view import timestamp
from gateway.routing import operating
from tenants.accounts import service as accounts
from tenants.errors import InvalidId, NotFound
from tenants.ids import decode, encode
from tenants.rates import RequestRate
from tenants.scope import TenantScope
from tenants.senders import service, store
from tenants.senders.models import AwsAccount
from tenants.senders.service import AccountFacts

_SnsArn = Annotated[str, Meta(pattern=r"^arn:aws[a-z-]*:sns:[^\s\x00]+\Z", max_length=2048)]
_Region = Annotated[str, Meta(pattern=r"^[a-z]{2}(-[a-z]{2,12}){1,3}-[0-9]{1,2}\Z", max_length=40)]
_Endpoint = Annotated[
    str,
    Meta(
        pattern=r"^https?://[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?\Z",
        max_length=2048,
    ),
]
_RoleArn = Annotated[
    str, Meta(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{1,12}:role/[A-Za-z0-9+=,.@_/-]+\Z", max_length=2048)
]
_ExternalId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9+=,.@:/_-]{2,1224}\Z")]
"""As STS takes them."""
_Bucket = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")]


class AwsAccountView(Struct, frozen=True, kw_only=True):
    """One AWS account in one Region."""

    id: str
    name: str
    region: str
    endpoint_url: str | None
    role_arn: str | None
    external_id: str | None
    sends_per_second: float
    media_per_second: float
    voice_per_second: float
    media_bucket: str | None
    topic_arn: str | None
    """The SNS topic whose posts are believed."""
    shared_routes: bool
    sandbox: bool
    """Whether the account is in AWS's sandbox, from which only verified numbers are reached."""
    owner: str | None
    """The tenant whose own account it is; null for the operator's."""
    created_at: str | None


class AwsAccountBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    How an account is reached and what it allows.

    What is absent stays as it is; `null` makes it what a new account has.
    """

    region: _Region | UnsetType = UNSET
    """A new account needs one."""
    endpoint_url: _Endpoint | UnsetType | None = UNSET
    """Another endpoint for all its calls, STS and SNS too, such as the emulator's."""
    role_arn: _RoleArn | UnsetType | None = UNSET
    """A role that the gateway's own credentials may assume, where the account is another one's."""
    external_id: _ExternalId | UnsetType | None = UNSET
    """What the role's trust policy asks for as `sts:ExternalId`."""
    sends_per_second: RequestRate | UnsetType | None = UNSET
    """SendTextMessage requests per second; AWS starts every account at 1."""
    media_per_second: RequestRate | UnsetType | None = UNSET
    """SendMediaMessage requests per second, which AWS counts by themselves; at first 1."""
    voice_per_second: RequestRate | UnsetType | None = UNSET
    """SendVoiceMessage requests per second; at first 1."""
    media_bucket: _Bucket | UnsetType | None = UNSET
    """The S3 bucket of this account and Region in which files for MMS are staged."""
    topic_arn: _SnsArn | UnsetType | None = UNSET
    subscription_arn: _SnsArn | UnsetType | None = UNSET
    shared_routes: bool | UnsetType | None = UNSET
    """Whether its messages may leave by shared routes, if the tenant's plan agrees; at first not."""
    sandbox: bool | UnsetType | None = UNSET
    """Whether AWS has it in its sandbox; provisioning asks AWS itself."""
    owner: Annotated[str, Meta(max_length=40)] | UnsetType | None = UNSET
    """`ten_…` whose own account it is, and whom alone it carries. It keeps its role while it has an owner."""


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
        media_per_second=row.media_per_second,
        voice_per_second=row.voice_per_second,
        media_bucket=row.media_bucket,
        topic_arn=row.topic_arn,
        shared_routes=row.shared_routes,
        sandbox=row.sandbox,
        owner=None if row.owner_id is None else encode("ten", row.owner_id),
        created_at=timestamp(row.created_at),
    )


@get("/aws-accounts", responses=refusals(*OPERATOR), summary="List AWS accounts")
async def list_aws_accounts(
    request: ApiRequest, desk: NamedDependency[Desk], limit: ShortLimit = None, after: After = None
) -> Page[AwsAccountView]:
    """Return every route, the oldest first."""
    async with desk.operator() as session:
        rows = await store.accounts(session)
    return part_of(request, [aws_account_view(row) for row in rows], limit, after)


@put(
    "/aws-accounts/{name:str}",
    responses=refusals(*OPERATOR, *WITH_BODY),
    summary="Add or change an AWS account",
    description=(
        "Changes only what the body names; `null` makes a field what a new account has. What waits of "
        "tenants that lose the account, or its shared routes, goes to their other senders; where there is "
        "none it waits until its life ends."
    ),
)
async def put_aws_account(
    name: FromPath[str], data: JSONBody[AwsAccountBody], desk: NamedDependency[Desk]
) -> AwsAccountView:
    """Add the route of that name, or change of it what the body names."""
    facts = AccountFacts(
        **{field: getattr(data, field) for field in data.__struct_fields__ if field != "owner"},
        owner_id=_owner(data.owner) if isinstance(data.owner, str) else data.owner,
    )
    async with desk.operator() as session:
        if isinstance(facts.owner_id, UUID):
            await accounts.get(TenantScope(tenant_id=facts.owner_id), session)
        row = await service.ensure_account(session, facts, name=name)
        if data.owner is not UNSET or data.shared_routes is not UNSET:
            await operating.follow_account(session, row.id)
        await note(session, "aws_account.put", encode("acc", row.id), name=name, fields=_named(data))
        return aws_account_view(row)


@post(
    "/aws-accounts/{account_id:str}/check",
    status_code=200,
    responses=refusals(*OPERATOR, "not_found"),
    summary="Try an AWS account",
    description=(
        "Asks AWS whether the account could carry messages now: credentials or role, "
        "DescribeAccountAttributes, and a dry run of SendTextMessage. Sends nothing and changes nothing."
    ),
)
async def check_aws_account(account_id: FromPath[str], desk: NamedDependency[Desk]) -> AccountCheck:
    """Return each step with AWS's own words; 200 also where a step failed."""
    wanted = path_id("acc", account_id, "AWS account")
    async with desk.operator() as session:
        found = [row for row in await store.accounts(session) if row.id == wanted]
    if not found:
        raise NotFound("AWS account")
    return await desk.services.account_check(found[0])


def _named(data: AwsAccountBody) -> list[str]:
    return [field for field in data.__struct_fields__ if getattr(data, field) is not UNSET]


def _owner(text: str) -> UUID:
    try:
        return decode("ten", text)
    except InvalidId as error:
        raise Refusal.of_field("/owner", "invalid_id", str(error)) from error
