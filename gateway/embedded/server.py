"""
The life of one embedded server, whichever it is.

    start  claim the folder → stop survivors → settle the port → prepare the data → launch → await an answer
    stop   follow the stop plan → release the folder

An owner that must know of a death awaits `wait_exited`, and calls `start` again: same data, same URL.
"""

import asyncio
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

import msgspec
import structlog

from gateway.embedded.account import Account, account_for, give
from gateway.embedded.bundle import can_execute
from gateway.embedded.endpoint import Endpoint, free_port, is_free, new_password
from gateway.embedded.errors import FolderUnusableError, ServerFailedError, ServerNotRunningError
from gateway.embedded.folder import StoreFolder
from gateway.embedded.process import Launch, ServerProcess, StopPlan
from gateway.embedded.survivors import Habitat, stop_survivors

READY_WITHIN_S = 120.0
"""Generous, because a server that was killed first recovers what it had not yet written in place."""

LOOK_EVERY_S = 0.01
LAUNCHES = 3
"""More than one only matters when somebody takes the port between our look and the server's own."""

HANDLE = Path("/proc/self/cwd")
"""A folder by handle: no parent need be open to the account. Linux only."""

_log = structlog.stdlib.get_logger(__name__)


class EmbeddedServer(ABC):
    """A server that listens on loopback and keeps its data in a folder."""

    stop_plan: ClassVar[StopPlan]
    process_names: ClassVar[tuple[str, ...]]
    pid_file: ClassVar[str]
    port_offsets: ClassVar[tuple[int, ...]] = (0,)

    def __init__(self, folder: Path) -> None:
        self._folder = StoreFolder(folder)
        self._turn = asyncio.Lock()
        self._process: ServerProcess | None = None
        self._endpoint: Endpoint | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients connect, password included; known from the first start on."""

    @property
    def pid(self) -> int | None:
        """The process id of the leading process, or None while there is none."""
        return self._process.pid if self._process is not None and self._process.running else None

    @property
    def folder(self) -> Path:
        """The folder with the lock, the log and the data."""
        return self._folder.path

    async def start(self) -> None:
        """Start on what the folder holds, creating it first if it is new; no-op while the server runs."""
        async with self._turn:
            if self.pid is not None:
                return
            self._folder.claim()
            try:
                await self._start()
            except BaseException:
                await self._end()
                raise

    async def stop(self) -> None:
        """Stop in order, by force if that takes too long, and release the folder; no-op when stopped."""
        async with self._turn:
            await self._end()

    async def wait_exited(self) -> int:
        """Return the exit status once the process of the latest start ends, for whatever reason."""
        if self._process is None:
            raise ServerNotRunningError(f"the server of {self.folder} has not been started")
        return await self._process.wait()

    async def erase(self) -> None:
        """Stop whatever runs on the folder and remove its data and its endpoint."""
        async with self._turn:
            await self._end()
            self._folder.claim()
            try:
                await stop_survivors(self._habitat, self.stop_plan)
                await asyncio.to_thread(self._folder.empty)
            finally:
                self._folder.release()

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        await self.stop()

    @abstractmethod
    async def _prepare(self, account: Account | None) -> None:
        """Make the data folder ready for a launch; called once per start, with the endpoint known."""

    @abstractmethod
    def _launch(self, account: Account | None) -> Launch:
        """Say how to start the server."""

    @abstractmethod
    async def _answers(self) -> bool:
        """Say whether this very process takes commands."""

    @abstractmethod
    async def _finish(self) -> None:
        """Do what needs a running server before clients may have the URL."""

    @property
    def _habitat(self) -> Habitat:
        live = self._folder.live
        return Habitat(live=live, pid_file=live / self.pid_file, names=self.process_names)

    @property
    def _known(self) -> Endpoint:
        if self._endpoint is None:
            raise ServerNotRunningError(f"the server of {self.folder} has not been started")
        return self._endpoint

    async def _start(self) -> None:
        await stop_survivors(self._habitat, self.stop_plan)
        account = account_for(self._folder.live)
        endpoint = self._settled(self._folder.endpoint() or self._drawn())
        await self._prepare(account)
        for _ in range(LAUNCHES):
            if await self._launched(account):
                await self._finish()
                return
            endpoint = self._settled(endpoint)
        raise self._failed(f"lost its port to another program {LAUNCHES} times")

    async def _end(self) -> None:
        if self._process is not None:
            await self._process.stop()
        self._folder.release()

    async def _launched(self, account: Account | None) -> bool:
        """Launch and wait for an answer; False if the server ended because its port had just been taken."""
        self._folder.turn_log()
        self._process = process = ServerProcess(self._launch(account))
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                while not await self._answers():
                    if await process.ends_within(LOOK_EVERY_S):
                        self._raise_unless_port_was_taken()
                        return False
        except TimeoutError as error:
            raise self._failed(f"did not answer within {READY_WITHIN_S:.0f} s") from error
        return True

    def _raise_unless_port_was_taken(self) -> None:
        if is_free(self._known.port, self.port_offsets):
            raise self._failed("ended while starting")

    def _drawn(self) -> Endpoint:
        return Endpoint(port=free_port(self.port_offsets), password=new_password())

    def _settled(self, endpoint: Endpoint) -> Endpoint:
        """Keep the port if it is still free, take another if not, and remember which."""
        if not is_free(endpoint.port, self.port_offsets):
            moved = msgspec.structs.replace(endpoint, port=free_port(self.port_offsets))
            _log.warning("embedded_port_taken", folder=str(self.folder), old=endpoint.port, new=moved.port)
            endpoint = moved
        self._folder.keep(endpoint)
        self._endpoint = endpoint
        return endpoint

    def _failed(self, what: str) -> ServerFailedError:
        return ServerFailedError(
            f"the server of {self.folder} {what}; the end of {self._folder.log}:\n{self._folder.log_tail()}"
        )


def make_own(live: Path, account: Account | None) -> None:
    """Make the server's folder if it is absent, private to the account that runs the server."""
    live.mkdir(mode=0o700, exist_ok=True)
    if account is not None:
        give(live, account)


def address(live: Path, account: Account | None, *, keeps_folder: bool) -> str:
    """
    Return the name by which a server started in `live` can open that folder.

    Args:
        live: The folder; its parents may be closed to the account.
        account: Whom the server runs as, None for ourselves.
        keeps_folder: Whether the program stays in the folder it is started in until it has opened it.
    """
    if account is None:
        return str(live)
    if keeps_folder and HANDLE.exists():
        return str(HANDLE)
    if not can_execute(account, live):
        raise FolderUnusableError(
            f"{live} cannot be reached by {account.name}, whom root steps down to: "
            "choose a --data whose folders are open, or start as an ordinary user"
        )
    return str(live)
