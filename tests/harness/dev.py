"""`tollgate dev` as its own tree of processes, any of which can be killed."""

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from tests.harness.waiting import until

STARTED_WITHIN_S = 60
UNKNOWN_WAIT_S = 2
"""Shortens what is 90 s in production, so that an attempt without an answer is settled within a test."""
PARTS = {
    "api": "serve api",
    "dispatcher": "serve dispatcher",
    "workers": "serve receipts webhooks scheduler",
    "emulator": "--leash emulator",
    "postgres": "bin/postgres -D",
    "redis": "redis-server",
}
"""What the command line of each part has in it."""


class Dev:
    """The supervisor and what it supervises."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._process: asyncio.subprocess.Process | None = None
        self._output = data.parent / "dev.log"
        self._ports = {"API": "0", "AWS emulator": "0"}
        self.facts: dict[str, str] = {}

    async def start(self) -> None:
        """Start the tree on the folder and wait until it says that it runs."""
        ports = ("--port", self._ports["API"], "--emulator-port", self._ports["AWS emulator"])
        command = (sys.executable, "-m", "gateway", "dev", *ports)
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("TOLLGATE_")
            and name not in {"DATABASE_URL", "REDIS_URL", "AWS_ENDPOINT_URL"}
        }
        environment |= {"TOLLGATE_UNKNOWN_WAIT_S": str(UNKNOWN_WAIT_S), "TOLLGATE_LOG_LEVEL": "warning"}
        with self._output.open("wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                *command, "--data", str(self._data), env=environment, stdout=output, stderr=output
            )
        self.facts = await until(self._introduction, within_s=STARTED_WITHIN_S)
        # A second start keeps the ports, as the defaults do: SNS is subscribed to the first address.
        self._ports = {name: self.facts[name].rpartition(":")[2] for name in self._ports}

    async def _introduction(self) -> dict[str, str]:
        text = self._output.read_text()
        assert self._process is not None
        if self._process.returncode is not None:
            raise RuntimeError(f"tollgate dev ended: {text}")
        if "A first message:" not in text:
            return {}
        return dict(re.findall(r"^  (\S.*?) {2,}(\S+)$", text, flags=re.MULTILINE))

    async def stop(self) -> None:
        """Stop in order, as Ctrl-C does."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(120):
            await self._process.wait()

    async def kill(self, part: str) -> None:
        """End one part with no chance to say goodbye; the supervisor itself is started again here."""
        assert self._process is not None
        if part == "supervisor":
            orphans = list(self._parts())
            self._process.kill()
            await self._process.wait()
            await until(lambda: _all_gone(orphans), within_s=60)
            await self.start()
            return
        await self.signal(part, signal.SIGKILL)

    async def signal(self, part: str, number: signal.Signals) -> None:
        """Send a signal to one part and wait until another process stands in its place."""
        [pid] = [pid for pid, line in self._parts().items() if PARTS[part] in line]
        os.kill(pid, number)

        async def replaced() -> bool:
            return any(PARTS[part] in line and each != pid for each, line in self._parts().items())

        await until(replaced, within_s=60)

    def _parts(self) -> dict[int, str]:
        """Command lines of the supervisor's children by process id."""
        assert self._process is not None
        found: dict[int, str] = {}
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                with contextlib.suppress(OSError, IndexError):
                    parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                    if parent == self._process.pid:
                        line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                        found[int(folder.name)] = line
        return found

    async def run(self, *arguments: str) -> tuple[int, str]:
        """Run another command on the same stores; return its status and what it said."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "gateway",
            *arguments,
            env={
                **os.environ,
                "DATABASE_URL": self.facts["Postgres"],
                "REDIS_URL": self.facts["Redis"],
                "TOLLGATE_OPERATOR_KEY": self.facts["Operator key"],
                "TOLLGATE_SECRET_KEY": "not needed for what is run here",
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, said.decode()


async def _all_gone(pids: list[int]) -> bool:
    return not any(_is_alive(pid) for pid in pids)


def _is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


@contextlib.asynccontextmanager
async def running_dev(data: Path) -> AsyncIterator[Dev]:
    """Run `tollgate dev` for the length of a block."""
    dev = Dev(data)
    try:
        await dev.start()
        yield dev
    finally:
        await dev.stop()
