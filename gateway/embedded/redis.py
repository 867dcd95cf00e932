"""An embedded Redis that never evicts and keeps an append-only file."""

import asyncio
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Protocol

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from gateway.embedded.account import Account
from gateway.embedded.bundle import reachable
from gateway.embedded.endpoint import LOOPBACK
from gateway.embedded.errors import ServerNotRunningError
from gateway.embedded.process import Launch, StopPlan
from gateway.embedded.programs import REDIS_PROVIDERS, RedisProgram, RedisProvider, find_redis
from gateway.embedded.server import EmbeddedServer, make_own

SETTINGS = {
    "bind": LOOPBACK,
    "daemonize": "no",
    "logfile": '""',
    "dir": "./",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": '""',  # the append-only file is the only one
    "maxmemory-policy": "noeviction",
}
REPLY_WITHIN_S = 5.0


class _Commands(Protocol):
    """What we use of redis-py's client, whose own annotation is missing."""

    async def execute_command(self, *args: str | int) -> object: ...


class EmbeddedRedis(EmbeddedServer):
    """
    A Redis in the folder `data/redis`.

    Args:
        data: The folder given as `--data`.
        name: The folder's name below it, for more than one.
        password: What opens it instead of a password of its own.
        settings: Directives besides `SETTINGS`, or instead of some of them.
        providers: Where the program may come from, best first.
    """

    stop_plan: ClassVar = StopPlan(polite=signal.SIGTERM, firm=signal.SIGTERM)
    process_names: ClassVar = ("redis-server", "valkey-server")
    pid_file: ClassVar = "redis.pid"

    def __init__(
        self,
        data: Path,
        *,
        name: str = "redis",
        password: str | None = None,
        settings: Mapping[str, str] | None = None,
        providers: Sequence[RedisProvider] = REDIS_PROVIDERS,
    ) -> None:
        super().__init__(data / name)
        self._given_password = password
        self._settings = SETTINGS | dict(settings or {})
        self._providers = providers
        self._program: RedisProgram | None = None

    @property
    def url(self) -> str:
        """Database 0, with the password."""
        return f"redis://:{self.password}@{LOOPBACK}:{self.port}/0"

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._known.port

    @property
    def password(self) -> str:
        """What opens it."""
        return self._given_password or self._known.password

    def settings(self) -> dict[str, str]:
        """Return its configuration, directive by directive."""
        own = {"port": str(self.port), "requirepass": self.password, "pidfile": self.pid_file}
        return self._settings | own

    async def command(self, *words: str | int) -> object:
        """Send one command over a connection of its own, once, and return the reply as redis-py reads it."""
        client = Redis(
            host=LOOPBACK,
            port=self.port,
            password=self.password,
            socket_timeout=REPLY_WITHIN_S,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        )
        async with client:
            return await _reply(client, words)

    async def _prepare(self, account: Account | None) -> None:
        self._program = await asyncio.to_thread(find_redis, self._providers)
        make_own(self._folder.live, account)

    def _launch(self, account: Account | None) -> Launch:
        if self._program is None:
            raise ServerNotRunningError(f"the server of {self.folder} has not been prepared")
        server = reachable(self._program.server, self._program.bundle, account)
        lines = [f"{directive} {value}\n" for directive, value in self.settings().items()]
        return Launch(
            argv=(str(server), "-"),
            cwd=self._folder.live,
            log=self._folder.log,
            account=account,
            stop=self.stop_plan,
            stdin="".join(lines).encode(),
        )

    async def _answers(self) -> bool:
        """Ping with the password, which no stranger at our port would know."""
        try:
            return await self.command("PING") is True
        except (RedisConnectionError, RedisTimeoutError):  # not listening yet, or still loading
            return False

    async def _finish(self) -> None:
        """Nothing is missing from a Redis that answers."""


async def _reply(client: _Commands, words: tuple[str | int, ...]) -> object:
    return await client.execute_command(*words)
