"""Reads from Postgres what the edge of a send keeps in memory."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.admission.kept_holds import held_prefix
from gateway.admission.projection import Recipients, override_list
from gateway.admission.pumping import HeldPrefix
from gateway.clock import Clock
from gateway.db.transaction import tenant_transaction, worker_transaction
from gateway.intake.matching import PatternShelf
from gateway.intake.prices import Tariff
from gateway.intake.snapshot import ApprovedTemplate, TenantSnapshot
from gateway.routing.reading import read_routing
from tenants.accounts import service as accounts
from tenants.accounts.plan import free_text_of
from tenants.budgets import store as budget_store
from tenants.budgets.budget import PLATFORM
from tenants.credits import store as credit_store
from tenants.credits.pricing import UNITS
from tenants.optouts import store as opt_outs
from tenants.protection import overrides as protect_overrides
from tenants.protection import pumping_store as pumping
from tenants.protection import service as protect
from tenants.protection import store as protect_store
from tenants.protection.precedence import Override
from tenants.scope import TenantScope
from tenants.templates import store as templates
from tenants.templates.rendering import Template, parse_template
from tenants.verification import store as verified_numbers

_PAGE = 10_000
_BODIES_KEPT = 50_000


class SnapshotReader:
    """One transaction per tenant, under row-level security, so that a snapshot is of one moment."""

    def __init__(
        self, tenant_engine: AsyncEngine, worker_engine: AsyncEngine, secret_key: str, clock: Clock
    ) -> None:
        self._tenant_engine = tenant_engine
        self._worker_engine = worker_engine
        self._secret_key = secret_key
        self._clock = clock
        self._patterns = PatternShelf()

    async def snapshot(self, tenant_id: UUID) -> TenantSnapshot:
        """
        Read one tenant.

        Raises:
            NotFound: There is no such tenant.
        """
        scope = TenantScope(tenant_id=tenant_id)
        read_at = self._clock.now()
        async with tenant_transaction(self._tenant_engine, scope) as session:
            tenant = await accounts.get(scope, session)
            approved = [_parsed(row) for row in await templates.approved(scope, session)]
            plan = accounts.plan_of(tenant)
            protection = await protect.protection(scope, session)
            routing = await read_routing(scope, session, plan)
            budgets = await budget_store.caps(scope, session)
            proven = await verified_numbers.proven(scope, session)
            suspicions = await pumping.suspicions(scope, session)
        return TenantSnapshot(
            tenant_id=tenant_id,
            version=tenant.policy_version,
            state=tenant.state,
            live=tenant.live,
            model=tenant.model,
            plan=plan,
            countries=frozenset(tenant.countries),
            unit=UNITS[plan.pricing],
            key=accounts.data_key_of(tenant, self._secret_key),
            templates=_by_template(approved),
            template_names={template.name: template.id for template in approved},
            routing=routing,
            budgets=budgets,
            patterns=self._patterns.of(tenant_id, approved)
            if free_text_of(tenant.model, plan) == "matching"
            else None,
            protection=protection,
            verified={(not row.test, row.recipient_hash): row.account_id for row in proven},
            suspicions=suspicions,
            read_at=read_at,
        )

    async def recipients(self, tenant_id: UUID) -> Mapping[str, Recipients]:
        """Read every recipient who opted out, by list, and every number override, by configuration."""
        return {**await self._opt_outs(tenant_id), **await self._overrides(tenant_id)}

    async def _opt_outs(self, tenant_id: UUID) -> Mapping[str, Recipients]:
        scope = TenantScope(tenant_id=tenant_id)
        found: dict[str, set[bytes]] = {}
        async with tenant_transaction(self._tenant_engine, scope) as session:
            after: tuple[str, bytes] | None = None
            while rows := await opt_outs.page(scope, session, limit=_PAGE, after=after):
                for row in rows:
                    found.setdefault(row.list_name, set()).add(row.recipient_hash)
                after = (rows[-1].list_name, rows[-1].recipient_hash)
        return found

    async def _overrides(self, tenant_id: UUID) -> Mapping[str, Recipients]:
        scope, now = TenantScope(tenant_id=tenant_id), self._clock.now()
        found: dict[str, dict[bytes, bytes]] = {}
        async with tenant_transaction(self._tenant_engine, scope) as session:
            after: tuple[UUID, bytes] | None = None
            while rows := await protect_store.overrides(scope, session, now=now, limit=_PAGE, after=after):
                for row in rows:
                    said = protect_overrides.mark(protect_overrides.plain(row))
                    found.setdefault(override_list(row.configuration_id), {})[row.recipient_hash] = said
                after = (rows[-1].configuration_id, rows[-1].recipient_hash)
        return found

    async def holds(
        self, tenant_id: UUID, *, prefixes: Collection[str] | None = None
    ) -> Sequence[HeldPrefix]:
        """Read what is held for suspected pumping, of some prefixes or of all."""
        scope, now = TenantScope(tenant_id=tenant_id), self._clock.now()
        async with tenant_transaction(self._tenant_engine, scope) as session:
            rows = await pumping.holds(scope, session, now, prefixes=prefixes)
        return [held_prefix(row) for row in rows]

    async def override_of(
        self, tenant_id: UUID, configuration_id: UUID, recipient_hash: bytes
    ) -> Override | None:
        """Read what a protect configuration says of one recipient, expired or not."""
        scope = TenantScope(tenant_id=tenant_id)
        async with tenant_transaction(self._tenant_engine, scope) as session:
            row = await protect_store.override(scope, session, configuration_id, recipient_hash)
        return None if row is None else protect_overrides.plain(row)

    async def lists_of(self, tenant_id: UUID, recipient_hash: bytes) -> frozenset[str]:
        """Read the opt-out lists on which one recipient stands."""
        scope = TenantScope(tenant_id=tenant_id)
        async with tenant_transaction(self._tenant_engine, scope) as session:
            return frozenset(await opt_outs.lists_of(scope, session, recipient_hash))

    async def tariff(self, at: datetime) -> Tariff:
        """Read the price lines in force at an instant, and the platform's own budgets."""
        async with worker_transaction(self._worker_engine) as session:
            books = await credit_store.price_books(session, at)
            caps = await budget_store.caps(TenantScope(tenant_id=PLATFORM), session)
        return Tariff(books=books, platform_budgets=caps)


def _parsed(row: templates.ApprovedTemplate) -> ApprovedTemplate:
    return ApprovedTemplate(
        id=row.template_id,
        name=row.name,
        version=row.version,
        type=row.type,
        countries=row.countries,
        template=_template(row.body),
        declarations=row.variables,
        use_case=row.use_case,
        locale=row.locale,
        dlt_template_id=row.dlt_template_id,
        variants={variant.locale: _template(variant.body) for variant in row.variants},
    )


@lru_cache(maxsize=_BODIES_KEPT)
def _template(body: str) -> Template:
    """Parse a body, which is written once and read with every change of its tenant's policy."""
    template = parse_template(body)
    assert isinstance(template, Template)  # noqa: S101 - only parsed bodies are ever stored
    return template


def _by_template(approved: list[ApprovedTemplate]) -> dict[UUID, tuple[ApprovedTemplate, ...]]:
    found: dict[UUID, list[ApprovedTemplate]] = {}
    for version in approved:
        found.setdefault(version.id, []).append(version)
    return {template_id: tuple(versions) for template_id, versions in found.items()}
