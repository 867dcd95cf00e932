"""
A file of opt-outs, row by row: what each asks for, or what is wrong with it.

The first line names the columns: `number`, and where wanted `list`, `opted_out` (`true` or `false`) and
`note`. A file is taken whole or not at all, so that a second try of a mended file is no puzzle.
"""

import csv
import io
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from tenants.countries.numbers import NumberFault, parse_number
from tenants.errors import InvalidInput
from tenants.optouts.lists import EVERYTHING, check_list

MAX_ROWS: Final = 10_000
MAX_BYTES: Final = 1024 * 1024
SHOWN: Final = 100
"""Faults that an answer names; their number is of all."""
_COLUMNS: Final = frozenset({"number", "list", "opted_out", "note"})
_YES: Final = frozenset({"", "true", "yes", "1"})
_NO: Final = frozenset({"false", "no", "0"})
_MAX_NOTE: Final = 200


class WantedOptOut(Struct, frozen=True, kw_only=True):
    """One row of a file."""

    line: int
    number: str
    list_name: str
    opted_out: bool
    note: str | None


class RowFault(Struct, frozen=True, kw_only=True):
    """What is wrong with a row; never the number itself, which would end up in logs."""

    line: int
    """Counting from 1, the line of the column names."""
    column: str
    code: str
    detail: str


class OptOutFile(Struct, frozen=True, kw_only=True):
    """A file as far as it makes sense."""

    rows: list[WantedOptOut]
    faults: list[RowFault]


def read_file(text: str) -> OptOutFile:
    """Return what a file asks for; never raises, whatever the text."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    read = OptOutFile(rows=[], faults=[])
    try:
        columns = [name.strip().lower() for name in next(reader, list[str]())]
        if (fault := _wrong_columns(columns)) is not None:
            return OptOutFile(rows=[], faults=[fault])
        for each in _rows(((reader.line_num, cells) for cells in reader), columns):
            if isinstance(each, RowFault):
                read.faults.append(each)
            else:
                read.rows.append(each)
            if len(read.rows) > MAX_ROWS:
                detail = f"a file has at most {MAX_ROWS} rows; send the rest as another"
                return OptOutFile(
                    rows=[], faults=[_fault(reader.line_num, "number", "too_many_rows", detail)]
                )
    except csv.Error as error:
        read.faults.append(_fault(reader.line_num, "number", "not_csv", str(error)))
    return read


def _rows(lines: Iterator[tuple[int, list[str]]], columns: list[str]) -> Iterator[WantedOptOut | RowFault]:
    for line, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(columns):
            detail = f"the row has {len(cells)} cells, the first line names {len(columns)}"
            yield _fault(line, "number", "wrong_cells", detail)
            continue
        yield _row(line, {name: cell.strip() for name, cell in zip(columns, cells, strict=True)})


def _row(line: int, cells: dict[str, str]) -> WantedOptOut | RowFault:
    number = parse_number(cells["number"])
    if isinstance(number, NumberFault):
        return _fault(line, "number", "invalid_number", "the number is not E.164, like +12065550100")
    try:
        list_name = check_list(cells.get("list") or EVERYTHING)
    except InvalidInput as error:
        return _fault(line, "list", error.code, error.detail)
    said = cells.get("opted_out", "").lower()
    if said not in _YES | _NO:
        return _fault(line, "opted_out", "invalid", "opted_out is true or false; empty means true")
    note = cells.get("note") or None
    if note is not None and (len(note) > _MAX_NOTE or "\x00" in note):
        return _fault(line, "note", "invalid", f"a note has at most {_MAX_NOTE} characters")
    return WantedOptOut(line=line, number=number.e164, list_name=list_name, opted_out=said in _YES, note=note)


def _wrong_columns(columns: list[str]) -> RowFault | None:
    unknown = sorted(set(columns) - _COLUMNS)
    if unknown:
        return _fault(1, unknown[0][:40], "unknown_column", "columns are number, list, opted_out and note")
    if "number" not in columns or len(set(columns)) != len(columns):
        return _fault(1, "number", "columns", "the first line names the column number, and each column once")
    return None


def _fault(line: int, column: str, code: str, detail: str) -> RowFault:
    return RowFault(line=line, column=column, code=code, detail=detail)
