"""`/v1/onboarding`: a tenant's way to its first live message."""

from typing import Final

from litestar import Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import UNSET
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.live_keys import require_live
from gateway.api.onboarding_rules import check_reach, check_senders
from gateway.api.refusals import Refusal
from gateway.api.v1.onboarding_views import (
    GivenAnswers,
    OnboardingView,
    onboarding_view,
    read_onboarding,
)
from gateway.carrier.provision.ports import ProvisionRefused, ProvisionRequest, SenderWish
from gateway.onboarding.finishing import finish
from tenants.accounts import service as accounts
from tenants.accounts.sealing import DataKey
from tenants.onboarding import service
from tenants.onboarding.steps import key_of
from tenants.scope import TenantScope

_READ: Final = {NEEDS: "senders:read"}
_WRITE: Final = {NEEDS: "keys"}
"""As much as creating keys: who may answer may bring cost."""
_PATCH: Final = refusals(*TENANT, *WITH_BODY, "answers_changed", "onboarding_not_ready", "tenant_closed")
_POST: Final = refusals(*TENANT, *WITH_IDEMPOTENCY, "onboarding_not_ready", "tenant_closed")


def checked(data: GivenAnswers) -> dict[str, object]:
    """
    Return the answers by name.

    Raises:
        Refusal: 422 for a country or a sender that does not exist.
    """
    if data.reach is not UNSET:
        check_reach(data.reach)
    if data.senders is not UNSET:
        check_senders(data.senders)
    return data.given()


@get(
    "/onboarding",
    opt=_READ,
    responses=refusals(*TENANT),
    summary="Read the onboarding",
    description="Answers so far and the checklist: what is done, whose turn it is, and what comes first.",
)
async def get_onboarding(request: ApiRequest, desk: NamedDependency[Desk]) -> OnboardingView:
    """Return the tenant's onboarding."""
    key = await desk.services.data_keys.of(request.auth.tenant_id)
    async with desk.tenant(request.auth) as session:
        return await onboarding_view(request.auth, session, key)


@patch(
    "/onboarding",
    opt=_WRITE,
    responses=_PATCH,
    summary="Answer questions of the onboarding",
    description=(
        "Any of the answers, in any order. One that changes after approval was asked for takes the approval "
        "back. With `version`, an answer that somebody else gave meanwhile is not overwritten."
    ),
)
async def answer_onboarding(
    request: ApiRequest, data: JSONBody[GivenAnswers], desk: NamedDependency[Desk]
) -> OnboardingView:
    """Store answers."""
    given, key = checked(data), await desk.services.data_keys.of(request.auth.tenant_id)
    version = None if data.version is UNSET else data.version
    async with desk.tenant(request.auth) as session:
        await service.answer(request.auth, session, key, given, version=version)
        return await onboarding_view(request.auth, session, key)


@post(
    "/onboarding/submit",
    status_code=200,
    opt=_WRITE,
    responses=_POST,
    summary="Ask for approval",
    description="Every question must be answered. The operator then approves or asks for changes.",
)
async def submit_onboarding(request: ApiRequest, desk: NamedDependency[Desk]) -> Response[OnboardingView]:
    """Ask the operator."""
    key = await desk.services.data_keys.of(request.auth.tenant_id)

    async def work(session: AsyncSession) -> OnboardingView:
        await service.ask(request.auth, session, key, at=desk.services.clock.now())
        return await onboarding_view(request.auth, session, key)

    return await desk.tenant_once(request, work, status=200)


@post(
    "/onboarding/provision",
    status_code=200,
    opt=_WRITE,
    responses=refusals(
        *TENANT,
        *WITH_IDEMPOTENCY,
        "onboarding_not_ready",
        "provision_refused",
        "live_key_required",
        "tenant_closed",
    ),
    summary="Get the chosen senders at AWS",
    description=(
        "Those that need no registration, and those whose registration is complete. Leases begin with it. "
        "Asking again makes nothing twice."
    ),
)
async def provision_onboarding(request: ApiRequest, desk: NamedDependency[Desk]) -> Response[OnboardingView]:
    """Bring AWS to what was chosen; no transaction is open meanwhile."""
    require_live(request.auth)
    key = await desk.services.data_keys.of(request.auth.tenant_id)
    await provision_chosen(desk, request.auth, key)

    async def work(session: AsyncSession) -> OnboardingView:
        return await onboarding_view(request.auth, session, key)

    return await desk.tenant_once(request, work, status=200)


@post(
    "/onboarding/go-live",
    status_code=200,
    opt=_WRITE,
    responses=refusals(
        *TENANT, *WITH_IDEMPOTENCY, "onboarding_not_ready", "live_key_required", "tenant_closed"
    ),
    summary="Go live",
    description="Every other step must be done. Live keys send from then on.",
)
async def finish_onboarding(request: ApiRequest, desk: NamedDependency[Desk]) -> Response[OnboardingView]:
    """Let live keys send."""
    require_live(request.auth)
    key = await desk.services.data_keys.of(request.auth.tenant_id)
    await go_live(desk, request.auth, key)

    async def work(session: AsyncSession) -> OnboardingView:
        return await onboarding_view(request.auth, session, key)

    return await desk.tenant_once(request, work, status=200)


async def provision_chosen(desk: Desk, scope: TenantScope, key: DataKey) -> None:
    """
    Get the senders that may be had, and where there are shared routes alone what their texts need besides.

    Raises:
        Refusal: The answers are not approved, or AWS said no.
        Conflict: The tenant is closed.
    """
    async with desk.tenant(scope) as session:
        await accounts.check_open(scope, session)
        row, answers, known = await read_onboarding(scope, session, key)
        plan = accounts.plan_of(await accounts.get(scope, session))
    if row is None or row.approved_at is None:
        raise Refusal("onboarding_not_ready", "The operator has not approved the answers yet.")
    choices = answers.senders.choices if answers.senders else ()
    waiting = {name for name, state in known.registrations.items() if state != "complete"}
    wishes = tuple(
        SenderWish(country=choice.country, type=choice.type, value=choice.value)
        for choice in choices
        if (name := key_of(choice.country, choice.type)) not in waiting and name not in known.active
    )
    if not wishes and (choices or not plan.shared_routes):
        return
    outcome = await desk.services.provisioner.provision(scope, ProvisionRequest(senders=wishes))
    if isinstance(outcome, ProvisionRefused):
        raise Refusal("provision_refused", outcome.detail)
    await desk.services.policy_changed(scope.tenant_id)


async def go_live(desk: Desk, scope: TenantScope, key: DataKey) -> None:
    """
    Let live keys send.

    Raises:
        Conflict: A step is left.
    """
    async with desk.operator() as session:
        await finish(scope, session, key, at=desk.services.clock.now())
    await desk.services.policy_changed(scope.tenant_id)
