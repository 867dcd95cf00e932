"""Running the emulator: as a process of its own, or inside another event loop as a test fixture."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import msgspec
import uvicorn

from gateway.emulator.app import EmulatorApp
from gateway.emulator.options import EmulatorOptions
from gateway.emulator.protocol import CuttableProtocol
from gateway.emulator.world import World


class RunningEmulator(msgspec.Struct, frozen=True):
    """An emulator that answers."""

    base_url: str
    world: World


async def serve(options: EmulatorOptions) -> None:
    """Run until SIGINT or SIGTERM."""
    listener = _listen(options)
    world = World(options, _base_url(options, listener))
    world.start()
    try:
        await uvicorn.Server(_config(world)).serve(sockets=[listener])
    finally:
        await world.close()


@contextlib.asynccontextmanager
async def running_emulator(options: EmulatorOptions | None = None) -> AsyncIterator[RunningEmulator]:
    """
    Run an emulator in this event loop for the length of a ``with`` block.

    Args:
        options: Port 0 takes a free port, which is also the default here.
    """
    chosen = options or EmulatorOptions(port=0)
    listener = _listen(chosen)
    world = World(chosen, _base_url(chosen, listener))
    world.start()
    server = _GuestServer(_config(world))
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await server.ready.wait()
        yield RunningEmulator(world.base_url, world)
    finally:
        server.should_exit = True
        await running
        await world.close()


class _GuestServer(uvicorn.Server):
    """A server inside someone else's event loop: signals are its host's."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
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
    listener = socket.create_server((options.host, options.port), family=family, backlog=4096)
    listener.setblocking(False)
    return listener


def _base_url(options: EmulatorOptions, listener: socket.socket) -> str:
    if options.base_url is not None:
        return options.base_url.rstrip("/")
    host = "127.0.0.1" if options.host in {"0.0.0.0", "::"} else options.host
    return f"http://{host}:{listener.getsockname()[1]}"
