"""What a file changes in a book. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct

from tenants.credits.book_file import EARLIEST, DatedLine
from tenants.credits.pricing import LineKey, PriceLine

Change = Literal["added", "changed", "removed"]


class LineChange(Struct, frozen=True, kw_only=True):
    """One key of a book that will not be as it is."""

    change: Change
    key: LineKey
    before: PriceLine | None
    """What holds now, None where nothing does; of a key that ends, else what was to hold first."""
    after: tuple[DatedLine, ...]
    """What will hold, in the order of time; empty for a key that ends."""


class Held(Struct, frozen=True, kw_only=True):
    """A stored line that holds now or will."""

    line: PriceLine
    valid_from: datetime
    valid_to: datetime | None


def difference(held: Sequence[Held], wanted: Sequence[DatedLine], now: datetime) -> list[LineChange]:
    """
    Return what a file changes, by key; nothing for a file that says what is stored.

    A line whose time is over, by its own end or by the next one of its key, is left out. One that began
    before `now` begins now: what was sold is not repriced.
    """
    stored: dict[LineKey, list[Held]] = {}
    for each in held:
        stored.setdefault(each.line.key, []).append(each)
    named: dict[LineKey, list[DatedLine]] = {}
    for line in wanted:
        named.setdefault(line.line.key, []).append(line)
    changes = [
        _change(key, stored.get(key, []), _not_over(named.get(key, []), now), now)
        for key in sorted({*stored, *named})
    ]
    return [change for change in changes if change is not None]


def _not_over(lines: list[DatedLine], now: datetime) -> list[DatedLine]:
    """Return the lines of one key that hold at `now` or will; an open one is over where the next began."""
    in_time = sorted(lines, key=lambda each: each.valid_from or EARLIEST)
    ends = (_ends(in_time, index) for index in range(len(in_time)))
    return [each for each, end in zip(in_time, ends, strict=True) if end is None or end > now]


def _change(key: LineKey, held: list[Held], wanted: list[DatedLine], now: datetime) -> LineChange | None:
    current = next((each.line for each in reversed(held) if each.valid_from <= now), None)
    after = tuple(wanted)
    if not after and not held:
        return None
    if not after:
        return LineChange(change="removed", key=key, before=current or held[0].line, after=())
    if not held:
        return LineChange(change="added", key=key, before=None, after=after)
    same = [(each.line, max(each.valid_from, now), each.valid_to) for each in held]
    if same == [(each.line, _begins(each, now), _ends(after, index)) for index, each in enumerate(after)]:
        return None
    return LineChange(change="changed", key=key, before=current, after=after)


def _begins(line: DatedLine, now: datetime) -> datetime:
    return now if line.valid_from is None else max(line.valid_from, now)


def _ends(lines: Sequence[DatedLine], index: int) -> datetime | None:
    """An open line ends where the next one of its key begins, as `planned` stores it."""
    own = lines[index].valid_to
    if own is not None or index + 1 == len(lines):
        return own
    return lines[index + 1].valid_from


def holes(changes: Sequence[LineChange], now: datetime) -> list[DatedLine]:
    """Return the first lines of keys of which one holds now and, by the file, none until a later instant."""
    return [
        change.after[0]
        for change in changes
        if change.before is not None and change.after and _begins(change.after[0], now) > now
    ]


def planned(change: LineChange, now: datetime) -> list[Held]:
    """Return the lines to store for a change, each with its beginning and end."""
    return [
        Held(line=each.line, valid_from=_begins(each, now), valid_to=_ends(change.after, index))
        for index, each in enumerate(change.after)
    ]
