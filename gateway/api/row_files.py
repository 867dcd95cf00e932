"""
A CSV file that a tenant hands in, row by row: what each row says, or what is wrong with it.

The first line names the columns. What the columns mean is the caller's; what every such file has in common
is here: blank lines are passed over, a row has as many cells as there are columns, and a file is taken whole
or not at all, so that a second try of a mended file is no puzzle.
"""

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any, Final, Generic, TypeVar

from msgspec import Struct

_Row = TypeVar("_Row")
MAX_BYTES: Final = 1024 * 1024
_SHOWN: Final = 100


class RowFault(Struct, frozen=True, kw_only=True):
    """What is wrong with a row; never its content, which would end up in logs."""

    line: int
    """Counting from 1, the line of the column names."""
    column: str
    code: str
    detail: str


class RowFile(Struct, Generic[_Row], frozen=True, kw_only=True):
    """A file as far as it makes sense."""

    rows: list[_Row]
    faults: list[RowFault]


class ImportView(Struct, frozen=True, kw_only=True):
    """What became of a file; one with a fault changes nothing."""

    rows: int
    applied: bool
    changed: int
    """Rows that were news; of a dry run 0."""
    faults: int
    errors: list[RowFault]
    """The first 100."""


class Columns(Struct, frozen=True, kw_only=True):
    """Which columns a file may name, in the order in which they are told, and which it must."""

    known: tuple[str, ...]
    needed: tuple[str, ...]


ReadRow = Callable[[int, dict[str, str]], _Row | RowFault]
"""From a row's line and its cells by column, without the space around them."""


def read_rows(text: str, columns: Columns, read_row: ReadRow[_Row], *, most: int) -> RowFile[_Row]:
    """Return what a file of at most `most` rows says; never raises, whatever the text."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    read = RowFile[_Row](rows=[], faults=[])
    try:
        names = [name.strip().lower() for name in next(reader, list[str]())]
        if (wrong := _wrong_columns(names, columns)) is not None:
            return RowFile(rows=[], faults=[wrong])
        for each in _rows(((reader.line_num, cells) for cells in reader), names, read_row):
            if isinstance(each, RowFault):
                read.faults.append(each)
            else:
                read.rows.append(each)
            if len(read.rows) > most:
                detail = f"a file has at most {most} rows; send the rest as another"
                return RowFile(rows=[], faults=[fault(reader.line_num, names[0], "too_many_rows", detail)])
    except csv.Error as error:
        read.faults.append(fault(reader.line_num, columns.needed[0], "not_csv", str(error)))
    return read


def import_view(read: RowFile[Any], changed: int, *, applied: bool) -> ImportView:
    """Return what became of a file as the wire shows it."""
    return ImportView(
        rows=len(read.rows) + len(read.faults),
        applied=applied,
        changed=changed,
        faults=len(read.faults),
        errors=read.faults[:_SHOWN],
    )


def fault(line: int, column: str, code: str, detail: str) -> RowFault:
    """Return what is wrong with a row."""
    return RowFault(line=line, column=column, code=code, detail=detail)


def _rows(
    lines: Iterator[tuple[int, list[str]]], names: list[str], read_row: ReadRow[_Row]
) -> Iterator[_Row | RowFault]:
    for line, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(names):
            detail = f"the row has {len(cells)} cells, the first line names {len(names)}"
            yield fault(line, names[0], "wrong_cells", detail)
            continue
        yield read_row(line, {name: cell.strip() for name, cell in zip(names, cells, strict=True)})


def _wrong_columns(names: list[str], columns: Columns) -> RowFault | None:
    unknown = sorted(set(names) - set(columns.known))
    if unknown:
        return fault(1, unknown[0][:40], "unknown_column", f"columns are {', '.join(columns.known)}")
    if not set(columns.needed) <= set(names) or len(set(names)) != len(names):
        wanted = ", ".join(columns.needed)
        return fault(1, columns.needed[0], "columns", f"the first line names {wanted}, and no column twice")
    return None
