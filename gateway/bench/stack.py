"""
The gateway as it runs in production, on embedded stores in a temporary folder: one process per role.

A benchmark opens a stack, adds the processes it measures, and reads their CPU time by name.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeAlias, TypeVar

import aiohttp
import asyncpg
import msgspec
from msgspec import structs

from gateway.bench.children import Child, child, free_port
from gateway.bench.load import Job, Outcome
from gateway.bench.usage import cpu_seconds, memory_mb
from gateway.db.engine import sqlalchemy_url
from gateway.db.migrate import migrate
from gateway.embedded import LAPTOP, Sizing, embedded_stores
from gateway.settings import Settings, to_environment
from gateway.wiring.provisioning import prepare_database

CONNECTIONS = 64
"""Of every load: what the component measurements were made with."""
_READY_WITHIN_S = 60.0
_POLL_S = 0.05
_SENDS_PER_SECOND = 9_000.0
"""Far above what is measured: AWS's own quota is not what a benchmark is about."""

_T = TypeVar("_T")
BareWay: TypeAlias = Literal["aioboto3", "aioboto3-as-ours", "hand"]
"""A loop of sends through aioboto3, or signed by hand."""


class Stack:
    """A running gateway and the processes around it."""

    def __init__(
        self, settings: Settings, folder: Path, processes: dict[str, int | None], exits: AsyncExitStack
    ) -> None:
        self.settings = settings
        self.folder = folder
        self.processes = processes
        """Process ids by the name under which their CPU time is reported."""
        self._exits = exits

    @property
    def base_url(self) -> str:
        """Where the first API process listens."""
        return self.settings.public_url

    def cpu(self) -> dict[str, float]:
        """Return the CPU seconds used so far by each process."""
        return cpu_seconds(self.processes)

    def memory_mb(self) -> dict[str, float]:
        """Return the megabytes that each process occupies now."""
        return memory_mb(self.processes)

    async def api(self, name: str = "api", *, port: int | None = None) -> tuple[str, int]:
        """Start an API process and return its address once it answers."""
        settings = structs.replace(self.settings, port=port or self.settings.port)
        started = await self.start(name, *self.role("api"), settings=settings)
        await self.answers(started, f"http://{settings.host}:{settings.port}/readyz")
        return settings.host, settings.port

    @staticmethod
    def role(*names: str) -> tuple[str, ...]:
        """Return the module and arguments that run roles in one process."""
        return "gateway", "serve", *names

    async def work(self, name: str, *roles: str) -> None:
        """
        Run roles in one process that lives as long as the stack, and wait until it works.

        Raises:
            ChildFailed: It ended first, or took too long.
        """
        started = await self.start(name, *self.role(*roles))

        async def works() -> bool:
            if not started.running:
                raise started.failure("ended")
            return started.has_logged("worker_started")

        try:
            await eventually(works, within_s=_READY_WITHIN_S)
        except TimeoutError as error:
            raise started.failure("did not get ready") from error

    async def start(self, name: str, module: str, *arguments: str, settings: Settings | None = None) -> Child:
        """Start a process that lives as long as the stack."""
        environment = to_environment(settings or self.settings)
        started = await self._exits.enter_async_context(
            child(module, *arguments, folder=self.folder, environment=environment, name=name)
        )
        self.processes[name] = started.pid
        return started

    @asynccontextmanager
    async def passing(
        self, name: str, module: str, *arguments: str, settings: Settings | None = None
    ) -> AsyncGenerator[Child, None]:
        """Run a process for the length of a block."""
        environment = to_environment(settings or self.settings)
        async with child(
            module, *arguments, folder=self.folder, environment=environment, name=name
        ) as started:
            self.processes[name] = started.pid
            try:
                yield started
            finally:
                self.processes[name] = None

    async def open_lanes(self, request: bytes) -> None:
        """
        Let one message travel, so that the lanes stand: until a dispatcher builds them, pushes are refused.

        The scheduler runs beside it: the push of that one message may come too early and be its to do.

        Raises:
            TimeoutError: It did not arrive; the road is broken.
        """
        async with self.passing("dispatcher", *self.role("dispatcher", "scheduler")):
            await self.load([request], targets=[(self.settings.host, self.settings.port)], seconds=10.0)
            async with aiohttp.ClientSession(str(self.settings.aws_endpoint_url)) as http:

                async def arrived() -> bool:
                    async with http.get("/_emulator/stats") as response:
                        return int((await response.json())["accepted_sends"]) > 0

                await eventually(arrived, within_s=_READY_WITHIN_S)
            await self.all_pushed()

    async def all_pushed(self) -> None:
        """
        Wait until everything accepted so far stands in its lane, or has left it.

        Raises:
            TimeoutError: It does not.
        """
        connection = await asyncpg.connect(self.settings.database_url)
        try:

            async def nothing_owed() -> bool:
                return await connection.fetchval("SELECT NOT EXISTS (SELECT FROM outbox_batches)") is True

            await eventually(nothing_owed, within_s=_READY_WITHIN_S)
        finally:
            await connection.close()

    @asynccontextmanager
    async def bare_sends(
        self,
        endpoint: str,
        requests: Sequence[Mapping[str, Any]],
        *,
        way: BareWay = "aioboto3",
        per_second: float = 0.0,
    ) -> AsyncGenerator[Child, None]:
        """
        Run a bare loop of sends, named `bare`, with these requests; it waits for a line.

        Args:
            way: Through aioboto3 as it ships or with our configuration, or signed by hand.
            per_second: Its pace; 0 for as fast as it can.
        """
        path = self.folder / "bare-requests"
        path.write_bytes(msgspec.msgpack.encode(requests))
        terms = (self.settings.aws_region, str(self.settings.dispatch_in_flight), str(path), str(per_second))
        async with self.passing("bare", "gateway.bench.bare_sends", way, endpoint, *terms) as bare:
            await bare.hear()
            yield bare

    async def load(
        self,
        requests: Sequence[bytes],
        *,
        targets: Sequence[tuple[str, int]],
        seconds: float,
        warm_up_s: float = 0.5,
        per_second: float | None = None,
    ) -> tuple[Outcome, dict[str, float]]:
        """Run a load (`Job` says what it is); returns its outcome and the CPU seconds each process used."""
        path = self.folder / f"requests-{secrets.token_hex(4)}"
        path.write_bytes(msgspec.msgpack.encode(requests))
        job = Job(
            requests=str(path),
            targets=list(targets),
            connections=CONNECTIONS,
            seconds=seconds,
            warm_up_s=warm_up_s,
            per_second=per_second,
        )
        async with child("gateway.bench.load", folder=self.folder) as generator:
            await generator.say(msgspec.to_builtins(job))
            await generator.hear()
            before = self.cpu()
            await generator.say("go")
            outcome = msgspec.convert(await generator.hear(), Outcome, strict=False)
            after = self.cpu()
        path.unlink()
        return outcome, {name: after[name] - before.get(name, 0.0) for name in after}

    async def answers(self, started: Child, url: str) -> None:
        """
        Wait until a process answers at a URL.

        Raises:
            ChildFailed: It ended, or took too long.
        """
        async with aiohttp.ClientSession() as http:

            async def answered() -> bool:
                if not started.running:
                    raise started.failure("ended")
                try:
                    async with http.get(url) as response:
                        return response.status < 400
                except aiohttp.ClientError:
                    return False

            try:
                await eventually(answered, within_s=_READY_WITHIN_S)
            except TimeoutError as error:
                raise started.failure("did not get ready") from error


@asynccontextmanager
async def open_stack(
    *, sns_cert_origins: tuple[str, ...] = (), emulator: Sequence[str] = (), sizing: Sizing = LAPTOP
) -> AsyncGenerator[Stack]:
    """
    Start the stores and the emulator and migrate; the gateway's own processes are added by the caller.

    Args:
        sns_cert_origins: Trusted besides the emulator.
        emulator: Options of the emulator.
        sizing: Of the stores.
    """
    async with AsyncExitStack() as exits:
        folder = Path(
            exits.enter_context(TemporaryDirectory(prefix="tollgate-bench-", ignore_cleanup_errors=True))
        )
        folder.chmod(0o755)  # noqa: ASYNC240 - at once; the database server may run as another user
        stores = await exits.enter_async_context(
            embedded_stores(folder / "stores", database_url=None, redis_url=None, sizing=sizing)
        )
        emulator_port, port = free_port(), free_port()
        emulator_url = f"http://127.0.0.1:{emulator_port}"
        settings = Settings(
            database_url=stores.database_url,
            redis_url=stores.redis_url,
            operator_key=secrets.token_hex(16),
            secret_key=secrets.token_hex(16),
            aws_endpoint_url=emulator_url,
            aws_sends_per_second=_SENDS_PER_SECOND,
            public_url=f"http://127.0.0.1:{port}",
            port=port,
            sns_cert_origins=(emulator_url, *sns_cert_origins),
            webhook_allow_cidrs=("127.0.0.0/8",),
        )
        processes = {_kind(server.folder.name): server.pid for server in stores.servers}
        stack = Stack(settings, folder, processes, exits)
        await migrate(sqlalchemy_url(settings.database_url))
        await prepare_database(settings)
        aws = await stack.start("emulator", "gateway.emulator", "--port", str(emulator_port), *emulator)
        await stack.answers(aws, f"{emulator_url}/healthz")
        yield stack


def _kind(folder: str) -> str:
    return "postgres" if "postgres" in folder else "redis"


async def eventually(
    condition: Callable[[], Awaitable[_T]], *, within_s: float, every_s: float = _POLL_S
) -> _T:
    """
    Ask until the answer is true, and return it.

    Raises:
        TimeoutError: It was not in time.
    """
    deadline = time.monotonic() + within_s
    while not (answer := await condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within_s:g} s")
        await asyncio.sleep(every_s)
    return answer


def us_per_message(cpu_s: Mapping[str, float], messages: int, names: Sequence[str]) -> dict[str, float]:
    """Return microseconds of CPU per message for each of `names` that was measured."""
    return {name: cpu_s[name] * 1e6 / messages for name in names if name in cpu_s and messages}
