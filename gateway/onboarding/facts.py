"""The facts that a checklist needs beside the answers, read from the tenant's rows."""

from typing import Final
from uuid import UUID

from msgspec import structs
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.advice.facts import is_registered
from tenants.accounts import service as accounts
from tenants.countries.facts import by_iso
from tenants.onboarding.answers import SenderChoice
from tenants.onboarding.models import Onboarding
from tenants.onboarding.service import facts_of
from tenants.onboarding.steps import Answers, Facts, RegistrationState, key_of
from tenants.registrations import store as registrations
from tenants.scope import TenantScope
from tenants.senders import store as senders
from tenants.senders.routing import routes_of

_MOST_SENDERS: Final = 1_000
_MOST_REGISTRATIONS: Final = 1_000
_STATES: Final[dict[str, RegistrationState]] = {
    "draft": "draft",
    "preparing": "draft",
    "ready": "draft",
    "requires_updates": "requires_updates",
    "closed": "missing",
    "deleted": "missing",
    "complete": "complete",
}
"""Every other state is with AWS or a carrier."""
_ORDER: Final[tuple[RegistrationState, ...]] = (
    "missing",
    "draft",
    "requires_updates",
    "reviewing",
    "complete",
)
"""Of several registrations for one choice the furthest counts."""
_DELIVERED: Final = text(
    "SELECT EXISTS (SELECT FROM messages WHERE tenant_id = :tenant AND test AND status = 'delivered')"
)


def form_of(choice: SenderChoice) -> str:
    """Return AWS's RegistrationType of a choice."""
    match choice.type:
        case "TOLL_FREE":
            return "US_TOLL_FREE_REGISTRATION"
        case "TEN_DLC":
            return "US_TEN_DLC_CAMPAIGN_REGISTRATION"
        case "SENDER_ID":
            return f"{choice.country}_SENDER_ID_REGISTRATION"
        case "SHORT_CODE" | "LONG_CODE":
            return f"{choice.country}_{choice.type}_REGISTRATION"


async def facts(scope: TenantScope, session: AsyncSession, row: Onboarding | None, answers: Answers) -> Facts:
    """Return everything `checklist` asks for."""
    choices = answers.senders.choices if answers.senders else []
    return structs.replace(
        facts_of(row),
        registrations=await _registrations(scope, session, choices),
        active=await _active(scope, session),
        test_delivered=bool(await session.scalar(_DELIVERED, {"tenant": scope.tenant_id})),
    )


async def _registrations(
    scope: TenantScope, session: AsyncSession, choices: list[SenderChoice]
) -> dict[str, RegistrationState]:
    needed = [choice for choice in choices if _is_registered(choice)]
    if not needed:
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for row in await registrations.page(scope, session, limit=_MOST_REGISTRATIONS):
        found[row.type] = (*found.get(row.type, ()), row.status)
    return {key_of(each.country, each.type): _furthest(found.get(form_of(each), ())) for each in needed}


def _is_registered(choice: SenderChoice) -> bool:
    country = by_iso().get(choice.country)
    return country is not None and is_registered(choice.type, country)


def _furthest(statuses: tuple[str, ...]) -> RegistrationState:
    best: RegistrationState = "missing"
    for status in statuses:
        state = _STATES.get(status, "reviewing")
        if _ORDER.index(state) > _ORDER.index(best):
            best = state
    return best


async def _active(scope: TenantScope, session: AsyncSession) -> frozenset[str]:
    rows = [
        row for row in await senders.senders(scope, session, limit=_MOST_SENDERS) if row.state == "active"
    ]
    shared = await _shared_accounts(scope, session) if any(row.type == "SHARED" for row in rows) else ()
    return frozenset(
        key_of(row.country, row.type) for row in rows if row.type != "SHARED" or row.account_id in shared
    )


async def _shared_accounts(scope: TenantScope, session: AsyncSession) -> frozenset[UUID]:
    """Return the AWS accounts by whose shared routes the tenant's messages may leave."""
    if not accounts.plan_of(await accounts.get(scope, session)).shared_routes:
        return frozenset()
    return frozenset(each.account_id for each in await routes_of(scope, session) if each.shared_routes)
