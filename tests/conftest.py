"""
Real stores for every test that wants them: one PostgreSQL and one Redis per worker, started in half a second.

`DATABASE_URL` and `REDIS_URL` are used instead where they are set; the role in the first must be allowed to
create databases and roles. A schema is migrated once and copied for each test module.
"""

import fcntl
import gc
import itertools
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.db.engine import create_engine, create_pool, sqlalchemy_url
from gateway.db.migrate import migrate
from gateway.embedded import Sizing, Stores, create_database, drop_database, embedded_stores
from gateway.emulator.server import RunningEmulator, running_emulator
from tests.harness.sink import Sink, running_sink
from tests.harness.stack import Stack, running_stack

_serial = itertools.count(1)
_REDIS_DATABASES = 16
_UNSYNCED = Sizing(postgres={"fsync": "off", "full_page_writes": "off"})
"""
What a kill of any process leaves is with the kernel; only a machine that goes down loses it, and the tests.

A database that is made or dropped is written out whole, and both are done for each module.
"""


def pytest_collection_finish() -> None:
    """
    Spare the collector half a million objects that last as long as the run: it took seconds a minute.

    What a module's gateway is made of lasts for minutes, and looking through it again and again took a
    quarter of a worker's CPU. So all is looked through every two million objects instead of every 70,000.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(2_000, 20, 50)


@pytest.fixture(scope="session", autouse=True)
def aws_credentials() -> Iterator[None]:
    """Keys for the emulator, which takes any, and no way to anybody's real account."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "example")
        environment.setenv("AWS_EC2_METADATA_DISABLED", "true")
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
            environment.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
async def stores(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stores]:
    """The servers of this worker."""
    async with embedded_stores(
        tmp_path_factory.mktemp("stores"),
        database_url=os.environ.get("DATABASE_URL"),
        redis_url=os.environ.get("REDIS_URL"),
        sizing=_UNSYNCED,
    ) as stores:
        yield stores


@pytest.fixture(scope="session")
async def migrated_template(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The name of a migrated database to copy; roles belong to the server, so workers take turns."""
    name = f"tollgate_template_{uuid4().hex[:12]}"
    with _turn(tmp_path_factory.getbasetemp().parent / "migrating"):
        url = await create_database(stores.database_url, name)
        await migrate(sqlalchemy_url(url))
    yield name
    await drop_database(stores.database_url, name)


@pytest.fixture(scope="module")
async def database_url(stores: Stores, migrated_template: str) -> AsyncIterator[str]:
    """A database of this module, with the whole schema and no rows."""
    name = f"tollgate_{os.getpid()}_{next(_serial)}_{uuid4().hex[:6]}"
    yield await create_database(stores.database_url, name, template=migrated_template)
    await drop_database(stores.database_url, name)


@pytest.fixture(scope="module")
async def redis_url(stores: Stores) -> str:
    """An emptied Redis database; workers that share a server have one number each."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    url = f"{stores.redis_url.rpartition('/')[0]}/{worker % _REDIS_DATABASES}"
    async with Redis.from_url(url) as client:
        await client.flushdb()
    return url


@pytest.fixture(scope="module")
async def database(database_url: str) -> AsyncIterator["asyncpg.Pool[asyncpg.Record]"]:
    """Connections as the owner of the server, whom no policy binds: the tests' own eyes."""
    async with asyncpg.create_pool(database_url, min_size=1, max_size=8) as pool:
        yield pool


@pytest.fixture(scope="module")
async def worker_pool(database_url: str) -> AsyncIterator["asyncpg.Pool[asyncpg.Record]"]:
    """Connections as the message's road has them."""
    async with await create_pool(database_url, "worker", size=10) as pool:
        yield pool


@pytest.fixture(scope="module")
async def ingest_pool(database_url: str) -> AsyncIterator["asyncpg.Pool[asyncpg.Record]"]:
    """Connections as the receipts' road has them."""
    async with await create_pool(database_url, "ingest", size=4) as pool:
        yield pool


@pytest.fixture(scope="module")
async def app_engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """Sessions of one tenant at a time, under row-level security."""
    engine = create_engine(database_url, "app", pool_size=4)
    yield engine
    await engine.dispose()


@pytest.fixture(scope="module")
async def worker_engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """Sessions of the operator and the workers."""
    engine = create_engine(database_url, "worker", pool_size=16)
    yield engine
    await engine.dispose()


@pytest.fixture(scope="module")
async def emulator() -> AsyncIterator[RunningEmulator]:
    """An AWS of this module, with quick carriers."""
    async with running_emulator(latency_scale=0.2, sns_retry_delay_s=0.3) as running:
        yield running


@pytest.fixture(scope="module")
async def stack(database_url: str, redis_url: str, emulator: RunningEmulator) -> AsyncIterator[Stack]:
    """A whole gateway; tests of a module share it and each brings its own tenants."""
    async with running_stack(database_url, redis_url, emulator) as stack:
        await stack.emulate("carriers", {"*": {"outcomes": {"DELIVERED": 1.0}}})
        yield stack


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    """A webhook receiver."""
    async with running_sink() as sink:
        yield sink


class _turn:  # noqa: N801 - reads as a word where it is used
    """Let one process of this machine at a time into a block."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        self._file = self._path.open("a")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self._file.close()
