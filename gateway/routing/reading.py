"""Reads one tenant's senders, pools and routes into plain values."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from gateway.db.transaction import worker_transaction
from gateway.lanes.quotas import sender_gates
from gateway.routing.facts import PoolFact, RouteFact, SenderFact, TenantRouting
from tenants.accounts import service as accounts
from tenants.accounts.plan import Plan
from tenants.scope import TenantScope
from tenants.senders import store
from tenants.senders.quotas import QuotaOf, quotas_of_each
from tenants.senders.routing import RouteOfTenant, routes_of_each
from tenants.senders.store import KnownSender
from tenants.templates.use_cases import registered

_FRESH_S: Final = 1.0
_ALL_TYPES = frozenset({"otp", "transactional", "promotional"})


async def read_routing(scope: TenantScope, session: AsyncSession, plan: Plan) -> TenantRouting:
    """Read all that the tenant could send from, as its plan lets it."""
    return (await read_routings(session, {scope.tenant_id: plan}))[scope.tenant_id]


async def read_routings(session: AsyncSession, plans: Mapping[UUID, Plan]) -> dict[UUID, TenantRouting]:
    """Read what each of the tenants could send from, as its plan lets it: as many queries as for one."""
    tenant_ids = list(plans)
    known = await store.known_senders_of_each(session, tenant_ids)
    routes = await routes_of_each(session, tenant_ids)
    quotas = await quotas_of_each(session, tenant_ids)
    return {
        tenant_id: _routing(plan, known.get(tenant_id, []), routes[tenant_id], quotas.get(tenant_id, {}))
        for tenant_id, plan in plans.items()
    }


def _routing(
    plan: Plan,
    known: Sequence[KnownSender],
    routes: Sequence[RouteOfTenant],
    quotas: Mapping[UUID, QuotaOf],
) -> TenantRouting:
    actions = {
        route.account_id: {"mms": route.media_per_second, "voice": route.voice_per_second} for route in routes
    }
    return TenantRouting(
        senders={
            row.sender_id: _sender(row, quotas.get(row.sender_id), actions.get(row.account_id, {}))
            for row in known
        },
        pools=_pools(known),
        routes={route.account_id: _route(route) for route in routes},
        configuration_sets={
            row.account_id: row.configuration_set for row in known if row.configuration_set is not None
        },
        shared_routes=plan.shared_routes,
        sticky_sender=plan.sticky_sender,
    )


class RoutingReader:
    """For processes that keep no snapshots: reads a tenant's routing when asked, at most once a second."""

    def __init__(self, engine: AsyncEngine, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._monotonic = monotonic
        self._read: dict[UUID, tuple[float, TenantRouting]] = {}

    async def of(self, tenant_id: UUID) -> TenantRouting:
        """Return what the tenant could send from, at most a second old."""
        now = self._monotonic()
        known = self._read.get(tenant_id)
        if known is not None and now - known[0] < _FRESH_S:
            return known[1]
        scope = TenantScope(tenant_id=tenant_id)
        async with worker_transaction(self._engine) as session:
            plan = accounts.plan_of(await accounts.get(scope, session))
            routing = await read_routing(scope, session, plan)
        self._read = {each: kept for each, kept in self._read.items() if now - kept[0] < _FRESH_S}
        self._read[tenant_id] = (now, routing)
        return routing


def _route(row: RouteOfTenant) -> RouteFact:
    return RouteFact(
        account_id=row.account_id,
        region=row.region,
        position=row.position,
        shared_routes=row.shared_routes,
        sandbox=row.sandbox,
    )


def _sender(row: KnownSender, quota: QuotaOf | None, actions: Mapping[str, float]) -> SenderFact:
    return SenderFact(
        id=row.sender_id,
        identity=row.identity,
        account_id=row.account_id,
        type=row.type,
        value=row.value,
        country=row.country,
        arn=row.arn,
        message_types=row.message_types or _ALL_TYPES,
        parts_per_second=row.parts_per_second,
        state=row.state,
        channels=row.channels,
        two_way=row.two_way,
        use_cases=registered(row.use_cases),
        actions_per_second=actions,
        quota=sender_gates(
            identity=row.identity,
            sender_type=row.type,
            usual_rate=row.parts_per_second,
            quota=quota,
        ),
    )


def _pools(known: Sequence[KnownSender]) -> tuple[PoolFact, ...]:
    members: dict[UUID, list[UUID]] = {}
    types: dict[UUID, frozenset[str]] = {}
    for row in known:
        if row.pool_id is not None:
            members.setdefault(row.pool_id, []).append(row.sender_id)
            types[row.pool_id] = row.pool_message_types
    return tuple(
        PoolFact(id=pool_id, message_types=types[pool_id], sender_ids=tuple(ids))
        for pool_id, ids in members.items()
    )
