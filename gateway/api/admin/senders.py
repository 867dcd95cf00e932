"""`/v1/admin/tenants/{id}/senders`: adding one that exists at AWS, swapping it, putting it out of use."""

from collections.abc import Sequence
from typing import Annotated, TypeVar

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct, field, structs
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk, Work
from gateway.api.documented import OPERATOR, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.path_ids import named_tenant, path_id
from gateway.api.refusals import Refusal
from gateway.api.v1.senders import SenderView, sender_view
from gateway.lanes.gates import identity_rate
from gateway.routing import operating
from gateway.routing.reading import read_routing
from gateway.routing.succession import shortfall
from gateway.webhooks.announcements import announce
from tenants.accounts import service as accounts
from tenants.accounts.plan import CountryCode
from tenants.errors import InvalidId, InvalidInput
from tenants.ids import decode
from tenants.rates import Rate
from tenants.scope import TenantScope
from tenants.senders import service, swapping
from tenants.senders.identities import check_identity
from tenants.senders.membership import join_a_pool
from tenants.senders.routing import check_account
from tenants.senders.service import Channel, SenderFacts, SenderType
from tenants.templates.use_cases import RegisteredUse

Reason = Annotated[str, Meta(min_length=1, max_length=200)]
_Arn = Annotated[str, Meta(pattern=r"^arn:[!-~]+\Z", max_length=2048)]
_T = TypeVar("_T")
_CHANGES = refusals(*OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found")
_PLACED = refusals(*OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found", "pool_mismatch")


class NewSender(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An origination identity that exists at AWS: of the account, or shared with it and named by ARN."""

    account: Annotated[str, Meta(max_length=40)]
    """`acc_…`: the account whose calls name it."""
    type: SenderType
    value: Annotated[str, Meta(min_length=1, max_length=20)]
    """The number in E.164 and of the country, the short code, or the sender id."""
    country: CountryCode
    arn: _Arn
    """What the calls name; for `SHARED` the ARN of a pool with shared routes."""
    message_types: Annotated[list[service.MessageType], Meta(max_length=3)] = []
    """What it may carry; empty for all that AWS lets it carry."""
    parts_per_second: Rate | None = None
    """
    Its rate in message parts, for all tenants that share it together.

    Where absent it is what they have, or AWS's default for its type.
    """
    channels: Annotated[list[Channel], Meta(min_length=1, max_length=3)] = field(
        default_factory=lambda: ["sms"]
    )
    two_way: bool = False
    use_cases: Annotated[list[RegisteredUse], Meta(max_length=20)] = []
    """The use cases it is registered for, in AWS's words or ours; empty where no registration names one."""
    allow_mixed: bool = False
    """The operator's word that it may carry promotional messages beside others, which is refused without."""
    opt_out_list: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")] | None = None
    """The list at AWS that its recipients stop on; a pool takes only senders that share its own."""
    standby: bool = False
    """Kept ready to take another's place; sends nothing until then."""


class Swap(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who takes the place, and why."""

    standby: Annotated[str, Meta(max_length=40)]
    """`idn_…`; a standby or active sender that carries what the other does, by a route of the tenant's."""
    reason: Reason = "swapped by the operator"


class Because(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why; kept in the audit trail."""

    reason: Reason


class SwapView(Struct, frozen=True, kw_only=True):
    """The two after the swap."""

    out: SenderView
    standby: SenderView


class SwapTold(Struct, frozen=True, kw_only=True):
    """What the tenant is told; the numbers are in its list of senders."""

    out: str
    standby: str
    country: str
    reason: str


@post(
    "/tenants/{tenant_id:str}/senders",
    status_code=200,
    responses=_PLACED,
    summary="Add or change a sender that exists at AWS",
    description=(
        "By its ARN. Where AWS describes it to the account, it carries the messages that AWS names; others "
        "are refused at `/message_types`. A standby waits for a swap; another that is in no pool becomes the "
        "last of the tenant's oldest pool that it fits, or 409 `pool_mismatch` says why it fits none."
    ),
)
async def put_tenant_sender(
    request: ApiRequest, tenant_id: FromPath[str], data: JSONBody[NewSender], desk: NamedDependency[Desk]
) -> Response[SenderView]:
    """Store an origination identity of the tenant."""
    scope = named_tenant(tenant_id)
    facts = _facts(data)
    async with desk.operator() as session:
        await accounts.get(scope, session)
        account = await check_account(scope, session, facts.account_id)
    facts = _as_aws_says(facts, await desk.services.carried_types(account, facts))

    async def work(session: AsyncSession) -> SenderView:
        await accounts.get(scope, session)
        await check_account(scope, session, facts.account_id)
        left = await service.account_of(scope, session, facts.arn)
        shared = None if data.parts_per_second else await service.shared_rate(scope, session, facts.arn)
        row = await service.put_sender(
            scope, session, structs.replace(facts, parts_per_second=shared or facts.parts_per_second)
        )
        if row.state == "active":
            await join_a_pool(scope, session, row)
        if left not in {None, row.account_id}:
            await operating.follow_sender(scope, session, row.id)
        return sender_view(row)

    return await _changed(request, desk, scope, work)


@post(
    "/tenants/{tenant_id:str}/senders/{sender_id:str}/swap",
    status_code=200,
    responses=_PLACED,
    summary="Let a standby take a sender's place",
    description=(
        "In one step: the sender is disabled, the standby gets its place in every pool, queued messages move "
        "to the standby's line or another that fits. In force for sends within a second. Refused with what "
        "the standby lacks of the other's country, types, channels, answers and use cases, or for an account "
        "that is not among the tenant's routes."
    ),
)
async def swap_tenant_sender(
    request: ApiRequest,
    tenant_id: FromPath[str],
    sender_id: FromPath[str],
    data: JSONBody[Swap],
    desk: NamedDependency[Desk],
) -> Response[SwapView]:
    """Replace a blocked sender."""
    scope, out = named_tenant(tenant_id), path_id("idn", sender_id, "sender")
    now = desk.services.clock.now()
    try:
        standby = decode("idn", data.standby)
    except InvalidId as error:
        raise Refusal.of_field("/standby", "invalid_id", str(error)) from error

    async def work(session: AsyncSession) -> SwapView:
        pair = await swapping.pair(scope, session, out, standby_id=standby)
        await _check_succession(scope, session, pair)
        swapped = await swapping.swap(scope, session, pair, reason=data.reason)
        await operating.return_to_sender(scope, session, standby)
        await operating.leave_sender(scope, session, out, reason=data.reason, now=now)
        view = SwapView(out=sender_view(swapped.out), standby=sender_view(swapped.standby))
        told = SwapTold(
            out=view.out.id, standby=view.standby.id, country=view.out.country, reason=data.reason
        )
        await announce(scope, session, "sender.swapped", told)
        return view

    return await _changed(request, desk, scope, work)


@post(
    "/tenants/{tenant_id:str}/senders/{sender_id:str}/disable",
    status_code=200,
    responses=_CHANGES,
    summary="Put a sender out of use",
    description=(
        "Queued messages go to another sender that fits; where there is none they wait until their life ends."
    ),
)
async def disable_tenant_sender(
    request: ApiRequest,
    tenant_id: FromPath[str],
    sender_id: FromPath[str],
    data: JSONBody[Because],
    desk: NamedDependency[Desk],
) -> Response[SenderView]:
    """Stop using a sender."""
    scope, wanted, now = (
        named_tenant(tenant_id),
        path_id("idn", sender_id, "sender"),
        desk.services.clock.now(),
    )

    async def work(session: AsyncSession) -> SenderView:
        row = await swapping.disable(scope, session, wanted, reason=data.reason)
        await operating.leave_sender(scope, session, wanted, reason=data.reason, now=now)
        return sender_view(row)

    return await _changed(request, desk, scope, work)


@post(
    "/tenants/{tenant_id:str}/senders/{sender_id:str}/enable",
    status_code=200,
    responses=_CHANGES,
    summary="Let a disabled or standby sender send",
    description="Forgets what its health was.",
)
async def enable_tenant_sender(
    request: ApiRequest,
    tenant_id: FromPath[str],
    sender_id: FromPath[str],
    data: JSONBody[Because],
    desk: NamedDependency[Desk],
) -> Response[SenderView]:
    """Use a sender again."""
    scope, wanted = named_tenant(tenant_id), path_id("idn", sender_id, "sender")

    async def work(session: AsyncSession) -> SenderView:
        row = await swapping.enable(scope, session, wanted, reason=data.reason)
        await operating.return_to_sender(scope, session, wanted)
        return sender_view(row)

    return await _changed(request, desk, scope, work)


async def _changed(request: ApiRequest, desk: Desk, scope: TenantScope, work: Work[_T]) -> Response[_T]:
    answer = await desk.operator_once(request, work, status=200)
    await desk.services.policy_changed(scope.tenant_id)
    return answer


async def _check_succession(scope: TenantScope, session: AsyncSession, pair: swapping.Pair) -> None:
    plan = accounts.plan_of(await accounts.get(scope, session))
    routing = await read_routing(scope, session, plan)
    lacks = shortfall(routing, routing.senders[pair.out.id], routing.senders[pair.standby.id])
    if lacks is not None:
        raise Refusal.of_field("/standby", lacks.code, f"The standby cannot take the place: {lacks.detail}.")


def _as_aws_says(facts: SenderFacts, told: Sequence[service.MessageType] | None) -> SenderFacts:
    """AWS refuses each message of another type; where it says nothing, the operator's word holds."""
    if told is None or len(told) == len(service.MESSAGE_TYPES):
        return facts
    if not set(facts.message_types) <= set(told):
        detail = f"AWS lets it carry {' and '.join(told)} messages only"
        raise InvalidInput("/message_types", "not_carried", detail)
    return structs.replace(facts, message_types=facts.message_types or list(told))


def _facts(data: NewSender) -> SenderFacts:
    try:
        account = decode("acc", data.account)
    except InvalidId as error:
        raise Refusal.of_field("/account", "invalid_id", str(error)) from error
    check_identity(data.type, data.value, data.country)
    return SenderFacts(
        account_id=account,
        type=data.type,
        value=data.value,
        country=data.country,
        arn=data.arn,
        parts_per_second=data.parts_per_second or identity_rate(data.type, data.country),
        message_types=list(data.message_types),
        state="standby" if data.standby else "active",
        channels=list(data.channels),
        two_way=data.two_way,
        use_cases=list(data.use_cases),
        allow_mixed=data.allow_mixed,
        opt_out_list=data.opt_out_list,
    )
