"""
What runs, and in which order.

    start   stores → emulator and migrations → API, dispatcher, the other roles → wait for `/readyz`
    stop    the gateway's processes together → emulator → stores

Each part is an operating system process of its own, so any may be killed; `keeper` starts it again.
"""

import asyncio
import shutil
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from gateway.embedded import EmbeddedError, embedded_stores
from gateway.settings import Settings, read_settings
from gateway.stack.child import Child, ChildPlan, turn_log
from gateway.stack.environment import (
    EMULATOR_MEDIA_BUCKET,
    EMULATOR_SENDS_PER_SECOND,
    LOOPBACK_NETWORKS,
    children_environment,
)
from gateway.stack.errors import StackError
from gateway.stack.keeper import Mortal, Say, keep_alive
from gateway.stack.ports import settled_port
from gateway.stack.probe import answers
from gateway.stack.secrets import keys_of
from gateway.stack.stores import KeptStore

_READY_WITHIN_S: Final = 90.0
_LOOK_EVERY_S: Final = 0.05
_JOURNAL: Final = "emulator.journal"
_PATIENT_SNS: Final = ("--sns-retries", "60", "--sns-retry-delay", "2")
"""Any part may be killed and take a minute to come back: no receipt may be given up meanwhile."""
_ROLES: Final[dict[str, tuple[str, ...]]] = {
    "api": ("serve", "api"),
    "dispatcher": ("serve", "dispatcher"),
    "workers": ("serve", "receipts", "webhooks", "scheduler"),
}


class StackPlan(Struct, frozen=True, kw_only=True):
    """What was asked for on the command line."""

    data: Path
    environment: Mapping[str, str]
    """What a real service's address and any other setting are taken from."""
    port: int
    """Of the API; 0 for any."""
    emulator_port: int
    """0 for any."""
    seed: int = 0
    """Of the emulator's carriers."""
    log_level: str = "info"


class Stack(Struct, frozen=True, kw_only=True):
    """A stack that answers."""

    settings: Settings
    emulator_url: str | None
    """None where AWS_ENDPOINT_URL named something else."""
    logs: Path
    parts: tuple[Child | KeptStore, ...]
    """Everything that was started here, for those who watch or kill it."""


@asynccontextmanager
async def running_stack(plan: StackPlan, say: Say) -> AsyncGenerator[Stack]:
    """
    Run everything for the length of the block.

    Raises:
        StackError: A part of it ended or stayed silent while starting; nothing is left running.
        ConfigurationError: A setting is wrong, or a port is taken.
    """
    try:
        plan.data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StackError(
            f"{plan.data} cannot be made ({error.strerror}): choose another folder with --data"
        ) from error
    emulated = not plan.environment.get("AWS_ENDPOINT_URL")
    ports = {"api": settled_port(plan.port, "--port")}
    if emulated:
        ports["emulator"] = settled_port(plan.emulator_port, "--emulator-port")
    try:
        async with embedded_stores(
            plan.data,
            database_url=plan.environment.get("DATABASE_URL") or None,
            redis_url=plan.environment.get("REDIS_URL") or None,
        ) as stores:
            settings = _settings(plan, ports, stores.database_url, stores.redis_url)
            kept = tuple(KeptStore(server) for server in stores.servers)
            async with (
                _kept(kept, say),
                _running_children(plan, settings, emulated=emulated, say=say) as children,
            ):
                yield Stack(
                    settings=settings,
                    emulator_url=settings.aws_endpoint_url if emulated else None,
                    logs=_logs(plan),
                    parts=(*kept, *children),
                )
    except EmbeddedError as error:
        raise StackError(str(error)) from error


@asynccontextmanager
async def _running_children(
    plan: StackPlan, settings: Settings, *, emulated: bool, say: Say
) -> AsyncGenerator[list[Child]]:
    environment = children_environment(plan.environment, settings, emulated=emulated)

    def child(name: str, *arguments: str) -> Child:
        return Child(
            ChildPlan(
                name=name, arguments=arguments, environment=environment, log=_logs(plan) / f"{name}.log"
            )
        )

    emulators = [child("emulator", *_emulator_arguments(plan, settings))] if emulated else []
    gateways = [child(name, *arguments) for name, arguments in _ROLES.items()]
    for each in (*emulators, *gateways):
        turn_log(_logs(plan) / f"{each.name}.log")
    try:
        await asyncio.gather(*(each.start() for each in emulators))
        await _migrate(child("migrate", "migrate"))
        await asyncio.gather(*(each.start() for each in gateways))
        await _wait_ready([*emulators, *gateways], settings, emulated=emulated)
        async with _kept(tuple(emulators), say), _kept(tuple(gateways), say):
            yield [*emulators, *gateways]
    finally:
        await asyncio.gather(*(each.stop() for each in gateways))
        await asyncio.gather(*(each.stop() for each in emulators))


@asynccontextmanager
async def _kept(mortals: tuple[Mortal, ...], say: Say) -> AsyncGenerator[None]:
    """Keep them alive for the length of the block, then stop them together."""
    keepers = [asyncio.ensure_future(keep_alive(each, say)) for each in mortals]
    try:
        yield
    finally:
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)


async def _migrate(child: Child) -> None:
    await child.start()
    try:
        if await child.wait_exited() != 0:
            raise StackError(f"the migrations failed:\n{child.log_tail()}")
    finally:
        await child.stop()


async def _wait_ready(children: list[Child], settings: Settings, *, emulated: bool) -> None:
    """Wait until the API and the emulator answer; a child that ends meanwhile ends the waiting."""
    wanted = [f"http://127.0.0.1:{settings.port}/readyz"]
    if emulated:
        wanted.append(f"{settings.aws_endpoint_url}/healthz")
    try:
        async with asyncio.timeout(_READY_WITHIN_S):
            for url in wanted:
                while not await asyncio.to_thread(answers, url):
                    _raise_if_ended(children)
                    await asyncio.sleep(_LOOK_EVERY_S)
    except TimeoutError as error:
        raise StackError(f"no answer within {_READY_WITHIN_S:.0f} s: {_last_words(children)}") from error
    _raise_if_ended(children)


def _raise_if_ended(children: list[Child]) -> None:
    for each in children:
        if each.pid is None:
            raise StackError(f"{each.name} ended while starting; the end of its log:\n{each.log_tail()}")


def _last_words(children: list[Child]) -> str:
    return "\n".join(f"{each.name}: {each.log_tail()[-500:]}" for each in children)


def _settings(plan: StackPlan, ports: dict[str, int], database_url: str, redis_url: str) -> Settings:
    keys = keys_of(plan.data)
    defaults: dict[str, Any] = {
        "operator_key": keys.operator_key,
        "secret_key": keys.secret_key,
        "public_url": f"http://127.0.0.1:{ports['api']}",
        "webhook_allow_cidrs": LOOPBACK_NETWORKS,
        "log_format": "console",
        "log_level": plan.log_level,
    }
    if (port := ports.get("emulator")) is not None:
        endpoint = f"http://127.0.0.1:{port}"
        defaults |= {
            "aws_endpoint_url": endpoint,
            "sns_cert_origins": (endpoint,),
            "aws_sends_per_second": EMULATOR_SENDS_PER_SECOND,
            "aws_media_bucket": EMULATOR_MEDIA_BUCKET,
        }
    stores = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "TOLLGATE_PORT": str(ports["api"])}
    return read_settings({**plan.environment, **stores}, **defaults)


def _emulator_arguments(plan: StackPlan, settings: Settings) -> tuple[str, ...]:
    port = str(settings.aws_endpoint_url).rpartition(":")[2]
    state = str(plan.data.absolute() / _JOURNAL)
    return ("emulator", "--port", port, "--seed", str(plan.seed), "--state", state, *_PATIENT_SNS)


def _logs(plan: StackPlan) -> Path:
    return plan.data.absolute() / "logs"


def erase_emulator(data: Path) -> None:
    """Remove what the emulator remembers."""
    for path in data.glob(f"{_JOURNAL}*"):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
