"""
Servers of an earlier run that are still alive on a data folder.

The owner's lock is held when these functions run, so whatever still works in the folder has lost its owner.
On Linux a server is known by its working folder, which also finds the backends of a killed postmaster;
elsewhere by its process id file. A shell that happens to stand in the folder is no server and is left alone.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from gateway.embedded.errors import ServerFailedError
from gateway.embedded.process import StopPlan

PROC = Path("/proc")
LOOK_EVERY_S = 0.01
KILLED_WITHIN_S = 10.0

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Habitat:
    """How to recognise a server in its folder."""

    live: Path
    pid_file: Path
    """Written by the server, its process id on the first line."""

    names: tuple[str, ...]
    """Beginnings of the names its processes go by."""


async def stop_survivors(habitat: Habitat, plan: StopPlan) -> None:
    """Stop every server still alive in the folder, then remove its process id file."""
    leader = _leader(habitat)
    if leader is not None:
        _log.warning("embedded_survivor_found", folder=str(habitat.live), pid=leader)
        _send(plan.polite, {leader})
        await _all_gone(habitat, plan.polite_s)
    for step, patience_s in ((plan.firm, plan.firm_s), (signal.SIGKILL, KILLED_WITHIN_S)):
        if await _all_gone(habitat, 0):
            break
        _send(step, _alive(habitat))
        await _all_gone(habitat, patience_s)
    left = _alive(habitat)
    if left:
        raise ServerFailedError(
            f"processes {sorted(left)} still work in {habitat.live} and cannot be stopped: stop them"
        )
    # A process id that now belongs to somebody else would make the server refuse to start.
    habitat.pid_file.unlink(missing_ok=True)


async def _all_gone(habitat: Habitat, patience_s: float) -> bool:
    """Look until nobody is left or patience ends: they are not our children, so nobody tells us."""
    deadline = time.monotonic() + patience_s
    while _alive(habitat):
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(LOOK_EVERY_S)
    return True


def _leader(habitat: Habitat) -> int | None:
    """Return the process in the process id file if it is alive and is a server of this folder."""
    pid = _recorded(habitat.pid_file)
    return pid if pid in _alive(habitat) else None


def _alive(habitat: Habitat) -> set[int]:
    if not habitat.live.exists():
        return set()
    if sys.platform == "linux":
        return set(_working_in(habitat))
    pid = _recorded(habitat.pid_file)
    return {pid} if pid is not None and _name(pid).startswith(habitat.names) else set()


def _working_in(habitat: Habitat) -> Iterator[int]:
    for process in PROC.iterdir():
        if process.name.isdigit() and _is_server(process, habitat):
            yield int(process.name)


def _is_server(process: Path, habitat: Habitat) -> bool:
    """Say whether the process works in the folder under a server's name; one that vanished does not."""
    try:
        name = (process / "comm").read_text()
        return name.startswith(habitat.names) and (process / "cwd").samefile(habitat.live)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False


def _name(pid: int) -> str:
    """Return the name of a process, or "" if there is none."""
    shown = subprocess.run(  # noqa: S603 - fixed arguments
        ["/bin/ps", "-o", "comm=", "-p", str(pid)], check=False, capture_output=True, text=True
    )
    return Path(shown.stdout.strip()).name


def _recorded(pid_file: Path) -> int | None:
    try:
        first, _, _ = pid_file.read_text().partition("\n")
    except FileNotFoundError:
        return None
    return int(first) if first.strip().isdigit() else None


def _send(signal_: signal.Signals, pids: set[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal_)
