"""Webhook endpoints in Postgres: secrets sealed, rotation without a gap, silence that is explained."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.db.transaction import tenant_transaction
from tenants.accounts.sealing import DataKey
from tenants.endpoints import service, store
from tenants.endpoints.subscription import EndpointChanges, NewEndpoint
from tenants.errors import InvalidInput, NotFound, SealBroken
from tenants.scope import TenantScope

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
NEW = NewEndpoint(url="https://hooks.acme.example/sms", events=["message.delivered"])


async def test_the_secret_is_stored_sealed_and_opens_for_its_endpoint_only(
    app: AsyncEngine, tenant: TenantScope, data_key: DataKey
) -> None:
    """A secret copied to another row must not sign for it."""
    async with tenant_transaction(app, tenant) as session:
        one = await service.create(tenant, session, data_key, NEW, secret="whsec_one")
        two = await service.create(tenant, session, data_key, NEW, secret="whsec_two")
        rows = (await session.execute(text("SELECT e::text FROM webhook_endpoints e"))).scalars().all()
        assert service.live_secrets(one, data_key, now=NOW) == ["whsec_one"]
        one.secret_sealed = two.secret_sealed
        with pytest.raises(SealBroken):
            service.live_secrets(one, data_key, now=NOW)
        assert all(b"whsec_one".hex() not in row for row in rows)
        session.expunge(one)


async def test_both_secrets_sign_for_24_hours_after_a_rotation(
    app: AsyncEngine, tenant: TenantScope, data_key: DataKey
) -> None:
    """A receiver changes over when it can, within the day."""
    async with tenant_transaction(app, tenant) as session:
        made = await service.create(tenant, session, data_key, NEW, secret="first")
        rotated = await service.rotate_secret(tenant, session, data_key, made.id, secret="second", now=NOW)
        almost = NOW + timedelta(hours=24, microseconds=-1)
        assert service.live_secrets(rotated, data_key, now=almost) == ["second", "first"]
        assert service.live_secrets(rotated, data_key, now=NOW + timedelta(hours=24)) == ["second"]
        again = await service.rotate_secret(tenant, session, data_key, made.id, secret="third", now=NOW)
        assert service.live_secrets(again, data_key, now=NOW) == ["third", "second"]


async def test_a_patch_changes_what_it_names_and_nothing_else(
    app: AsyncEngine, tenant: TenantScope, data_key: DataKey
) -> None:
    """And a bad URL changes nothing at all."""
    async with tenant_transaction(app, tenant) as session:
        made = await service.create(tenant, session, data_key, NEW, secret="s")
        changes = EndpointChanges(events=[], description="new")
        changed = await service.update(tenant, session, made.id, changes)
        assert (changed.url, changed.events, changed.description) == (NEW.url, [], "new")
        moved = await service.update(tenant, session, made.id, EndpointChanges(url="https://b.example/"))
        assert (moved.url, moved.events) == ("https://b.example/", [])
        for wrong in (EndpointChanges(url="gopher://x"), EndpointChanges(description="a" * 501)):
            with pytest.raises(InvalidInput):
                await service.update(tenant, session, made.id, wrong)


async def test_a_disabled_endpoint_is_told_nothing_until_it_is_enabled(
    app: AsyncEngine, tenant: TenantScope, data_key: DataKey
) -> None:
    """The first reason is the one that explains the silence."""
    async with tenant_transaction(app, tenant) as session:
        made = await service.create(tenant, session, data_key, NEW, secret="s")
        everything = NewEndpoint(url="https://all.example/")
        other = await service.create(tenant, session, data_key, everything, secret="s")
        assert [t.endpoint_id for t in await service.targets(tenant, session, "message.failed")] == [other.id]
        assert len(await service.targets(tenant, session, "message.delivered")) == 2
        await service.disable(tenant, session, made.id, reason="gone")
        disabled = await service.disable(tenant, session, made.id, reason="failing")
        assert (disabled.state, disabled.disabled_reason) == ("disabled", "gone")
        assert len(await service.targets(tenant, session, "message.delivered")) == 1
        enabled = await service.enable(tenant, session, made.id)
        assert (enabled.state, enabled.disabled_reason, enabled.failing_since) == ("enabled", None, None)
        assert (await service.enable(tenant, session, made.id)).state == "enabled"


async def test_a_deleted_endpoint_is_gone(app: AsyncEngine, tenant: TenantScope, data_key: DataKey) -> None:
    """With its secrets."""
    async with tenant_transaction(app, tenant) as session:
        made = await service.create(tenant, session, data_key, NEW, secret="s")
        await service.delete(tenant, session, made.id)
        with pytest.raises(NotFound):
            await service.get(tenant, session, made.id)


async def test_endpoints_are_listed_newest_first_by_cursor(
    app: AsyncEngine, tenant: TenantScope, data_key: DataKey
) -> None:
    """Each comes once."""
    async with tenant_transaction(app, tenant) as session:
        made = [(await service.create(tenant, session, data_key, NEW, secret="s")).id for _ in range(3)]
        first = await service.page(tenant, session, limit=2)
        rest = await service.page(tenant, session, limit=2, after=first[-1].id)
    assert [row.id for row in (*first, *rest)] == sorted(made, reverse=True)


async def test_a_strangers_endpoint_is_absent(
    app: AsyncEngine, tenant: TenantScope, stranger: TenantScope, data_key: DataKey
) -> None:
    """Its URL often carries a secret of its own."""
    async with tenant_transaction(app, tenant) as session:
        made = await service.create(tenant, session, data_key, NEW, secret="s")
    async with tenant_transaction(app, stranger) as session:
        assert await store.get(tenant, session, made.id) is None
        assert await store.enabled(tenant, session) == []
        for command in (
            service.get(stranger, session, made.id),
            service.delete(stranger, session, made.id),
            service.disable(stranger, session, made.id, reason="x"),
            service.get(stranger, session, uuid4()),
        ):
            with pytest.raises(NotFound):
                await command
