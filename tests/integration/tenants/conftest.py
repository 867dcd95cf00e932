"""Engines for the database of a module, and tenants in it."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.db.transaction import worker_transaction
from tenants.accounts import service as accounts
from tenants.accounts.enrolment import NewTenant
from tenants.accounts.plan import Plan
from tenants.accounts.sealing import DataKey
from tenants.scope import TenantScope

SECRET_KEY = "a secret key of the operator"

MakeTenant = Callable[..., Awaitable[TenantScope]]


@pytest.fixture(scope="module")
def app(app_engine: AsyncEngine) -> AsyncEngine:
    """Connections that act as a tenant's: row-level security applies."""
    return app_engine


@pytest.fixture(scope="module")
def worker(worker_engine: AsyncEngine) -> AsyncEngine:
    """Connections that act as the operator's and the workers'."""
    return worker_engine


@pytest.fixture(scope="module")
def make_tenant(worker: AsyncEngine) -> MakeTenant:
    """Return a function that enrols a tenant and gives its scope."""

    async def make(**changes: object) -> TenantScope:
        fields = {"name": "Acme", "slug": f"acme-{uuid4().hex[:20]}", "model": 2, "countries": ["US"]}
        async with worker_transaction(worker) as session:
            tenant = await accounts.create_tenant(session, SECRET_KEY, NewTenant(**(fields | changes)))
        return TenantScope(tenant_id=tenant.id)

    return make


@pytest.fixture
async def tenant(make_tenant: MakeTenant) -> TenantScope:
    """A tenant that pays in dollars."""
    return await make_tenant()


@pytest.fixture
async def stranger(make_tenant: MakeTenant) -> TenantScope:
    """Another tenant, who must see nothing of the first."""
    return await make_tenant()


@pytest.fixture
async def credit_tenant(make_tenant: MakeTenant) -> TenantScope:
    """A tenant that pays in credits."""
    return await make_tenant(plan=Plan(pricing="credits"))


@pytest.fixture
async def data_key(tenant: TenantScope, worker: AsyncEngine) -> DataKey:
    """The key of `tenant`."""
    async with worker_transaction(worker) as session:
        return accounts.data_key_of(await accounts.get(tenant, session), SECRET_KEY)
