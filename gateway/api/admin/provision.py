"""`POST /v1/admin/tenants/{id}/provision` and what it made: the tenant's senders, pools and sets at AWS."""

from collections.abc import Iterator
from typing import Annotated

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.idempotency import OPERATOR as OPERATOR_KEYS
from gateway.api.idempotency import claim_key, fingerprint_of, key_of
from gateway.api.lists.paging import DEFAULT_LIMIT, MAX_LIMIT, After, Limit, Page, id_after, page_of
from gateway.api.path_ids import named_tenant
from gateway.api.refusals import Refusal
from gateway.api.v1.senders import (
    ConfigurationSetView,
    PoolView,
    SenderView,
    configuration_set_view,
    pool_views,
    sender_view,
)
from gateway.carrier.provision.ports import (
    ProvisionRefused,
    ProvisionRequest,
    ProvisionResult,
    SenderWish,
)
from gateway.intake.outcome import FieldFault
from tenants.accounts import service as accounts
from tenants.errors import InvalidId
from tenants.ids import decode
from tenants.registrations.sender_ids import refusal_of
from tenants.scope import TenantScope
from tenants.senders import store


class ProvisionBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a tenant needs at AWS; the whole body may be left out."""

    account: Annotated[str, Meta(max_length=40)] | None = None
    """`acc_…`; the first route where absent."""
    senders: Annotated[list[SenderWish], Meta(max_length=100)] = []
    """Empty for one sender of a fitting type in each of the tenant's countries."""
    dedicated_pool: bool = True
    """Whether one of the account's 25 AWS pools is spent on the tenant."""


class ProvisionView(Struct, frozen=True, kw_only=True):
    """What the tenant has now, and what this run did about it."""

    senders: list[SenderView]
    pools: list[PoolView]
    configuration_sets: list[ConfigurationSetView]
    created: list[str]
    """ARNs made by this run."""
    adopted: list[str]
    """ARNs that were there already."""
    waiting: list[str]
    """ARNs that AWS has not activated yet; provision again later."""


@post(
    "/tenants/{tenant_id:str}/provision",
    status_code=200,
    responses=refusals(*OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found", "provision_refused"),
    summary="Make what a tenant needs at AWS",
    description=(
        "Creates or adopts senders, pool, configuration set, event destination and opt-out list, at the pace "
        "AWS allows. Asking again makes nothing twice, with or without an Idempotency-Key."
    ),
)
async def provision_tenant(
    request: ApiRequest,
    tenant_id: FromPath[str],
    desk: NamedDependency[Desk],
    data: JSONBody[ProvisionBody | None] = None,
) -> ProvisionView:
    """Bring AWS and the tenant's tables to what was asked; no transaction is open meanwhile."""
    scope = named_tenant(tenant_id)
    await claim_run(request, desk, scope)
    result = await desk.services.provisioner.provision(scope, provision_request(data or ProvisionBody()))
    if isinstance(result, ProvisionRefused):
        raise Refusal("provision_refused", result.detail)
    return await provision_view(desk, scope, result)


async def provision_view(desk: Desk, scope: TenantScope, result: ProvisionResult) -> ProvisionView:
    """Tell admission of what a run made, and return all that the tenant has now."""
    await desk.services.policy_changed(scope.tenant_id)
    async with desk.operator() as session:
        senders = await store.senders(scope, session, limit=MAX_LIMIT)
        pools = await store.pools(scope, session, limit=MAX_LIMIT)
        sets = await store.configuration_sets(scope, session)
        return ProvisionView(
            senders=[sender_view(row) for row in senders],
            pools=await pool_views(scope, session, list(pools)),
            configuration_sets=[configuration_set_view(row) for row in sets],
            created=list(result.created),
            adopted=list(result.adopted),
            waiting=list(result.waiting),
        )


@get(
    "/tenants/{tenant_id:str}/senders",
    responses=refusals(*OPERATOR, "not_found"),
    summary="List a tenant's senders",
)
async def list_tenant_senders(
    request: ApiRequest,
    tenant_id: FromPath[str],
    desk: NamedDependency[Desk],
    limit: Limit = DEFAULT_LIMIT,
    after: After = None,
) -> Page[SenderView]:
    """Return a page of origination identities, the newest first."""
    scope = named_tenant(tenant_id)
    async with desk.operator() as session:
        await accounts.get(scope, session)
        rows = await store.senders(scope, session, limit=limit + 1, after=id_after(request, after))
    return page_of(request, rows, limit, view=sender_view, place=lambda row: row.id)


async def claim_run(request: ApiRequest, desk: Desk, scope: TenantScope) -> None:
    """The run is idempotent by itself; the key only has to stand for this request and no other."""
    key = key_of(request)
    async with desk.operator() as session:
        await accounts.get(scope, session)
        if key is not None:
            fingerprint = await fingerprint_of(request)
            await claim_key(session, OPERATOR_KEYS, key, fingerprint, status=200)


def provision_request(body: ProvisionBody) -> ProvisionRequest:
    """
    Return what the body asks for.

    Raises:
        Refusal: 422 naming each sender id that is left out or that carriers do not take.
    """
    faults = tuple(fault for at, wish in enumerate(body.senders) for fault in _faults(at, wish))
    if faults:
        raise Refusal("validation_failed", faults[0].detail, errors=faults)
    try:
        account = None if body.account is None else decode("acc", body.account)
    except InvalidId as error:
        raise Refusal.of_field("/account", "invalid_id", str(error)) from error
    return ProvisionRequest(
        account_id=account, senders=tuple(body.senders), dedicated_pool=body.dedicated_pool
    )


def _faults(at: int, wish: SenderWish) -> Iterator[FieldFault]:
    field = f"/senders/{at}/value"
    if wish.type != "SENDER_ID":
        return
    if wish.value is None:
        yield FieldFault(field=field, code="required", detail="Name the sender id that is wanted.")
    elif (wrong := refusal_of(wish.value, wish.country)) is not None:
        yield FieldFault(field=field, code=wrong.code, detail=f"{wrong.detail}; {wrong.fix}.")
