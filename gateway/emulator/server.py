"""Running the emulator: as a process of its own, or inside another event loop as a test fixture."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncGenerator, Generator
from typing import Any

import msgspec
import uvicorn

from gateway.emulator.app import EmulatorApp
from gateway.emulator.inbound import resume
from gateway.emulator.options import EmulatorOptions
from gateway.emulator.protocol import CuttableProtocol
from gateway.emulator.world import World


class RunningEmulator(msgspec.Struct, frozen=True):
    """An emulator that answers."""

    base_url: str
    world: World


async def serve(options: EmulatorOptions) -> None:
    """Run until SIGINT or SIGTERM."""
    async with _open_world(options) as (world, listener):
        server = _GuestServer(_config(world))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, server.stop)
        await server.serve(sockets=[listener])


@contextlib.asynccontextmanager
async def running_emulator(
    options: EmulatorOptions | None = None, **changes: Any
) -> AsyncGenerator[RunningEmulator]:
    """
    Run an emulator in this event loop for the length of a ``with`` block.

    Args:
        options: Where to start from; without it, the defaults on a free port.
        changes: Single fields of ``EmulatorOptions`` that differ.
    """
    chosen = msgspec.structs.replace(options or EmulatorOptions(port=0), **changes)
    async with _open_world(chosen) as (world, listener):
        server = _GuestServer(_config(world))
        running = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await server.ready.wait()
            yield RunningEmulator(world.base_url, world)
        finally:
            server.stop()
            await running


@contextlib.asynccontextmanager
async def _open_world(options: EmulatorOptions) -> AsyncGenerator[tuple[World, socket.socket]]:
    with _listen(options) as listener:
        world = World(options, _base_url(options, listener))
        world.start()
        resume(world)
        try:
            yield world, listener
        finally:
            await world.close()


class _GuestServer(uvicorn.Server):
    """A server that leaves signals to whoever runs it, and says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    def stop(self) -> None:
        """Take no more requests, finish those that run, and leave."""
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


def _config(world: World) -> uvicorn.Config:
    return uvicorn.Config(
        EmulatorApp(world),
        http=CuttableProtocol,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        date_header=True,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
        backlog=4096,
    )


def _listen(options: EmulatorOptions) -> socket.socket:
    """Bind at once, so that a busy port is told before anything else happens."""
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    # With the protocol named, asyncio turns Nagle's algorithm off on the connections.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((options.host, options.port))
    listener.setblocking(False)  # noqa: FBT003 - the name of the method says it
    return listener


def _base_url(options: EmulatorOptions, listener: socket.socket) -> str:
    if options.base_url is not None:
        return options.base_url.rstrip("/")
    host = "127.0.0.1" if options.host in {"0.0.0.0", "::"} else options.host
    return f"http://{host}:{listener.getsockname()[1]}"
