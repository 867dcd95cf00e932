"""
`python as_ordinary_user.py UID GID DATA`: run the servers twice on the same data as somebody else than root.

The interpreter may lie below /root, so everything it will ever import must be loaded before root is given up:
the same cycle is rehearsed as root in a folder of its own.
"""

import asyncio
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg

from gateway.embedded import EmbeddedPostgres, EmbeddedRedis
from gateway.embedded.account import Account
from gateway.embedded.bundle import Bundle, reachable
from gateway.embedded.programs import (
    POSTGRES_PROVIDERS,
    REDIS_PROVIDERS,
    PostgresPrograms,
    RedisProgram,
    find_postgres,
    find_redis,
)


@dataclass(frozen=True)
class Only:
    """A provider with one installation."""

    found: object

    def installations(self) -> Iterator[object]:
        """Yield it."""
        yield self.found


def postgres_for(account: Account) -> PostgresPrograms:
    """Return the usual PostgreSQL, where the account can execute it."""
    found = find_postgres(None, POSTGRES_PROVIDERS)
    folder = reachable(found.bin / "postgres", found.bundle, account).parent
    return PostgresPrograms(provider="test", major=found.major, bin=folder, bundle=Bundle(root=folder))


def redis_for(account: Account) -> RedisProgram:
    """Return the usual Redis, where the account can execute it."""
    found = find_redis(REDIS_PROVIDERS)
    server = reachable(found.server, found.bundle, account)
    return RedisProgram(provider="test", server=server, bundle=Bundle(root=server.parent))


async def cycle(data: Path, postgres: Only, redis: Only, *, times: int) -> int:
    """Start and stop both servers so often and return how often Redis remembers it."""
    for _ in range(times):
        async with (
            EmbeddedPostgres(data, providers=[postgres]) as one,
            EmbeddedRedis(data, providers=[redis]) as two,
        ):
            connection = await asyncpg.connect(one.url, ssl=False)
            await connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
            await connection.close()
            remembered = await two.command("INCR", "starts")
    return remembered


def main(uid: int, gid: int, data: Path) -> None:
    """Rehearse, step down, run, and print who ran and what Redis remembers."""
    account = Account(name="ordinary", uid=uid, gid=gid)
    postgres = Only(postgres_for(account))
    redis = Only(redis_for(account))
    with TemporaryDirectory() as rehearsal:
        asyncio.run(cycle(Path(rehearsal), postgres, redis, times=1))
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    sys.stdout.write(f"{os.geteuid()} {asyncio.run(cycle(data, postgres, redis, times=2))}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
