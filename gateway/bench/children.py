"""The processes that a benchmark starts, with a line of JSON in each direction where they must meet."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gateway.embedded.process import leash
from gateway.errors import GatewayError

_STOP_WITHIN_S = 20.0
_LOG_TAIL = 2_000


class ChildFailed(GatewayError):
    """A process of the benchmark ended or did not get ready; the text ends with its last words."""


class Child:
    """One started process; what it logs goes to a file of its own."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.returncode is None

    async def say(self, word: Any) -> None:
        """Write one line of JSON to its standard input."""
        assert self._process.stdin is not None  # noqa: S101 - every child is started with a pipe
        self._process.stdin.write(json.dumps(word).encode() + b"\n")
        await self._process.stdin.drain()

    async def hear(self) -> Any:
        """
        Return the next line of JSON from its standard output.

        Raises:
            ChildFailed: It ended without one.
        """
        assert self._process.stdout is not None  # noqa: S101 - as above
        line = await self._process.stdout.readline()
        if not line:
            raise self.failure("ended before it answered")
        return json.loads(line)

    def has_logged(self, event: str) -> bool:
        """Whether the word has appeared in its log."""
        return self._log.exists() and event in self._log.read_text(errors="replace")

    def failure(self, what: str) -> ChildFailed:
        """Return the error that tells what went wrong, with the end of the log."""
        words = self._log.read_text(errors="replace")[-_LOG_TAIL:] if self._log.exists() else ""
        return ChildFailed(f"{self._log.stem} {what}\n{words}")

    async def stop(self) -> None:
        """Ask it to end, and end it when it does not."""
        if self.running:
            self._process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self._process.wait(), _STOP_WITHIN_S)
            except TimeoutError:
                self._process.kill()
        await self._process.wait()


@asynccontextmanager
async def child(
    module: str,
    *arguments: str,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    name: str | None = None,
) -> AsyncGenerator[Child, None]:
    """Run `python -m module` until the block, or whoever runs it, ends."""
    log = folder / f"{name or module.rpartition('.')[2]}.log"
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            env={**_inherited(), **(environment or {})},
            limit=2**24,
        )
    started, rope = Child(process, log), leash(process.pid, signal.SIGTERM)
    try:
        yield started
    finally:
        await started.stop()
        rope.kill()
        rope.communicate()


def free_port() -> int:
    """Return a loopback port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _inherited() -> dict[str, str]:
    """The settings of whoever runs the benchmark must not reach the measured processes."""
    foreign = ("TOLLGATE_", "AWS_", "DATABASE_URL", "REDIS_URL")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return kept | {
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
