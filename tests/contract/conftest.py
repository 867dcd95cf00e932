"""The whole web application over a real Postgres; only what lies below the edge is a fake."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import fields
from datetime import timedelta
from functools import cached_property
from typing import Any
from uuid import uuid4

import httpx
import pytest
from litestar import Litestar

from gateway.api.fake_roads import FakeDeadLetters, FakeFirehose, FakeParked
from gateway.api.fakes import (
    FakeAwsTypes,
    FakeHolds,
    FakeIngest,
    FakeLanes,
    FakeProjection,
    FakeProvisionDesk,
    FakeProvisioner,
    FakeReadiness,
    FakeSending,
    FakeTwoWay,
    FakeUploads,
    FakeVerifier,
)
from gateway.api.lists.feed_horizon import FeedHorizon
from gateway.api.services import Services
from gateway.asgi import create_app
from gateway.carrier.control import control_of
from gateway.carrier.session import open_session
from gateway.clock import SystemClock
from gateway.db.engine import create_engine, create_pool
from gateway.messages.keys import DataKeys
from gateway.registrations.desk import RegistrationDesk
from gateway.settings import read_settings
from gateway.webhooks.addresses import Targets, UrlRefused, check_url
from tenants.ids import decode
from tenants.scope import TenantScope
from tests.contract.console_person import Person

OPERATOR_KEY = "operator-key-for-tests"
SECRET_KEY = "secret-key-for-tests"
PUBLIC_URL = "https://gateway.example"
_FAKES = {FakeSending.__module__, FakeParked.__module__}


class World:
    """The application, its fakes, and who speaks to it."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.app = self._app = create_app(services)
        self.sending: FakeSending = services.sending
        self.provisioner: FakeProvisioner = services.provisioner
        self.verifier: FakeVerifier = services.number_verifier
        self.ingest: FakeIngest = services.ingest
        self.readiness: FakeReadiness = services.readiness
        self.projection: FakeProjection = services.policy_changed.__self__
        every = [getattr(services, each.name) for each in fields(services)]
        self._fakes = [self.projection, *(each for each in every if type(each).__module__ in _FAKES)]

    @cached_property
    def framework(self) -> Litestar:
        """The same without the short ways, made once for a module: it keeps nothing of what it was asked."""
        return create_app(self.services, short_ways=False)

    def begin_anew(self) -> None:
        """Make the fakes obedient again, and forget what they remember."""
        self.app = self._app
        for fake in self._fakes:
            fake.__init__()

    def client(self, key: str | None = None) -> httpx.AsyncClient:
        """A client that speaks with `key`."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=True)
        return httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL, headers=headers)


class Customer:
    """A tenant with a live key and a client that speaks with it."""

    def __init__(self, tenant: dict[str, Any], key: str, api: httpx.AsyncClient) -> None:
        self.id: str = tenant["id"]
        self.slug: str = tenant["slug"]
        self.key = key
        self.api = api
        self.scope = TenantScope(tenant_id=decode("ten", self.id))


@pytest.fixture(scope="module")
async def engines(database_url: str) -> AsyncIterator[dict[str, Any]]:
    """Connections of the roles that the edge uses."""
    tenant = create_engine(database_url, "app", pool_size=8)
    operator = create_engine(database_url, "worker", pool_size=8)
    pool = await create_pool(database_url, "worker", size=2)
    yield {"tenant": tenant, "operator": operator, "pool": pool}
    await tenant.dispose()
    await operator.dispose()
    await pool.close()


@pytest.fixture(scope="module")
async def module_world(database_url: str, engines: dict[str, Any]) -> World:
    """The application, which takes half a second to make."""
    settings = read_settings(
        {
            "DATABASE_URL": database_url,
            "REDIS_URL": "redis://nowhere.invalid",
            "TOLLGATE_OPERATOR_KEY": OPERATOR_KEY,
            "TOLLGATE_SECRET_KEY": SECRET_KEY,
            "TOLLGATE_PUBLIC_URL": PUBLIC_URL,
        }
    )
    projection = FakeProjection()

    async def judge_url(url: str) -> str | None:
        verdict = check_url(url, Targets())
        return verdict.detail if isinstance(verdict, UrlRefused) else None

    return World(
        Services(
            settings=settings,
            clock=SystemClock(),
            tenant_engine=engines["tenant"],
            operator_engine=engines["operator"],
            data_keys=DataKeys(engines["pool"], SECRET_KEY),
            sending=FakeSending(),
            media=FakeUploads(),
            provisioner=FakeProvisioner(),
            provision_desk=FakeProvisionDesk(),
            number_verifier=FakeVerifier(),
            two_way=FakeTwoWay(),
            ingest=FakeIngest(),
            firehose=FakeFirehose(),
            dead_letters=FakeDeadLetters(),
            parked_events=FakeParked(),
            readiness=FakeReadiness(),
            policy_changed=projection.policy_changed,
            opt_out_changed=projection.opt_out_changed,
            override_changed=projection.override_changed,
            registrations=RegistrationDesk(engines["operator"], control_of(open_session()), SystemClock()),
            account_check=None,
            carried_types=FakeAwsTypes(),
            webhook_url_check=judge_url,
            pumping_holds=FakeHolds(),
            lanes=FakeLanes(),
            feed_until=FeedHorizon(engines["pool"], margin=timedelta()).until,
        )
    )


@pytest.fixture
def world(module_world: World) -> World:
    """An application with obedient fakes; each test brings its own tenants and keys."""
    module_world.begin_anew()
    return module_world


@pytest.fixture
async def operator(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """Speaks with the operator's key."""
    async with world.client(OPERATOR_KEY) as client:
        yield client


@pytest.fixture
async def nobody(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """Speaks without a key."""
    async with world.client() as client:
        yield client


@pytest.fixture
async def make_key(operator: httpx.AsyncClient) -> Callable[..., Awaitable[str]]:
    """Return a function that gives a tenant another key."""

    async def make(tenant_id: str, *scopes: str, mode: str = "live", **more: Any) -> str:
        body = {"mode": mode, "scopes": scopes, **more}
        answer = await operator.post(f"/v1/admin/tenants/{tenant_id}/api-keys", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()["secret"]

    return make


@pytest.fixture
async def enrol(
    world: World, operator: httpx.AsyncClient, make_key: Callable[..., Awaitable[str]]
) -> AsyncIterator[Callable[..., Awaitable[Customer]]]:
    """Return a function that enrols a tenant as the operator would."""
    clients: list[httpx.AsyncClient] = []

    async def make(**changes: Any) -> Customer:
        body = {"name": "Acme", "slug": f"acme-{uuid4().hex[:16]}", "model": 2, "countries": ["US"]} | changes
        answer = await operator.post("/v1/admin/tenants", json=body)
        assert answer.status_code == 201, answer.text
        tenant = answer.json()
        key = await make_key(tenant["id"])
        clients.append(world.client(key))
        return Customer(tenant, key, clients[-1])

    yield make
    for client in clients:
        await client.aclose()


@pytest.fixture
async def customer(enrol: Callable[..., Awaitable[Customer]]) -> Customer:
    """A tenant."""
    return await enrol()


@pytest.fixture
async def stranger(enrol: Callable[..., Awaitable[Customer]]) -> Customer:
    """Another tenant, of whom the first must see nothing."""
    return await enrol()


@pytest.fixture
async def desk(world: World) -> AsyncIterator[Person]:
    """The operator's browser."""
    async with world.client() as browser:
        person = Person(browser)
        await person.open("/console/operator/sign-in")
        await person.send("/console/operator/sign-in", key=OPERATOR_KEY)
        yield person
