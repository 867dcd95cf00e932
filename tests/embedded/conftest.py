"""Fixtures for the embedded servers: real programs, fresh folders, nothing patched."""

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import pytest
from redis.asyncio import Redis

from gateway.embedded import EmbeddedPostgres, EmbeddedRedis


@pytest.fixture(scope="session")
async def seed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a PostgreSQL that was started and stopped: copying it is faster than making another."""
    data = tmp_path_factory.mktemp("seed")
    async with EmbeddedPostgres(data):
        return data


@pytest.fixture
async def postgres(seed: Path, tmp_path: Path) -> AsyncIterator[EmbeddedPostgres]:
    """A started PostgreSQL on a folder of its own."""
    shutil.copytree(seed, tmp_path, dirs_exist_ok=True)
    async with EmbeddedPostgres(tmp_path) as server:
        yield server


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[EmbeddedRedis]:
    """A started Redis on a new folder."""
    async with EmbeddedRedis(tmp_path) as server:
        yield server


@pytest.fixture(scope="session")
async def shared_postgres(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedPostgres]:
    """A PostgreSQL for the tests that neither stop nor hurt it."""
    async with EmbeddedPostgres(tmp_path_factory.mktemp("shared")) as server:
        yield server


@pytest.fixture(scope="session")
async def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedRedis]:
    """A Redis for the tests that neither stop nor hurt it."""
    async with EmbeddedRedis(tmp_path_factory.mktemp("shared")) as server:
        yield server


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder every account can reach, which pytest's own are not."""
    with TemporaryDirectory(prefix="tollgate-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture(scope="session")
def connected():
    """How to open one PostgreSQL connection for a block."""

    @asynccontextmanager
    async def connect(url: str) -> AsyncIterator["asyncpg.Connection"]:
        connection = await asyncpg.connect(url)
        try:
            yield connection
        finally:
            await connection.close()

    return connect


@pytest.fixture(scope="session")
def client():
    """How to open one Redis client for a block."""

    @asynccontextmanager
    async def connect(url: str) -> AsyncIterator[Redis]:
        async with Redis.from_url(url, decode_responses=True) as commands:
            yield commands

    return connect
