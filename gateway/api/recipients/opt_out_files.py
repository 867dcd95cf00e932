"""
A file of opt-outs, row by row: what each asks for, or what is wrong with it.

The first line names the columns: `number`, and where wanted `list`, `opted_out` (`true` or `false`) and
`note`.
"""

from collections.abc import Collection
from functools import partial
from typing import Final

from msgspec import Struct

from gateway.api.row_files import Columns, RowFault, RowFile, fault, read_rows
from tenants.countries.numbers import NumberFault, parse_number
from tenants.errors import InvalidInput
from tenants.optouts.lists import EVERYTHING, check_list

MAX_ROWS: Final = 10_000
_COLUMNS: Final = Columns(known=("number", "list", "opted_out", "note"), needed=("number",))
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


def read_opt_outs(text: str, known_lists: Collection[str]) -> RowFile[WantedOptOut]:
    """Return what a file asks for of a tenant that has these lists; never raises, whatever the text."""
    return read_rows(text, _COLUMNS, partial(_row, known_lists), most=MAX_ROWS)


def _row(known_lists: Collection[str], line: int, cells: dict[str, str]) -> WantedOptOut | RowFault:
    number = parse_number(cells["number"])
    if isinstance(number, NumberFault):
        return fault(line, "number", "invalid_number", "the number is not E.164, like +12065550100")
    try:
        list_name = check_list(cells.get("list") or EVERYTHING)
    except InvalidInput as error:
        return fault(line, "list", error.code, error.detail)
    if list_name not in known_lists:
        return fault(line, "list", "unknown_list", f"there are {', '.join(known_lists)}")
    said = cells.get("opted_out", "").lower()
    if said not in _YES | _NO:
        return fault(line, "opted_out", "invalid", "opted_out is true or false; empty means true")
    note = cells.get("note") or None
    if note is not None and (len(note) > _MAX_NOTE or "\x00" in note):
        return fault(line, "note", "invalid", f"a note has at most {_MAX_NOTE} characters")
    return WantedOptOut(line=line, number=number.e164, list_name=list_name, opted_out=said in _YES, note=note)
