"""CPU time of whole process trees, from /proc: user and system, live children and those already reaped."""

import os
from collections.abc import Mapping
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PARENT = 1
_TIMES = slice(11, 15)
"""utime, stime, cutime, cstime: fields 14 to 17 of proc(5), counted after the command's parenthesis."""


def cpu_seconds(roots: Mapping[str, int | None]) -> dict[str, float]:
    """
    Return the CPU seconds that each named process and its descendants have used so far.

    A tick is 10 ms, so measure over seconds. A child that ends between two readings moves into its parent's
    reaped time and is not lost. A process that is gone, or None, counts 0.
    """
    table = _processes()
    children: dict[int, list[int]] = {}
    for pid, (parent, _) in table.items():
        children.setdefault(parent, []).append(pid)
    return {name: _of_tree(root, table, children) for name, root in roots.items()}


def _of_tree(
    root: int | None, table: Mapping[int, tuple[int, int]], children: Mapping[int, list[int]]
) -> float:
    if root is None or root not in table:
        return 0.0
    ticks, waiting = 0, [root]
    while waiting:
        pid = waiting.pop()
        ticks += table[pid][1]
        waiting.extend(children.get(pid, ()))
    return ticks / _TICKS_PER_S


def _processes() -> dict[int, tuple[int, int]]:
    table: dict[int, tuple[int, int]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended while we looked
        table[int(entry.name)] = (int(fields[_PARENT]), sum(int(ticks) for ticks in fields[_TIMES]))
    return table
