"""
The gateway as processes of its own on real stores, each behind a proxy, each to be killed, stopped or armed.

The emulated AWS and the proxies run in the test's event loop; the emulator writes each accepted send to an
fsynced log, which is the truth that everything else is compared with.
"""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from gateway.embedded import EmbeddedRedis
from gateway.emulator.server import RunningEmulator, running_emulator
from gateway.messages.reconcile import every_difference
from gateway.settings import Settings, to_environment
from gateway.stack.ports import settled_port
from gateway.wiring.provisioning import prepare_database
from tests.harness.nursery import Nursery, Nursling, running_nursery
from tests.harness.plain import NO_AUTHORITIES
from tests.harness.proxy import FaultProxy, running_proxy
from tests.harness.waiting import until

ROLES = {
    "api": ("api",),
    "dispatcher": ("dispatcher",),
    "workers": ("receipts", "webhooks", "scheduler"),
}
"""By the first word of a process's name: `dispatcher 2` is another dispatcher."""
LEASE_S = 6.0
UNKNOWN_WAIT_S = 4.0
IN_FLIGHT = 8
OPERATOR_KEY = "operator key of the scenarios"
_UP_WITHIN_S = 90.0
_FORGET_DELIVERIES = "UPDATE webhook_deliveries SET state = 'failed' WHERE state = 'pending'"
"""What an earlier scenario's receiver is still owed would be the next one's first lease."""


class Process:
    """One running process and what it wrote."""

    def __init__(self, name: str, process: Nursling, log: Path, build: str) -> None:
        self.name = name
        self.build = build
        self._process = process
        self._log = log

    @property
    def running(self) -> bool:
        """Whether it has not ended; one that stands still runs."""
        return self._process.returncode is None

    @property
    def wrote(self) -> str:
        """Its log so far; a fork opens it as its first act."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    async def ended(self, *, within_s: float = 90.0) -> int:
        """
        Return the exit status, negative for a signal.

        Raises:
            TimeoutError: It still runs; the text is what it wrote last.
        """
        try:
            async with asyncio.timeout(within_s):
                return await self._process.wait()
        except TimeoutError as error:
            raise TimeoutError(f"{self.name} runs after {within_s} s: {self.wrote[-3000:]}") from error

    async def kill(self) -> None:
        """End it with no chance to say goodbye; no-op when it has ended."""
        if self.running:
            self._process.kill()
        await self._process.wait()

    async def terminate(self) -> int:
        """Ask it to stop, also if it stands still, and return its exit status."""
        if self.running:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
        return await self.ended()

    async def stands_still(self) -> None:
        """Return once it has stopped itself at a fault point."""
        status = Path(f"/proc/{self._process.pid}/stat")

        async def is_stopped() -> bool:
            assert self.running, self.wrote[-3000:]
            return _state(status) == "T"

        await until(is_stopped, within_s=90)


def _state(status: Path) -> str:
    """The letter that /proc gives a process's state."""
    return status.read_text().rpartition(")")[2].split()[0]


@dataclass
class Fleet:
    """Everything a scenario may break."""

    folder: Path
    nursery: Nursery
    settings: Settings
    emulator: RunningEmulator
    redis: EmbeddedRedis
    database: "asyncpg.Pool[asyncpg.Record]"
    to_postgres: FaultProxy
    to_redis: FaultProxy
    to_aws: FaultProxy
    stack: contextlib.AsyncExitStack
    """For whatever else a scenario starts; closed with the fleet."""
    processes: dict[str, Process] = field(default_factory=dict)
    was_broken: bool = False
    """Whether a build ran that was broken on purpose, since the books were last looked at."""
    spoiled: set[UUID | None] = field(default_factory=set)
    """Tenants whose books such a build left in disorder."""
    _serial: int = 0
    _truth: list[dict[str, Any]] = field(default_factory=list)
    _truth_bytes: int = 0
    """Of the log, read so far: it grows for as long as the fleet lives, and is looked at again and again."""

    @property
    def api_url(self) -> str:
        """Where clients reach the API."""
        return self.settings.public_url

    async def start(
        self, name: str, *, fault: str | None = None, broken: str = "", **environment: str
    ) -> Process:
        """
        Start a process, armed with a fault or broken on purpose; whatever had its name is killed first.

        Args:
            environment: Settings of this process alone; one whose name begins with SCENARIO_ makes it unfit
                for the scenarios after this one, as a broken build is.
        """
        await self.kill(name)
        self._serial += 1
        self.was_broken = self.was_broken or bool(broken)
        log = self.folder / f"{self._serial:03}-{name}.log"
        command = (
            "serve",
            *ROLES[name.partition(" ")[0]],
            *(("--port", str(self.settings.port)) if name == "api" else ()),
        )
        process = await self.nursery.start(
            ("--leash", *command), environment=self._environment(fault, broken) | environment, log=log
        )
        is_odd = any(each.startswith("SCENARIO_") for each in environment)
        self.processes[name] = Process(name, process, log, broken or ("odd" if is_odd else ""))
        await self._up(self.processes[name])
        return self.processes[name]

    async def ensure(self, name: str, *, broken: str = "") -> Process:
        """Return the process of that name and build, started unless it runs."""
        there = self.processes.get(name)
        if there is not None and there.running and there.build == broken:
            return there
        return await self.start(name, broken=broken)

    async def kill(self, *names: str) -> None:
        """Kill the named processes, or all."""
        for name in names or tuple(self.processes):
            if (process := self.processes.pop(name, None)) is not None:
                await process.kill()

    def _environment(self, fault: str | None, broken: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TOLLGATE_")}
        planned = {} if fault is None else {"TOLLGATE_FAULTPOINT": fault}
        return (
            kept
            | to_environment(self.settings)
            | {"SCENARIO_LEASE_S": str(LEASE_S), "SCENARIO_BROKEN": broken}
            | planned
        )

    async def _up(self, process: Process) -> None:
        """Wait until it works; one that is armed may be dead by then, as it was told to."""
        said = '"api_started"' if process.name == "api" else '"worker_started"'

        async def works() -> bool:
            assert process.running or said in process.wrote, process.wrote[-3000:]
            return said in process.wrote

        await until(works, within_s=_UP_WITHIN_S)
        if process.name == "api":
            await until(self._api_answers, within_s=_UP_WITHIN_S)

    async def _api_answers(self) -> bool:
        async with httpx.AsyncClient(verify=NO_AUTHORITIES) as client:
            with contextlib.suppress(httpx.TransportError):
                return (await client.get(f"{self.api_url}/healthz")).is_success
        return not self.processes["api"].running

    async def emulate(self, what: str, body: Any) -> None:
        """Set the emulator's faults or carriers."""
        async with httpx.AsyncClient(verify=NO_AUTHORITIES, timeout=60) as client:
            answer = await client.post(f"{self.emulator.base_url}/_emulator/{what}", json=body)
        assert answer.is_success, answer.text

    def truth(self) -> list[dict[str, Any]]:
        """Return what the carrier accepted, from the log it had to sync before it answered."""
        path = self.folder / "truth.jsonl"
        if path.exists():
            with path.open("rb") as log:
                log.seek(self._truth_bytes)
                fresh = log.read()
            self._truth += [json.loads(line) for line in fresh.splitlines()]
            self._truth_bytes += len(fresh)
        return list(self._truth)

    async def reconcile(self) -> None:
        """Hold the reconciler to finding nothing but what builds left that were broken on purpose."""
        found = [d for d in await every_difference(self.database) if d.tenant_id not in self.spoiled]
        if self.was_broken:
            self.spoiled |= {difference.tenant_id for difference in found}
            self.was_broken = False
            return
        assert found == [], found

    async def heal(self) -> None:
        """End every fault and every process that may be armed or broken, and empty the line."""
        for process in list(self.processes.values()):
            healthy = process.running and not process.build and process.name in {"api", "workers"}
            if not healthy:
                await self.kill(process.name)
        for proxy in (self.to_postgres, self.to_redis, self.to_aws):
            await proxy.heal()
        await self.redis.start()
        await self.redis.command("REPLICAOF", "NO", "ONE")
        await self.redis.command("CONFIG", "SET", "maxmemory", "0")
        self.emulator.world.clock.offset_ms = 0.0
        await self.emulate("faults", {})
        await self.emulate("carriers", {"*": {"outcomes": {"DELIVERED": 1.0}}})
        await until(self._emptied)
        await self.database.execute(_FORGET_DELIVERIES)
        await self.redis.command("FLUSHALL")

    async def _emptied(self) -> bool:
        """Whether the line could be emptied; what a process still has under way may be in the way."""
        with contextlib.suppress(asyncpg.DeadlockDetectedError):
            await self.database.execute("TRUNCATE dispatch_queue, outbox_batches")
            return True
        return False


@contextlib.asynccontextmanager
async def running_fleet(folder: Path, database_url: str) -> AsyncIterator[Fleet]:
    """Open the stores, the proxies and the emulator; no process of the gateway runs yet."""
    async with contextlib.AsyncExitStack() as stack:
        redis = await stack.enter_async_context(EmbeddedRedis(folder))
        emulator = await stack.enter_async_context(
            running_emulator(
                latency_scale=0.05, sns_retries=60, sns_retry_delay_s=0.5, truth_log=folder / "truth.jsonl"
            )
        )
        to_postgres = await stack.enter_async_context(running_proxy(database_url))
        to_redis = await stack.enter_async_context(running_proxy(redis.url))
        to_aws = await stack.enter_async_context(running_proxy(emulator.base_url))
        port = settled_port(0, "--port")
        settings = Settings(
            database_url=to_postgres.url(database_url),
            redis_url=to_redis.url(redis.url),
            operator_key=OPERATOR_KEY,
            secret_key="secret key of the scenarios",
            aws_endpoint_url=to_aws.url(emulator.base_url),
            aws_sends_per_second=1000,
            public_url=f"http://127.0.0.1:{port}",
            port=port,
            webhook_allow_cidrs=("127.0.0.0/8",),
            sns_cert_origins=(emulator.base_url,),
            dispatch_in_flight=IN_FLIGHT,
            unknown_wait_s=UNKNOWN_WAIT_S,
            fault_injection=True,
        )
        await prepare_database(settings)
        database = await stack.enter_async_context(asyncpg.create_pool(database_url, min_size=1, max_size=4))
        nursery = await stack.enter_async_context(running_nursery())
        fleet = Fleet(
            folder, nursery, settings, emulator, redis, database, to_postgres, to_redis, to_aws, stack
        )
        stack.push_async_callback(fleet.kill)
        yield fleet
