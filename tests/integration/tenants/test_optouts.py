"""Opt-outs in Postgres: kept sealed, found by hash, told as news only once."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.db.transaction import tenant_transaction
from tenants.accounts.sealing import DataKey
from tenants.errors import InvalidInput
from tenants.optouts import service, store
from tenants.scope import TenantScope

NUMBER = "+12065550100"


async def test_putting_a_number_twice_is_news_once(
    app: AsyncEngine, tenant: TenantScope, data_key: DataKey
) -> None:
    """The event and the projection follow the news, and the first date is kept."""
    async with tenant_transaction(app, tenant) as session:
        first = await service.put(tenant, session, data_key, number=NUMBER, source="keyword")
        again = await service.put(tenant, session, data_key, number=NUMBER, source="api")
        (listed,) = await service.page(tenant, session, data_key, limit=10)
    assert (first.listed, first.changed) == (True, True)
    assert (again.listed, again.changed) == (True, False)
    assert first.recipient_hash == data_key.recipient_hash(NUMBER)
    assert (listed.number, listed.list_name, listed.source) == (NUMBER, "all", "keyword")
    assert listed.created_at <= datetime.now(UTC)


async def test_taking_a_number_off_is_news_if_it_was_there(
    app: AsyncEngine, tenant: TenantScope, data_key: DataKey
) -> None:
    """A deletion of nothing is no error and no event."""
    async with tenant_transaction(app, tenant) as session:
        await service.put(tenant, session, data_key, number=NUMBER, list_name="promotional")
        gone = await service.remove(tenant, session, data_key, number=NUMBER, list_name="promotional")
        nothing = await service.remove(tenant, session, data_key, number=NUMBER, list_name="promotional")
        assert await service.lists_of(tenant, session, gone.recipient_hash) == []
    assert (gone.listed, gone.changed) == (False, True)
    assert nothing.changed is False


async def test_a_number_may_stand_on_several_lists(
    app: AsyncEngine, tenant: TenantScope, data_key: DataKey
) -> None:
    """Each list is its own promise."""
    async with tenant_transaction(app, tenant) as session:
        for name in ("weekly-news", "otp"):
            change = await service.put(tenant, session, data_key, number=NUMBER, list_name=name)
        assert await service.lists_of(tenant, session, change.recipient_hash) == ["otp", "weekly-news"]


async def test_no_column_holds_a_number_in_the_clear(
    app: AsyncEngine, tenant: TenantScope, data_key: DataKey
) -> None:
    """Neither in the table nor in the audit trail beside it."""
    async with tenant_transaction(app, tenant) as session:
        await service.put(tenant, session, data_key, number=NUMBER)
        for table in ("opt_outs", "audit_rows"):
            rows = (await session.execute(text(f"SELECT t::text FROM {table} t"))).scalars().all()
            assert rows
            assert all(NUMBER[1:] not in row and NUMBER.encode().hex() not in row for row in rows)


async def test_opt_outs_are_paged_and_each_comes_once(
    app: AsyncEngine, tenant: TenantScope, data_key: DataKey
) -> None:
    """For people with their numbers, for the projection without."""
    numbers = {f"+1206555010{last}" for last in range(7)}
    async with tenant_transaction(app, tenant) as session:
        for number in numbers:
            await service.put(tenant, session, data_key, number=number)
            await service.put(tenant, session, data_key, number=number, list_name="promotional")
        paged: list[service.OptOutView] = []
        while rows := await service.page(
            tenant, session, data_key, limit=3, list_name="all", after=paged[-1].cursor if paged else None
        ):
            paged += rows
        projected: list[tuple[str, bytes]] = []
        while found := await store.page(tenant, session, limit=5, after=projected[-1] if projected else None):
            projected += [(row.list_name, row.recipient_hash) for row in found]
    assert sorted(view.number for view in paged) == sorted(numbers)
    expected = {
        (name, data_key.recipient_hash(number)) for name in ("all", "promotional") for number in numbers
    }
    assert len(projected) == len(expected)
    assert set(projected) == expected


async def test_what_breaks_a_rule_is_not_stored(
    app: AsyncEngine, tenant: TenantScope, data_key: DataKey
) -> None:
    """A misspelt number would protect nobody."""
    async with tenant_transaction(app, tenant) as session:
        for fields in (
            {"number": "2065550100"},
            {"number": NUMBER, "list_name": "No Such"},
            {"number": NUMBER, "source": "rumour"},
        ):
            with pytest.raises(InvalidInput):
                await service.put(tenant, session, data_key, **fields)
        with pytest.raises(InvalidInput):
            await service.page(tenant, session, data_key, limit=3, after="all.not-hex")
        assert await service.page(tenant, session, data_key, limit=3) == []


async def test_a_strangers_opt_outs_are_absent(
    app: AsyncEngine, tenant: TenantScope, stranger: TenantScope, data_key: DataKey
) -> None:
    """Also to be taken off: one tenant must not lift another's STOP."""
    async with tenant_transaction(app, tenant) as session:
        change = await service.put(tenant, session, data_key, number=NUMBER)
    async with tenant_transaction(app, stranger) as session:
        assert await service.lists_of(tenant, session, change.recipient_hash) == []
        assert (await service.remove(tenant, session, data_key, number=NUMBER)).changed is False
    async with tenant_transaction(app, tenant) as session:
        assert await service.lists_of(tenant, session, change.recipient_hash) == ["all"]
