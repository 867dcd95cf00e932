"""Tenants in Postgres: enrolled whole or not at all, changed under lock, seen by admission."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.db.transaction import tenant_transaction, worker_transaction
from tenants.accounts import service, store
from tenants.accounts.enrolment import NewTenant
from tenants.accounts.plan import Bundle, Plan
from tenants.audit import store as audit
from tenants.credits import service as money
from tenants.errors import Conflict, InvalidInput, NotFound
from tenants.scope import TenantScope
from tests.integration.tenants.conftest import MakeTenant

SECRET_KEY = "a secret key of the operator"


def acme(slug: str) -> NewTenant:
    return NewTenant(name="Acme", slug=slug, model=3, countries=["US", "CA"], plan=Plan(weight=5))


async def test_a_tenant_is_enrolled_with_balance_key_and_audit_row(worker: AsyncEngine) -> None:
    """A tenant that lacks one of them could not send, or could not be explained."""
    async with worker_transaction(worker) as session:
        tenant = await service.create_tenant(session, SECRET_KEY, acme("enrolled"))
    scope = TenantScope(tenant_id=tenant.id)
    async with worker_transaction(worker) as session:
        found = await service.get(scope, session)
        balance = await money.balance(scope, session)
        (row,) = await audit.page(scope, session, limit=10)
    assert (found.state, found.live, found.model, found.countries) == ("active", False, 3, ["CA", "US"])
    assert service.plan_of(found) == Plan(weight=5)
    assert (balance.unit, balance.available, balance.held) == ("micros", 0, 0)
    assert (row.action, row.actor) == ("tenant.created", "operator")
    key = service.data_key_of(found, SECRET_KEY)
    assert key.open(key.seal(b"x", context=b""), context=b"") == b"x"


async def test_a_slug_is_taken_once_even_when_two_ask_at_the_same_time(worker: AsyncEngine) -> None:
    """The unique key decides, and the loser hears a conflict."""

    async def enrol() -> UUID:
        async with worker_transaction(worker) as session:
            return (await service.create_tenant(session, SECRET_KEY, acme("wanted-by-all"))).id

    outcomes = await asyncio.gather(*(enrol() for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(outcome, UUID) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 7


async def test_a_refused_slug_leaves_the_transaction_usable(worker: AsyncEngine, tenant: TenantScope) -> None:
    """One conflict in a request must not poison what else it does."""
    async with worker_transaction(worker) as session:
        slug = (await service.get(tenant, session)).slug
        with pytest.raises(Conflict):
            await service.create_tenant(session, SECRET_KEY, acme(slug))
        found = await store.with_slug(session, slug)
        assert found is not None
        assert found.id == tenant.tenant_id


async def test_the_tenants_are_listed_by_cursor(worker: AsyncEngine) -> None:
    """Every tenant comes once, in order, however small the page."""
    async with worker_transaction(worker) as session:
        everything = [row.id for row in await service.page(session, limit=1000)]
        paged: list[UUID] = []
        while rows := await service.page(session, limit=2, after=paged[-1] if paged else None):
            paged += [row.id for row in rows]
    assert paged == everything == sorted(everything)


async def test_a_tenant_is_suspended_resumed_and_closed_for_good(
    worker: AsyncEngine, tenant: TenantScope
) -> None:
    """Closing is the one step that has no way back."""
    async with worker_transaction(worker) as session:
        assert (await service.suspend(tenant, session)).state == "suspended"
        assert (await service.suspend(tenant, session)).state == "suspended"
        assert (await service.resume(tenant, session)).state == "active"
        assert (await service.close(tenant, session)).state == "closed"
        for forbidden in (service.resume(tenant, session), service.set_live(tenant, session, live=True)):
            with pytest.raises(Conflict):
                await forbidden
        actions = [row.action for row in await audit.page(tenant, session, limit=10)]
    assert actions == ["tenant.state_changed"] * 3 + ["tenant.created"]


async def test_each_change_that_admission_must_see_raises_the_policy_version(
    worker: AsyncEngine, tenant: TenantScope
) -> None:
    """And a change to what already is raises nothing: every raise is work for every process."""
    async with worker_transaction(worker) as session:
        before = (await service.get(tenant, session)).policy_version
        changed = [
            await service.set_live(tenant, session, live=True),
            await service.update_countries(tenant, session, ["US", "CA"]),
            await service.update_model(tenant, session, 5),
            await service.update_plan(tenant, session, {"country_mps": {"US": 20}}),
        ]
        after = changed[-1].policy_version
        await service.set_live(tenant, session, live=True)
        await service.update_countries(tenant, session, ["CA", "US", "US"])
        await service.update_model(tenant, session, 5)
        repeated = await service.update_plan(tenant, session, {"country_mps": {"US": 20.0}})
    assert after == before + 4
    assert repeated.policy_version == after
    assert service.plan_of(repeated).mps("US") == 20


@pytest.mark.parametrize("changes", [{"weight": 0}, {"colour": "red"}, {"country_mps": {"usa": 1}}])
async def test_a_plan_that_breaks_a_rule_changes_nothing(
    worker: AsyncEngine, tenant: TenantScope, changes: dict[str, object]
) -> None:
    """A typo in a limit must not become no limit."""
    async with worker_transaction(worker) as session:
        with pytest.raises(InvalidInput):
            await service.update_plan(tenant, session, changes)
        assert service.plan_of(await service.get(tenant, session)) == Plan()


async def test_the_pricing_changes_only_while_nothing_is_in_the_balance(
    worker: AsyncEngine, tenant: TenantScope
) -> None:
    """Five dollars are not five million credits."""
    async with worker_transaction(worker) as session:
        await service.update_plan(tenant, session, {"pricing": "credits"})
        assert (await money.balance(tenant, session)).unit == "credits"
        await money.top_up(tenant, session, amount=5)
        with pytest.raises(Conflict):
            await service.update_plan(tenant, session, {"pricing": "dollars"})
        await service.update_plan(tenant, session, {"pricing": "credits", "weight": 3})
        await money.adjust(tenant, session, amount=-5)
        await service.update_plan(tenant, session, {"pricing": "dollars"})
        assert (await money.balance(tenant, session)).unit == "micros"


async def test_a_tenant_that_does_not_exist_is_not_found(worker: AsyncEngine) -> None:
    """For every command alike."""
    nobody = TenantScope(tenant_id=uuid4())
    async with worker_transaction(worker) as session:
        for command in (service.get(nobody, session), service.suspend(nobody, session)):
            with pytest.raises(NotFound):
                await command


async def test_a_tenant_sees_itself_and_nobody_else(
    app: AsyncEngine, tenant: TenantScope, stranger: TenantScope
) -> None:
    """A scope that was swapped by mistake meets row-level security."""
    async with tenant_transaction(app, tenant) as session:
        assert await store.get(tenant, session)
        assert await store.get(stranger, session) is None
        assert [row.id for row in await store.page_of_all(session, limit=1000)] == [tenant.tenant_id]
        slugs = (await session.execute(text("SELECT count(*) FROM tenants"))).scalar_one()
    assert slugs == 1


async def test_a_bundle_counts_otherwise_only_while_its_month_has_used_none(
    worker: AsyncEngine, make_tenant: MakeTenant, database: Any
) -> None:
    """Nine thousand parts would else be nine thousand messages, and a tenant pay for what is included."""
    tenant = await make_tenant(plan=Plan(bundle=Bundle(included=10_000)))

    async def change(bundle: dict[str, object] | None) -> Plan:
        async with worker_transaction(worker) as session:
            return service.plan_of(await service.update_plan(tenant, session, {"bundle": bundle}))

    assert (await change({"counts": "messages"})).bundle == Bundle(included=10_000, counts="messages")
    await change({"counts": "parts"})
    await database.execute(
        "INSERT INTO spend_counters (tenant_id, name, month, used, cap) "
        "VALUES ($1, 'bundle', date_trunc('month', now() AT TIME ZONE 'UTC'), 9000, 10000)",
        tenant.tenant_id,
    )
    with pytest.raises(InvalidInput, match="9000 parts") as refused:
        await change({"counts": "messages"})
    assert (refused.value.field, refused.value.code) == ("/plan/bundle/counts", "bundle_used")
    assert (await change({"included": 12_000})).bundle == Bundle(included=12_000)
    assert (await change(None)).bundle is None
    with pytest.raises(InvalidInput, match="9000 parts"):
        await change({"included": 10_000, "counts": "messages"})
    assert (await change({"included": 11_000})).bundle == Bundle(included=11_000)


async def test_a_bundle_that_was_taken_away_before_its_month_used_any_is_given_in_another_unit(
    make_tenant: MakeTenant, worker: AsyncEngine
) -> None:
    """There is nothing that could be taken for what it is not."""
    tenant = await make_tenant(plan=Plan(bundle=Bundle(included=10_000)))
    async with worker_transaction(worker) as session:
        await service.update_plan(tenant, session, {"bundle": None})
        wanted = {"included": 10_000, "counts": "messages"}
        given = service.plan_of(await service.update_plan(tenant, session, {"bundle": wanted}))
    assert given.bundle == Bundle(included=10_000, counts="messages")
