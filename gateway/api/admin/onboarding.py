"""`/v1/admin/onboardings` and a tenant's onboarding by the operator's hand, on the tenant's behalf."""

import asyncio
from typing import Annotated, Final

from litestar import Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, Struct
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, page_of
from gateway.api.path_ids import named_tenant
from gateway.api.v1.onboarding import checked
from gateway.api.v1.onboarding_views import (
    GivenAnswers,
    OnboardingView,
    onboarding_view,
    onboarding_views,
)
from gateway.onboarding.finishing import finish
from tenants.accounts import service as accounts
from tenants.onboarding import service, store
from tenants.onboarding.relationship import Registrant
from tenants.scope import TenantScope

_POST: Final = refusals(*OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found", "onboarding_not_ready")
_JUDGED: Final = refusals(
    *OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found", "onboarding_not_ready", "answers_changed"
)


class SentBack(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the tenant has to change."""

    why: Annotated[str, Meta(min_length=1, max_length=1000)]
    version: int | None = None
    """The onboarding's `version` that was read; answers that changed since are then not sent back unseen."""


class AnswersApproval(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is approved."""

    version: int | None = None
    """The onboarding's `version` that was read; answers that changed since are then not approved unseen."""


class Decision(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose data is registered."""

    registrant: Registrant
    version: int | None = None
    """The onboarding's `version` that was read; answers that changed since are then not decided on unseen."""


@get(
    "/onboardings",
    responses=refusals(*OPERATOR),
    summary="List onboardings",
    description="Every tenant that has begun, with its checklist: whose turn it is, and since when.",
)
async def list_onboardings(
    request: ApiRequest, desk: NamedDependency[Desk], *, limit: Limit = DEFAULT_LIMIT, after: After = None
) -> Page[OnboardingView]:
    """Return a page of onboardings."""
    async with desk.operator() as session:
        rows = await store.page_of_all(session, limit=limit + 1, after=id_after(request, after))
        ids = [row.tenant_id for row in rows]
        keys = await asyncio.gather(*(desk.services.data_keys.of(each) for each in ids))
        views = await onboarding_views(session, rows, dict(zip(ids, keys, strict=True)))
    shown = list(zip(ids, views, strict=True))
    return page_of(request, shown, limit, view=lambda each: each[1], place=lambda each: each[0])


@get(
    "/tenants/{tenant_id:str}/onboarding",
    responses=refusals(*OPERATOR, "not_found"),
    summary="Read a tenant's onboarding",
)
async def get_tenant_onboarding(tenant_id: FromPath[str], desk: NamedDependency[Desk]) -> OnboardingView:
    """Return one onboarding."""
    async with desk.operator() as session:
        return await _view(desk, session, named_tenant(tenant_id))


@patch(
    "/tenants/{tenant_id:str}/onboarding",
    responses=refusals(
        *OPERATOR, *WITH_BODY, "not_found", "answers_changed", "onboarding_not_ready", "tenant_closed"
    ),
    summary="Answer on a tenant's behalf",
    description="As the tenant would; the audit trail names the operator.",
)
async def answer_for_tenant(
    tenant_id: FromPath[str], data: JSONBody[GivenAnswers], desk: NamedDependency[Desk]
) -> OnboardingView:
    """Store answers that the tenant handed over."""
    scope, given = named_tenant(tenant_id), checked(data)
    version = None if data.version is UNSET else data.version
    async with desk.operator() as session:
        await accounts.get(scope, session)
        key = await desk.services.data_keys.of(scope.tenant_id)
        await service.answer(scope, session, key, given, version=version)
        return await _view(desk, session, scope)


@post(
    "/tenants/{tenant_id:str}/onboarding/approve",
    status_code=200,
    responses=_JUDGED,
    summary="Approve an onboarding",
    description="Registrations and provisioning may begin; countries and brand become the tenant's. With "
    "`version`, answers that changed since they were read are not approved. The body may be left out.",
)
async def approve_onboarding(
    request: ApiRequest,
    tenant_id: FromPath[str],
    desk: NamedDependency[Desk],
    data: JSONBody[AnswersApproval | None] = None,
) -> Response[OnboardingView]:
    """Approve the answers."""
    scope, seen = named_tenant(tenant_id), (data or AnswersApproval()).version

    async def work(session: AsyncSession) -> OnboardingView:
        await accounts.get(scope, session)
        key = await desk.services.data_keys.of(scope.tenant_id)
        await service.approve(scope, session, key, at=desk.services.clock.now(), version=seen)
        return await _view(desk, session, scope)

    answer = await desk.operator_once(request, work, status=200)
    await desk.services.policy_changed(scope.tenant_id)
    return answer


@post(
    "/tenants/{tenant_id:str}/onboarding/send-back",
    status_code=200,
    responses=_JUDGED,
    summary="Ask a tenant for changes",
    description="With `version`, answers that changed since they were read are not sent back.",
)
async def send_onboarding_back(
    request: ApiRequest, tenant_id: FromPath[str], data: JSONBody[SentBack], desk: NamedDependency[Desk]
) -> Response[OnboardingView]:
    """Say what has to change."""
    scope = named_tenant(tenant_id)

    async def work(session: AsyncSession) -> OnboardingView:
        await accounts.get(scope, session)
        await service.send_back(scope, session, why=data.why, version=data.version)
        return await _view(desk, session, scope)

    return await desk.operator_once(request, work, status=200)


@post(
    "/tenants/{tenant_id:str}/onboarding/decide",
    status_code=200,
    responses=_JUDGED,
    summary="Decide whose data is registered",
    description="Where the answer to the relationship question does not. With `version`, nothing is decided "
    "on answers that changed since they were read; another answer to the question takes the decision back.",
)
async def decide_relationship(
    request: ApiRequest, tenant_id: FromPath[str], data: JSONBody[Decision], desk: NamedDependency[Desk]
) -> Response[OnboardingView]:
    """Decide for the tenant or the operator."""
    scope = named_tenant(tenant_id)

    async def work(session: AsyncSession) -> OnboardingView:
        await accounts.get(scope, session)
        key = await desk.services.data_keys.of(scope.tenant_id)
        await service.decide(scope, session, key, data.registrant, version=data.version)
        return await _view(desk, session, scope)

    return await desk.operator_once(request, work, status=200)


@post(
    "/tenants/{tenant_id:str}/onboarding/go-live",
    status_code=200,
    responses=_POST,
    summary="Let a tenant go live",
    description="As the tenant would, once every other step is done.",
)
async def finish_tenant_onboarding(
    request: ApiRequest, tenant_id: FromPath[str], desk: NamedDependency[Desk]
) -> Response[OnboardingView]:
    """Let the tenant's live keys send."""
    scope = named_tenant(tenant_id)

    async def work(session: AsyncSession) -> OnboardingView:
        await accounts.get(scope, session)
        key = await desk.services.data_keys.of(scope.tenant_id)
        await finish(scope, session, key, at=desk.services.clock.now())
        return await _view(desk, session, scope)

    answer = await desk.operator_once(request, work, status=200)
    await desk.services.policy_changed(scope.tenant_id)
    return answer


async def _view(desk: Desk, session: AsyncSession, scope: TenantScope) -> OnboardingView:
    await accounts.get(scope, session)
    return await onboarding_view(scope, session, await desk.services.data_keys.of(scope.tenant_id))
