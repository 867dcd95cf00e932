"""
The stores a Tollgate runs on: those it was given, and an embedded server for each it was not.

`tollgate dev`, `tollgate demo` and the tests come in here.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gateway.embedded.postgres import EmbeddedPostgres
from gateway.embedded.redis import EmbeddedRedis
from gateway.embedded.server import EmbeddedServer


@dataclass(frozen=True, kw_only=True, slots=True)
class Stores:
    """Where the two stores are, and the servers that were started for it."""

    database_url: str
    redis_url: str
    servers: tuple[EmbeddedServer, ...]
    """Only what was started here. Await `wait_exited` of each to hear of a death, then `start` it again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sizing:
    """How large the embedded servers are, where not as on a laptop: settings of each, by their own names."""

    postgres: Mapping[str, str] = field(default_factory=dict[str, str])
    redis: Mapping[str, str] = field(default_factory=dict[str, str])


LAPTOP = Sizing()


@asynccontextmanager
async def embedded_stores(
    data: Path, *, database_url: str | None, redis_url: str | None, sizing: Sizing = LAPTOP
) -> AsyncGenerator[Stores]:
    """
    Start what has no URL, and stop it again at the end.

    Args:
        data: The folder for the data of embedded servers; made if it is absent.
        database_url: A PostgreSQL to use instead of an embedded one.
        redis_url: A Redis to use instead of an embedded one.
        sizing: Of the embedded ones.
    """
    async with AsyncExitStack() as running:
        servers: list[EmbeddedServer] = []
        if database_url is None:
            postgres = EmbeddedPostgres(data, settings=sizing.postgres)
            servers.append(await running.enter_async_context(postgres))
            database_url = postgres.url
        if redis_url is None:
            redis = EmbeddedRedis(data, settings=sizing.redis)
            servers.append(await running.enter_async_context(redis))
            redis_url = redis.url
        yield Stores(database_url=database_url, redis_url=redis_url, servers=tuple(servers))


async def erase_stores(data: Path) -> None:
    """Stop what still runs on the folder and remove its data; refuse while another process owns it."""
    for server in (EmbeddedPostgres(data), EmbeddedRedis(data)):
        await server.erase()
