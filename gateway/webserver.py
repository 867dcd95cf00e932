"""
The web process: uvicorn in our own event loop, with the tasks that intake and receipts need beside it.

Stopping is in order: take no new connection, answer what waits, then end the tasks that answer it.
"""

import asyncio
import contextlib
import signal
import socket
import time
from collections.abc import Collection, Generator
from typing import Any

import structlog
import uvicorn
from litestar import Litestar

from gateway.api.hot.whole_answers import AnsweringProtocol
from gateway.asgi import create_app
from gateway.errors import ConfigurationError
from gateway.memory import settle_memory, uncollected
from gateway.settings import Settings
from gateway.wiring.api import open_api
from gateway.wiring.resources import Task, open_resources
from gateway.wiring.roles import open_roles
from gateway.wiring.stopping import end_all

_log = structlog.get_logger(__name__)

_OF_REQUESTS = 0.8
"""Of the time to stop in, what the requests under way may take; the rest is for the tasks behind them."""
_KEEP_ALIVE_S = 75
"""Longer than the 60 s of common load balancers, so that they, not we, close idle connections."""
_BACKLOG = 2048


class _Server(uvicorn.Server):
    """Leaves signals to us, so that it and the tasks stop in order."""

    told_at: float | None = None
    """When it was told to stop, by the monotonic clock; None for one that ended by itself."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """
    Bind at once, so that a busy port is told before anything else happens.

    Raises:
        ConfigurationError: The address cannot be bound.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio turns Nagle's algorithm off on the connections.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"{host}:{port} cannot be listened on ({error.strerror}): choose another with --host or --port"
        ) from error
    listener.listen(_BACKLOG)
    listener.setblocking(False)  # noqa: FBT003 - the standard library's
    return listener


async def run(settings: Settings, listener: socket.socket, roles: Collection[str] = ()) -> None:
    """Serve the API, and any other roles in the same process, until SIGTERM or SIGINT."""
    async with (
        open_resources(settings) as shared,
        open_api(shared) as api,
        open_roles(shared, roles) as tasks,
    ):
        with uncollected():
            app = create_app(api.services)
        server = _Server(_config(app, settings))
        settle_memory()
        _stop_on_signals(server)
        _log.info("api_started", address=f"{settings.host}:{listener.getsockname()[1]}", roles=sorted(roles))
        await _serve(server, listener, [*api.tasks, *tasks], stop_within_s=settings.stop_within_s)
    _log.info("api_stopped")


async def _serve(
    server: _Server, listener: socket.socket, tasks: list[Task], *, stop_within_s: float
) -> None:
    """Run both until either ends; a task that breaks takes the server down with it, in order."""
    running = [asyncio.ensure_future(task()) for task in tasks]
    beside = asyncio.gather(*running)
    beside.add_done_callback(_take_note)
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    awaited: set[asyncio.Future[Any]] = {beside, serving}
    await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    await serving
    broken = beside.done()
    spent_s = 0.0 if server.told_at is None else time.monotonic() - server.told_at
    await end_all(running, within_s=max(stop_within_s - spent_s, stop_within_s * (1 - _OF_REQUESTS)))
    if broken:
        beside.result()


def _take_note(ended: "asyncio.Future[Any]") -> None:
    """Mark how the tasks ended as seen: as they were told to, which is no news, or by what is raised."""
    if not ended.cancelled():
        ended.exception()


def _stop_on_signals(server: _Server) -> None:
    def stop() -> None:
        server.told_at = server.told_at or time.monotonic()
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)


def _config(app: Litestar, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=AnsweringProtocol,
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=max(1, int(settings.stop_within_s * _OF_REQUESTS)),
        backlog=_BACKLOG,
    )
