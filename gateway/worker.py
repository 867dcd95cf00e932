"""Runs the background roles of one process in one TaskGroup, until SIGTERM."""

import asyncio
import signal
from collections.abc import Collection

import structlog

from gateway.memory import settle_memory
from gateway.settings import Settings
from gateway.wiring.resources import open_resources
from gateway.wiring.roles import open_roles
from gateway.wiring.stopping import end_all

_log = structlog.get_logger(__name__)


async def run(settings: Settings, roles: Collection[str]) -> None:
    """
    Work until told to stop, then finish what is on the wire.

    SIGTERM and SIGINT cancel the roles; each drains what it has begun before it ends, if it can in time.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with open_resources(settings) as shared, open_roles(shared, roles) as tasks:
        settle_memory()
        _log.info("worker_started", roles=sorted(roles))
        running = [asyncio.ensure_future(task()) for task in tasks]
        for each in running:
            each.add_done_callback(lambda _: stop.set())
        await stop.wait()
        died = [each for each in running if each.done()]
        await end_all(running, within_s=settings.stop_within_s)
        for each in died:
            each.result()
    _log.info("worker_stopped", roles=sorted(roles))
