"""
One running server process: started, leashed, awaited, stopped.

The leash is a shell that waits for its input to end and then signals the server. Only the owner holds the
other end of that input, so when the owner dies, however it dies, its servers are told to stop. Unlike a
parent-death signal it works on every Unix, outlives the thread that started it, and asks for an orderly end.
"""

import asyncio
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Generator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from gateway.embedded.account import Account

ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
"""All a server sees: PGPORT, PGDATA and their like in the owner's environment must not steer it."""

LEASH = 'read -r _; kill -s "$1" "$2"'


@dataclass(frozen=True, kw_only=True, slots=True)
class StopPlan:
    """How a server is asked to stop; SIGKILL is the last step of every plan."""

    polite: signal.Signals
    """To the leading process: finish what must be finished."""

    firm: signal.Signals
    """To every process left after that: end now, in a way the data survive."""

    polite_s: float = 30.0
    firm_s: float = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Launch:
    """What to start, and how."""

    argv: tuple[str, ...]
    cwd: Path
    """Entered before stepping down to the account, so none of its parents need be open to that account."""

    log: Path
    account: Account | None
    stop: StopPlan
    stdin: bytes = b""
    """Passwords and configurations go in here: arguments and files can be read by others."""


class ServerProcess:
    """A started child. Its exit is watched by a thread, so it is known whatever event loop runs, or none."""

    def __init__(self, launch: Launch) -> None:
        self._stop = launch.stop
        self._child = _start(launch)
        self._leash = leash(self._child.pid, launch.stop.polite)
        self._exited: Future[int] = Future()
        self._exited.set_running_or_notify_cancel()  # from here on no waiter's cancellation can cancel it
        threading.Thread(target=self._watch, name=f"watch-{self.pid}", daemon=True).start()

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether the exit has not been seen yet."""
        return not self._exited.done()

    async def wait(self) -> int:
        """Return the exit status once the process ends: negative is the signal that ended it."""
        return await asyncio.wrap_future(self._exited)

    async def ends_within(self, seconds: float) -> bool:
        """Wait at most so long; say whether the process ended."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.wait()
        return not self.running

    async def stop(self) -> int:
        """Follow the stop plan to its end and return the exit status."""
        if not await self._told(self._stop.polite, self._stop.polite_s):
            await self._told(self._stop.firm, self._stop.firm_s)
        if self.running:
            self._child.kill()
        return await self.wait()

    async def _told(self, signal_: signal.Signals, patience_s: float) -> bool:
        if self.running:
            self._child.send_signal(signal_)
        return await self.ends_within(patience_s)

    def _watch(self) -> None:
        status = self._child.wait()
        self._leash.kill()  # before its input closes, or it would signal whoever gets the process id next
        self._leash.communicate()
        self._exited.set_result(status)


def _start(launch: Launch) -> "subprocess.Popen[bytes]":
    account = launch.account
    with launch.log.open("ab") as log, _input(launch) as stdin:
        return subprocess.Popen(  # noqa: S603 - our own programs and arguments
            launch.argv,
            stdin=stdin,
            stdout=log,
            stderr=log,
            cwd=launch.cwd,
            env=ENVIRONMENT,
            start_new_session=True,  # a terminal's Ctrl-C is for the owner alone
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )


@contextmanager
def _input(launch: Launch) -> Generator[IO[bytes]]:
    """Yield a file without a name, readable by the account even when it is opened again as /dev/stdin."""
    with tempfile.TemporaryFile() as file:
        file.write(launch.stdin)
        file.seek(0)
        if launch.account is not None:
            os.fchown(file.fileno(), launch.account.uid, launch.account.gid)
        yield file


def leash(pid: int, signal_: signal.Signals) -> "subprocess.Popen[bytes]":
    """Start what signals a process when we die; it is to be killed as soon as that process ends."""
    return subprocess.Popen(  # noqa: S603 - fixed arguments
        ["/bin/sh", "-c", LEASH, "tollgate-leash", signal_.name.removeprefix("SIG"), str(pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )
