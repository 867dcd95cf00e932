"""Senders in Postgres: provisioning may run again and again and changes only what differs."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec import structs
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from gateway.db.transaction import tenant_transaction, worker_transaction
from tenants.accounts import service as accounts
from tenants.audit import store as audit
from tenants.errors import InvalidInput, NotFound
from tenants.scope import TenantScope
from tenants.senders import quotas, service, store
from tenants.senders.service import AccountFacts, PoolFacts, SenderFacts
from tenants.senders.store import KnownSender
from tests.harness.waiting import until


def number(account_id: UUID, last: int, **fields: object) -> SenderFacts:
    facts = {
        "account_id": account_id,
        "type": "LONG_CODE",
        "value": f"+1206555010{last}",
        "country": "US",
        "arn": f"arn:aws:sms-voice:us-east-1:123456789012:phone-number/phone-{last}",
        "parts_per_second": 1.0,
    }
    return SenderFacts(**(facts | fields))


async def active_senders(scope: TenantScope, session: AsyncSession) -> list[KnownSender]:
    return [row for row in await store.known_senders(scope, session) if row.state == "active"]


async def provision(worker: AsyncEngine, scope: TenantScope) -> tuple[UUID, list[UUID]]:
    async with worker_transaction(worker) as session:
        account = await service.ensure_account(session, AccountFacts(region="us-east-1"))
        senders = [await service.put_sender(scope, session, number(account.id, last)) for last in range(3)]
        ids = [senders[2].id, senders[0].id]
        pool = await service.put_pool(
            scope, session, PoolFacts(name="main", account_id=account.id), sender_ids=ids
        )
        await service.put_configuration_set(
            scope, session, account_id=account.id, name="tg-acme", arn="arn:aws:…:configuration-set/tg-acme"
        )
    return pool.id, [*ids, senders[1].id]


async def test_active_senders_come_in_the_pools_order_and_pool_less_ones_last(
    app: AsyncEngine, worker: AsyncEngine, tenant: TenantScope
) -> None:
    """The first that fits carries the message, so the order is the operator's say."""
    pool_id, ids = await provision(worker, tenant)
    async with tenant_transaction(app, tenant) as session:
        active = await active_senders(tenant, session)
    assert [sender.sender_id for sender in active] == ids
    assert [sender.pool_id for sender in active] == [pool_id, pool_id, None]
    assert active[0].pool_message_types == {"otp", "transactional", "promotional"}
    assert {sender.configuration_set for sender in active} == {"tg-acme"}


async def test_provisioning_again_writes_nothing(worker: AsyncEngine, tenant: TenantScope) -> None:
    """A raised policy version is work for every process, so an equal row must not raise it."""
    before = await provision(worker, tenant)
    async with worker_transaction(worker) as session:
        version = (await accounts.get(tenant, session)).policy_version
        notes = len(await audit.page(tenant, session, limit=100))
    assert await provision(worker, tenant) == before
    async with worker_transaction(worker) as session:
        assert (await accounts.get(tenant, session)).policy_version == version
        assert len(await audit.page(tenant, session, limit=100)) == notes


async def test_what_changed_on_aws_changes_the_row_and_keeps_its_id(
    worker: AsyncEngine, tenant: TenantScope
) -> None:
    """Messages point at senders by id."""
    _, ids = await provision(worker, tenant)
    async with worker_transaction(worker) as session:
        account = await store.account_named(session, "default")
        assert account is not None
        changed = await service.put_sender(
            tenant, session, number(account.id, 2, state="disabled", parts_per_second=20.0)
        )
        active = await active_senders(tenant, session)
    assert (changed.id, changed.parts_per_second) == (ids[0], 20.0)
    assert ids[0] not in {sender.sender_id for sender in active}


async def test_a_pool_holds_exactly_what_it_was_last_given(worker: AsyncEngine, tenant: TenantScope) -> None:
    """Members that are no longer named leave."""
    pool_id, ids = await provision(worker, tenant)
    async with worker_transaction(worker) as session:
        account = await store.account_named(session, "default")
        assert account is not None
        facts = PoolFacts(name="main", account_id=account.id)
        again = await service.put_pool(tenant, session, facts, sender_ids=[ids[2], ids[0]])
        held = await store.members(tenant, session, [pool_id])
        with pytest.raises(InvalidInput):
            await service.put_pool(tenant, session, facts, sender_ids=[ids[0], ids[0]])
        emptied = await service.put_pool(tenant, session, facts, sender_ids=[])
        nothing = await store.members(tenant, session, [pool_id])
    assert again.id == emptied.id == pool_id
    assert held == {pool_id: [ids[2], ids[0]]}
    assert nothing == {pool_id: []}


async def test_a_pool_takes_no_strangers_sender(
    worker: AsyncEngine, tenant: TenantScope, stranger: TenantScope
) -> None:
    """Sending from another's number would be the worst mix-up of all."""
    _, ids = await provision(worker, tenant)
    async with worker_transaction(worker) as session:
        with pytest.raises(NotFound):
            await service.put_pool(
                stranger, session, PoolFacts(name="mine", account_id=uuid4()), sender_ids=[ids[0]]
            )


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"type": "PIGEON"}, "/type"),
        ({"country": "usa"}, "/country"),
        ({"parts_per_second": 0}, "/parts_per_second"),
    ],
)
async def test_a_sender_that_breaks_a_rule_is_not_stored(
    worker: AsyncEngine, tenant: TenantScope, fields: dict[str, object], field: str
) -> None:
    """The field that has to change is named."""
    async with worker_transaction(worker) as session:
        with pytest.raises(InvalidInput) as refusal:
            await service.put_sender(tenant, session, number(uuid4(), 1, **fields))
    assert refusal.value.field == field


async def test_a_route_without_a_name_or_a_rate_is_refused(worker: AsyncEngine, tenant: TenantScope) -> None:
    """A rate of zero would hold every message for ever."""
    async with worker_transaction(worker) as session:
        with pytest.raises(InvalidInput):
            await service.ensure_account(session, AccountFacts(region="us-east-1"), name="")
        with pytest.raises(InvalidInput):
            await service.ensure_account(
                session, AccountFacts(region="us-east-1", sends_per_second=0), name="x"
            )
        with pytest.raises(InvalidInput):
            await service.put_pool(tenant, session, PoolFacts(name="", account_id=uuid4()), sender_ids=[])


async def test_a_route_s_rate_from_before_the_rule_stays_while_the_rest_changes(worker: AsyncEngine) -> None:
    """Provisioning writes an account's topic with the rates as they stand."""
    name = uuid4().hex
    async with worker_transaction(worker) as session:
        row = await service.ensure_account(session, AccountFacts(region="us-east-1"), name=name)
        row.sends_per_second = 1e-9
    facts = AccountFacts(region="us-east-1", sends_per_second=1e-9, topic_arn="arn:aws:sns:us-east-1:1:t")
    async with worker_transaction(worker) as session:
        row = await service.ensure_account(session, facts, name=name)
        assert (row.topic_arn, row.sends_per_second) == (facts.topic_arn, 1e-9)
        with pytest.raises(InvalidInput) as refusal:
            await service.ensure_account(session, structs.replace(facts, sends_per_second=1e-8), name=name)
    assert refusal.value.field == "/sends_per_second"


async def test_senders_pools_and_configuration_sets_are_listed_for_their_tenant_only(
    app: AsyncEngine, worker: AsyncEngine, tenant: TenantScope, stranger: TenantScope
) -> None:
    """Also when the scope is a stolen one."""
    pool_id, ids = await provision(worker, tenant)
    async with tenant_transaction(app, tenant) as session:
        first = await store.senders(tenant, session, limit=2)
        rest = await store.senders(tenant, session, limit=2, after=first[-1].id)
        assert {row.id for row in (*first, *rest)} == set(ids)
        assert [row.id for row in await store.pools(tenant, session, limit=5)] == [pool_id]
        assert await store.pools(tenant, session, limit=5, after=pool_id) == []
        assert [row.name for row in await store.configuration_sets(tenant, session)] == ["tg-acme"]
        assert await store.pool(tenant, session, pool_id)
    async with tenant_transaction(app, stranger) as session:
        assert await store.sender(tenant, session, ids[0]) is None
        assert await store.pool(tenant, session, pool_id) is None
        assert await store.known_senders(tenant, session) == []
        assert await store.senders(tenant, session, limit=5) == []


async def test_routes_are_the_operators(app: AsyncEngine, worker: AsyncEngine, tenant: TenantScope) -> None:
    """A tenant has no business with role ARNs and external ids."""
    await provision(worker, tenant)
    async with worker_transaction(worker) as session:
        assert "default" in {account.name for account in await store.accounts(session)}


async def test_of_two_countries_that_are_granted_at_once_both_are(
    worker: AsyncEngine, tenant: TenantScope, database: Any
) -> None:
    """Each grant wrote the map that it had read, and the one that came last took the other's away."""
    _, (sender_id, *_) = await provision(worker, tenant)
    async with worker_transaction(worker) as session:
        asked = [
            await quotas.request_increase(tenant, session, sender_id, parts_per_second=20.0, country=country)
            for country in ("GB", "FR")
        ]

    async def grant(increase_id: UUID, session: AsyncSession) -> None:
        now = datetime.now(UTC)
        await quotas.decide_increase(tenant, session, increase_id, approved=True, at=now)

    async def grant_at_once(increase_id: UUID) -> None:
        async with worker_transaction(worker) as session:
            await grant(increase_id, session)

    async with worker_transaction(worker) as session:
        await grant(asked[0].id, session)
        pid = await session.scalar(text("SELECT pg_backend_pid()"))
        other = asyncio.create_task(grant_at_once(asked[1].id))
        blocked = "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))"
        await until(lambda: database.fetchval(blocked, pid))
    await other
    async with worker_transaction(worker) as session:
        found = (await quotas.quotas_of(tenant, session))[sender_id]
    assert found.countries == {"GB": 20.0, "FR": 20.0}
