"""The facts that a checklist needs beside the answers, read from the tenant's rows."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from msgspec import structs
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.advice.facts import is_registered
from tenants.accounts import service as accounts
from tenants.accounts import store as tenants_store
from tenants.countries.facts import by_iso
from tenants.onboarding.answers import SenderChoice
from tenants.onboarding.models import Onboarding
from tenants.onboarding.service import facts_of
from tenants.onboarding.steps import Answers, Facts, RegistrationState, key_of
from tenants.registrations import store as registrations
from tenants.scope import TenantScope
from tenants.senders import store as senders
from tenants.senders.routing import routes_of_each

_SHARED: Final = "SHARED"
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
    """
    SELECT one.tenant FROM unnest(CAST(:tenants AS uuid[])) AS one (tenant) CROSS JOIN LATERAL (
        SELECT FROM messages m WHERE m.tenant_id = one.tenant AND m.test AND m.status = 'delivered' LIMIT 1
    ) AS delivered
    """
)
"""Looked up for each by itself: a join might read the messages of all."""


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
    return (await facts_of_each(session, {scope.tenant_id: (row, answers)}))[scope.tenant_id]


async def facts_of_each(
    session: AsyncSession, begun: Mapping[UUID, tuple[Onboarding | None, Answers]]
) -> dict[UUID, Facts]:
    """Return what `checklist` asks for of every one of the tenants: as many queries as for one."""
    choices = {tenant_id: _registered_choices(answers) for tenant_id, (_, answers) in begun.items()}
    states = await registrations.statuses_of_each(session, [each for each, some in choices.items() if some])
    active = await _active(session, list(begun))
    delivered = set(await session.scalars(_DELIVERED, {"tenants": list(begun)}))
    return {
        tenant_id: structs.replace(
            facts_of(row),
            registrations=_states(choices[tenant_id], states.get(tenant_id, ())),
            active=active.get(tenant_id, frozenset()),
            test_delivered=tenant_id in delivered,
        )
        for tenant_id, (row, _) in begun.items()
    }


def _registered_choices(answers: Answers) -> list[SenderChoice]:
    return [each for each in (answers.senders.choices if answers.senders else ()) if _is_registered(each)]


def _states(needed: Sequence[SenderChoice], known: Iterable[tuple[str, str]]) -> dict[str, RegistrationState]:
    found: dict[str, tuple[str, ...]] = {}
    for kind, status in known:
        found[kind] = (*found.get(kind, ()), status)
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


async def _active(session: AsyncSession, tenant_ids: Sequence[UUID]) -> dict[UUID, frozenset[str]]:
    rows = await senders.active_of_each(session, tenant_ids)
    sharing = [tenant_id for tenant_id, some in rows.items() if any(row.type == _SHARED for row in some)]
    shared = await _shared_accounts(session, sharing) if sharing else {}
    return {
        tenant_id: frozenset(
            key_of(row.country, row.type)
            for row in some
            if row.type != _SHARED or row.account_id in shared[tenant_id]
        )
        for tenant_id, some in rows.items()
    }


async def _shared_accounts(session: AsyncSession, tenant_ids: Sequence[UUID]) -> dict[UUID, frozenset[UUID]]:
    """Return the AWS accounts by whose shared routes each tenant's messages may leave."""
    tenants = await tenants_store.of_each(session, tenant_ids)
    routes = await routes_of_each(session, tenant_ids)
    found = {
        tenant_id: frozenset(each.account_id for each in routes[tenant_id] if each.shared_routes)
        for tenant_id, tenant in tenants.items()
        if accounts.plan_of(tenant).shared_routes
    }
    return dict.fromkeys(tenant_ids, frozenset[UUID]()) | found
