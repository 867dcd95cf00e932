"""
Machines whose clocks are wrong, for processes that a scenario starts.

SCENARIO_CLOCK names a file with the seconds by which the process's machine is off, read at every look, so
that a scenario can step it while the process runs. SCENARIO_LATER_S lets the process live so much later, as
if Postgres said so too: for what happens after days.
"""

from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

_UUID7_MS_SHIFT = 80
_MS = 1000


class SkewedClock:
    """A machine's clock that is off by what a file says."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def off_s(self) -> float:
        """Return by how many seconds it is ahead; negative behind."""
        return float(self._file.read_text() or 0)

    def now(self) -> datetime:
        """Return the present instant as this machine has it."""
        return datetime.now(UTC) + timedelta(seconds=self.off_s())


def skew(file: Path) -> None:
    """Have everything in this process that asks the machine for the time be told another one."""
    machine = SkewedClock(file)
    import_module("gateway.clock").SystemClock.now = lambda _: machine.now()
    ids = import_module("tenants.ids")
    sound = ids.uuid7

    def uuid7() -> UUID:
        return UUID(int=sound().int + (round(machine.off_s() * _MS) << _UUID7_MS_SHIFT))

    ids.uuid7 = uuid7


def live_later(seconds: float) -> None:
    """Have this process live in a later time."""
    clock = import_module("gateway.db.clock").PostgresClock
    sound = clock.now

    def later(self: Any) -> datetime:
        at: datetime = sound(self)
        return at + timedelta(seconds=seconds)

    clock.now = later
