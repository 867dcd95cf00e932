"""API keys in Postgres: made once, shown once, found by id, gone when revoked."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.db.transaction import tenant_transaction, worker_transaction
from tenants.access import service, store
from tenants.access.credential import Denied, Granted, judge
from tenants.access.service import NewKey
from tenants.access.tokens import pepper_from, read_token
from tenants.accounts import service as accounts
from tenants.errors import Conflict, InvalidInput, NotFound
from tenants.scope import TenantScope

PEPPER = pepper_from("a secret key of the operator")
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


async def create(engine: AsyncEngine, scope: TenantScope, **fields: object) -> service.CreatedKey:
    new = NewKey(**({"mode": "live"} | fields))
    async with worker_transaction(engine) as session:
        return await service.create_key(scope, session, new, pepper=PEPPER, now=NOW)


async def test_a_created_key_authenticates_its_tenant(worker: AsyncEngine, tenant: TenantScope) -> None:
    """The way of every request: read the token, look the id up, judge."""
    created = await create(worker, tenant, scopes=["messages:send"])
    parts = read_token(created.token)
    assert parts is not None
    async with worker_transaction(worker) as session:
        stored = await service.authenticate(session, parts.key_id)
    verdict = judge(parts, stored, pepper=PEPPER, now=NOW)
    assert isinstance(verdict, Granted)
    assert verdict.scope == TenantScope(tenant_id=tenant.tenant_id, live=True, key_id=created.key.id)
    assert verdict.scopes == ("messages:send",)


async def test_the_database_never_holds_a_token(worker: AsyncEngine, tenant: TenantScope) -> None:
    """A dump of the table must be worthless."""
    created = await create(worker, tenant, name="shop")
    parts = read_token(created.token)
    assert parts is not None
    async with worker_transaction(worker) as session:
        rows = (await session.execute(text("SELECT k::text FROM api_keys k"))).scalars().all()
        notes = (await session.execute(text("SELECT a::text FROM audit_rows a"))).scalars().all()
    assert all(parts.secret not in row for row in (*rows, *notes))
    assert created.token not in repr(created)


async def test_a_revoked_key_is_denied_and_revoking_again_keeps_the_first_time(
    worker: AsyncEngine, tenant: TenantScope
) -> None:
    """The first revocation is the one that the audit trail names."""
    created = await create(worker, tenant)
    async with worker_transaction(worker) as session:
        await service.revoke_key(tenant, session, created.key.id, now=NOW)
        again = await service.revoke_key(tenant, session, created.key.id, now=NOW + timedelta(days=1))
        stored = await service.authenticate(session, created.key.id)
    parts = read_token(created.token)
    assert parts is not None
    assert again.revoked_at == NOW
    assert judge(parts, stored, pepper=PEPPER, now=NOW) == Denied(reason="revoked")


async def test_an_unknown_id_finds_no_key(worker: AsyncEngine) -> None:
    """The value that `judge` takes for it is None."""
    async with worker_transaction(worker) as session:
        assert await service.authenticate(session, uuid4()) is None


async def test_a_test_key_makes_test_keys_only(worker: AsyncEngine, tenant: TenantScope) -> None:
    """Else a sandbox key would be one request away from real messages."""
    sandbox = TenantScope(tenant_id=tenant.tenant_id, live=False, key_id=uuid4())
    with pytest.raises(InvalidInput) as refusal:
        await create(worker, sandbox, mode="live")
    assert refusal.value.field == "/mode"
    assert (await create(worker, sandbox, mode="test")).key.mode == "test"


async def test_a_limited_key_passes_on_no_more_than_it_has(worker: AsyncEngine, tenant: TenantScope) -> None:
    """No scopes mean all, so leaving them out is asking for all."""
    async with worker_transaction(worker) as session:
        for scopes in ([], ["messages:send"]):
            with pytest.raises(InvalidInput) as refusal:
                await service.create_key(
                    tenant,
                    session,
                    NewKey(mode="live", scopes=scopes),
                    pepper=PEPPER,
                    now=NOW,
                    own_scopes=("keys", "templates"),
                )
            assert refusal.value.field == "/scopes"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"mode": "prod"}, "/mode"),
        ({"name": "a" * 101}, "/name"),
        ({"scopes": ["root"]}, "/scopes"),
        ({"expires_at": NOW}, "/expires_at"),
        ({"expires_at": datetime(2027, 1, 1)}, "/expires_at"),  # noqa: DTZ001 - naive on purpose
    ],
)
async def test_a_key_that_breaks_a_rule_is_not_made(
    worker: AsyncEngine, tenant: TenantScope, fields: dict[str, object], field: str
) -> None:
    """The field that has to change is named."""
    with pytest.raises(InvalidInput) as refusal:
        await create(worker, tenant, **fields)
    assert refusal.value.field == field


async def test_nobody_and_closed_tenants_get_no_keys(worker: AsyncEngine, tenant: TenantScope) -> None:
    """A key must always be someone's."""
    with pytest.raises(NotFound):
        await create(worker, TenantScope(tenant_id=uuid4()))
    async with worker_transaction(worker) as session:
        await accounts.close(tenant, session)
    with pytest.raises(Conflict):
        await create(worker, tenant)


async def test_keys_are_listed_newest_first_by_cursor(worker: AsyncEngine, tenant: TenantScope) -> None:
    """Revoked ones stay in the list: they explain the past."""
    made = [(await create(worker, tenant, name=str(number))).key.id for number in range(3)]
    async with worker_transaction(worker) as session:
        await service.revoke_key(tenant, session, made[1], now=NOW)
        first = await service.page(tenant, session, limit=2)
        rest = await service.page(tenant, session, limit=2, after=first[-1].id)
    assert [key.id for key in (*first, *rest)] == sorted(made, reverse=True)


async def test_a_strangers_key_is_absent(
    app: AsyncEngine, worker: AsyncEngine, tenant: TenantScope, stranger: TenantScope
) -> None:
    """For reading as for revoking, so that ids tell nothing."""
    created = await create(worker, tenant)
    async with tenant_transaction(app, stranger) as session:
        assert await store.get(stranger, session, created.key.id) is None
        assert await store.get(tenant, session, created.key.id) is None
        assert await store.stored_key(session, created.key.id) is None
        with pytest.raises(NotFound):
            await service.revoke_key(stranger, session, created.key.id, now=NOW)
