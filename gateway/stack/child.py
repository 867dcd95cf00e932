"""One child process of ours: started with a leash, awaited, stopped."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from msgspec import Struct

_TAIL_BYTES: Final = 2_000


class ChildPlan(Struct, frozen=True, kw_only=True):
    """What to start: `tollgate` with these arguments."""

    name: str
    arguments: tuple[str, ...]
    environment: dict[str, str]
    log: Path | None
    """Where its output goes; None for our own."""
    pass_descriptors: tuple[int, ...] = ()
    patience_s: float = 8.0
    """How long it may take to finish what it has begun before it is killed."""


class Child:
    """At most one running process of its plan at a time."""

    def __init__(self, plan: ChildPlan) -> None:
        self.plan = plan
        self._process: asyncio.subprocess.Process | None = None

    @property
    def name(self) -> str:
        """What to call it."""
        return self.plan.name

    @property
    def pid(self) -> int | None:
        """The process id, or None while it does not run."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self) -> None:
        """Start it; no-op while it runs."""
        if self.pid is not None:
            return
        log = None if self.plan.log is None else _open_log(self.plan.log)
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "gateway",
                "--leash",
                *self.plan.arguments,
                stdin=subprocess.PIPE,  # its leash: closed by the kernel when we die
                stdout=log,
                stderr=log,
                env=self.plan.environment,
                pass_fds=self.plan.pass_descriptors,
                start_new_session=True,  # a terminal's Ctrl-C is for the supervisor, who stops in order
            )
        finally:
            if log is not None:
                os.close(log)

    async def wait_exited(self) -> int:
        """Return the exit status once it ends: negative is the signal that ended it."""
        if self._process is None:
            raise RuntimeError(f"{self.name} has not been started")
        return await self._process.wait()

    async def stop(self) -> None:
        """Ask it to finish, and kill it if that takes too long; no-op when it does not run."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(self.plan.patience_s):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            await process.wait()

    def log_tail(self) -> str:
        """Return the end of what it wrote, for a person to read."""
        if self.plan.log is None or not self.plan.log.exists():
            return ""
        return self.plan.log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace").strip()


def turn_log(path: Path) -> None:
    """Begin a new log and keep the last run's as `.1`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        path.replace(path.with_name(f"{path.name}.1"))


def _open_log(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
