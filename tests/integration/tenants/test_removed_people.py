"""Taking somebody out of the console while the same person walks in."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from gateway.db.transaction import worker_transaction
from tenants.access.tokens import pepper_from
from tenants.accounts import service as accounts
from tenants.accounts.sealing import DataKey
from tenants.errors import NotFound
from tenants.people import invitations, membership
from tenants.people.invitations import NewInvitation
from tenants.people.models import Person
from tenants.scope import TenantScope
from tests.harness.waiting import until

SECRET_KEY = "a secret key of the operator"
PEPPER = pepper_from(SECRET_KEY)
LOCKS_WAITED_FOR = "SELECT count(*) FROM pg_locks WHERE NOT granted"


async def key_of(scope: TenantScope, session: AsyncSession) -> DataKey:
    return accounts.data_key_of(await accounts.get(scope, session), SECRET_KEY)


async def a_link(worker: AsyncEngine, scope: TenantScope, email: str) -> str:
    new, now = NewInvitation(email=email), datetime.now(UTC)
    async with worker_transaction(worker) as session:
        key = await key_of(scope, session)
        return (await invitations.invite(scope, session, key, new, pepper=PEPPER, now=now)).token


async def come_in(scope: TenantScope, session: AsyncSession, token: str) -> Person:
    key, now = await key_of(scope, session), datetime.now(UTC)
    person = await invitations.accept(session, key, token, password_hash="x", pepper=PEPPER, now=now)
    assert person is not None
    return person


async def come_in_slowly(
    worker: AsyncEngine, scope: TenantScope, token: str, *, link_is_locked: asyncio.Event
) -> Person:
    """Accept a link, and hold its lock until another transaction waits for one."""
    async with worker_transaction(worker) as session:
        now = datetime.now(UTC)
        assert await invitations.usable(session, token, pepper=PEPPER, now=now, lock=True) is not None
        link_is_locked.set()
        async with worker_transaction(worker) as onlooker:
            await until(lambda: onlooker.scalar(text(LOCKS_WAITED_FOR)))
        return await come_in(scope, session, token)


async def test_a_removal_and_an_acceptance_do_not_wait_for_each_other(
    worker: AsyncEngine, tenant: TenantScope
) -> None:
    """Who renews a sign-in by a new link, and the operator who removes the person, meet in Postgres."""
    email = f"{uuid4().hex}@example.com"
    first = await a_link(worker, tenant, email)
    async with worker_transaction(worker) as session:
        known = (await come_in(tenant, session, first)).id
    again = await a_link(worker, tenant, email)

    async def remove() -> None:
        async with worker_transaction(worker) as session:
            await membership.remove(tenant, session, known, now=datetime.now(UTC))

    link_is_locked = asyncio.Event()
    coming = asyncio.create_task(come_in_slowly(worker, tenant, again, link_is_locked=link_is_locked))
    await link_is_locked.wait()
    _, person = await asyncio.gather(remove(), coming)
    assert person.id == known
    with pytest.raises(NotFound):
        await remove()
