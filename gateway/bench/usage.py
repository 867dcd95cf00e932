"""What whole process trees use, from /proc: CPU time (with the children already reaped) and memory."""

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
    trees = {name: _tree(root, table) for name, root in roots.items()}
    return {name: sum(table[pid][1] for pid in tree) / _TICKS_PER_S for name, tree in trees.items()}


def memory_mb(roots: Mapping[str, int | None]) -> dict[str, float]:
    """
    Return the megabytes that each named process and its descendants occupy, shared pages divided (PSS).

    What this user may not look at counts 0.
    """
    table = _processes()
    trees = {name: _tree(root, table) for name, root in roots.items()}
    return {name: sum(_pss_kb(pid) for pid in tree) / 1024 for name, tree in trees.items()}


def _tree(root: int | None, table: Mapping[int, tuple[int, int]]) -> list[int]:
    """Return the process and all below it; nothing if it is gone."""
    if root is None or root not in table:
        return []
    children: dict[int, list[int]] = {}
    for pid, (parent, _) in table.items():
        children.setdefault(parent, []).append(pid)
    tree = [root]
    for pid in tree:
        tree.extend(children.get(pid, ()))
    return tree


def _pss_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


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
