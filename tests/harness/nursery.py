"""
Processes of the gateway that begin with its modules read: one process reads them once, and the others are its
forks.

Reading the modules costs two seconds of a core, and the scenarios start hundreds of processes. A fork shares
nothing with its siblings: it has no event loop, no thread and no connection yet, an environment and a log of
its own, and it is killed, stopped and armed like any other. Its standard input is a leash that ends when the
test's process dies.

    python -m tests.harness.nursery LEASH     orders come by standard input, news go to standard output
"""

import asyncio
import contextlib
import gc
import os
import selectors
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path

import msgspec
import uuid_utils
from msgspec import Struct

from tests.harness import child

_READ_BEFOREHAND = (
    *("gateway.cli.serve", "gateway.webserver", "gateway.wiring.api", "gateway.wiring.roles"),
    *("gateway.asgi", "uvicorn.lifespan.on", "uvicorn.protocols.http.httptools_impl"),
    "litestar.plugins.pydantic",  # which every application looks for, whether it is used or not
)
_CHUNK = 65_536


class _Order(Struct):
    arguments: list[str]
    environment: dict[str, str]
    log: str


class _News(Struct, omit_defaults=True):
    """A process that was started, or has ended with a status (negative: by a signal)."""

    pid: int
    status: int | None = None


class Nursling:
    """One process: what of `asyncio.subprocess.Process` a scenario needs."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._over = asyncio.Event()

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal; one that has ended gets none."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it with no chance to say goodbye."""
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        """Return its exit status, negative for a signal, once it has ended."""
        await self._over.wait()
        assert self.returncode is not None
        return self.returncode

    def has_ended(self, status: int) -> None:
        """Note how."""
        self.returncode = status
        self._over.set()


class Nursery:
    """Starts processes and hears of their ends."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._nurslings: dict[int, Nursling] = {}
        self._awaited: deque[asyncio.Future[Nursling]] = deque()

    async def start(self, arguments: Sequence[str], *, environment: Mapping[str, str], log: Path) -> Nursling:
        """Start the gateway's command with these arguments and nothing but this environment."""
        assert self._process.stdin is not None
        started: asyncio.Future[Nursling] = asyncio.get_running_loop().create_future()
        self._awaited.append(started)
        order = _Order(list(arguments), dict(environment), str(log))
        self._process.stdin.write(msgspec.json.encode(order) + b"\n")
        return await started

    async def hear(self) -> None:
        """Take the nursery's news until it ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            news = msgspec.json.decode(line, type=_News)
            if news.status is None:
                nursling = self._nurslings[news.pid] = Nursling(news.pid)
                self._awaited.popleft().set_result(nursling)
            else:
                self._nurslings.pop(news.pid).has_ended(news.status)


@contextlib.asynccontextmanager
async def running_nursery() -> AsyncIterator[Nursery]:
    """Open a nursery; what it started must have ended before it is closed."""
    leash, hand = os.pipe()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.harness.nursery", str(leash)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        pass_fds=(leash,),
    )
    os.close(leash)
    nursery = Nursery(process)
    hearing = asyncio.create_task(nursery.hear())
    try:
        yield nursery
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
        await hearing
        os.close(hand)


def _nurse(leash: int) -> list[str]:
    """Fork at every order, tell of every end, and return in a fork: with its arguments."""
    alarm, ring = os.pipe()
    for end in (alarm, ring):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(ring)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    orders = b""
    with selectors.DefaultSelector() as waiting:
        waiting.register(0, selectors.EVENT_READ)
        waiting.register(alarm, selectors.EVENT_READ)
        while True:
            for key, _ in waiting.select():
                if key.fd == alarm:
                    os.read(alarm, _CHUNK)
                    _tell_ends()
                    continue
                if not (read := os.read(0, _CHUNK)):
                    sys.exit()
                *whole, orders = (orders + read).split(b"\n")
                for each in whole:
                    order = msgspec.json.decode(each, type=_Order)
                    if (pid := os.fork()) == 0:
                        signal.set_wakeup_fd(-1)
                        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                        return _begin(order, leash, (alarm, ring))
                    _tell(_News(pid))


def _tell_ends() -> None:
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            _tell(_News(ended[0], os.waitstatus_to_exitcode(ended[1])))


def _tell(news: _News) -> None:
    os.write(1, msgspec.json.encode(news) + b"\n")


def _begin(order: _Order, leash: int, ours: Sequence[int]) -> list[str]:
    """Make a fork a process of its own."""
    log = os.open(order.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for taken, place in ((leash, 0), (log, 1), (log, 2)):
        os.dup2(taken, place)
    for each in (leash, log, *ours):
        os.close(each)
    os.environ.clear()
    os.environ.update(order.environment)
    uuid_utils.reseed_rng()  # siblings must not draw the same ids
    return order.arguments


if __name__ == "__main__":
    for module in _READ_BEFOREHAND:
        import_module(module)
    gc.collect()
    gc.freeze()
    sys.argv[1:] = _nurse(int(sys.argv[1]))
    child.run()
