"""
Many registrations from a table, row by row. Pure.

The columns are ours (the seed's own names are lost); each finds its field in the live form by the last part
of the path, so a form that AWS changes a little is still filled.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

import msgspec
from msgspec import Struct

from tenants.errors import InvalidInput
from tenants.registrations.checking import Value, incomplete
from tenants.registrations.forms import Form
from tenants.registrations.linting.draft import draft_of
from tenants.registrations.linting.lint import errors_of

IMAGE: Final = "opt_in_image"
REFERENCE: Final = "reference"
TENANT: Final = "tenant"
MOST_ROWS: Final = 1000
_IDENTITY: Final = ("company_name", "website", "use_case_category")
_STAND_IN: Final = "att_00000000000000000000000000"
"""Where a picture is to be: its own id is not known before it is uploaded."""


class ImportRow(Struct, frozen=True, kw_only=True):
    """One line of the table."""

    line: int
    """As an editor counts, the heading being 1."""
    name: str
    reference: str
    tenant: str | None
    image: str
    """File name; empty for none."""
    values: dict[str, Value]


class RowFault(Struct, frozen=True, kw_only=True):
    """What is wrong with one line."""

    line: int
    field: str
    """Column, or path of the form's field."""
    code: str
    detail: str


@cache
def columns() -> Mapping[str, str]:
    """Return the columns with the last part of the path that each fills."""
    source = files("tenants.registrations").joinpath("import_columns.json").read_bytes()
    return msgspec.json.decode(source, type=dict[str, str])


def names_tenants(text: str) -> bool:
    """Return whether a line says whose it is, as the operator's do; what is no CSV, `read` refuses."""
    try:
        return any((cells.get(TENANT) or "").strip() for cells in csv.DictReader(io.StringIO(text)))
    except csv.Error:
        return False


def read(text: str, form: Form) -> tuple[list[ImportRow], list[RowFault]]:
    """
    Return the rows, and what is wrong with the table itself.

    Raises:
        InvalidInput: It is no CSV, or has no heading, or columns that nobody knows.
    """
    table = csv.DictReader(io.StringIO(text))
    try:
        return _read(table, form)
    except csv.Error as error:
        raise InvalidInput("/csv", "not_csv", f"line {table.line_num + 1} is no CSV: {error}") from error


def _read(table: "csv.DictReader[str]", form: Form) -> tuple[list[ImportRow], list[RowFault]]:
    known = {*columns(), REFERENCE, TENANT, "region"}
    surplus = [name for name in table.fieldnames or [] if name not in known]
    if not table.fieldnames or surplus:
        detail = (
            f"the heading names {', '.join(surplus) or 'nothing'}; columns are {', '.join(sorted(known))}"
        )
        raise InvalidInput("/csv", "unknown_column", detail)
    paths = {field.path.rpartition(".")[2]: field.path for field in form.fields}
    rows: list[ImportRow] = []
    faults: list[RowFault] = []
    seen: dict[str, int] = {}
    for cells in table:
        row = _row(cells, paths, line=table.line_num)
        if (first := seen.setdefault(row.reference, row.line)) != row.line:
            detail = f"it is the same registration as line {first}; give each a `reference` of its own"
            faults.append(RowFault(line=row.line, field=REFERENCE, code="repeated", detail=detail))
            continue
        rows.append(row)
    if len(rows) > MOST_ROWS:
        raise InvalidInput("/csv", "too_many_rows", f"at most {MOST_ROWS} rows at once")
    return rows, faults


def judged(row: ImportRow, form: Form) -> Iterator[RowFault]:
    """Yield what the form and the linter say against a row, before AWS hears of it."""
    values = dict(row.values)
    image = next((each.path for each in form.fields if each.path.endswith(".optInImage")), None)
    if image is not None and row.image:
        values[image] = _STAND_IN
    for fault in incomplete(form, values):
        yield RowFault(
            line=row.line, field=fault.field.removeprefix("/values/"), code=fault.code, detail=fault.detail
        )
    draft = draft_of(form.type.type, values)
    for found in [] if draft is None else errors_of(draft):
        yield RowFault(
            line=row.line, field=found.field, code=found.code, detail=f"{found.message}: {found.fix}"
        )


def _row(cells: Mapping[str, str | None], paths: Mapping[str, str], *, line: int) -> ImportRow:
    given = {name: (value or "").strip() for name, value in cells.items() if name}
    values: dict[str, Value] = {
        paths[last]: given[column]
        for column, last in columns().items()
        if given.get(column) and column != IMAGE and last in paths
    }
    reference = given.get(REFERENCE) or _identity(given)
    return ImportRow(
        line=line,
        name=(given.get("company_name") or f"line {line}")[:100],
        reference=reference,
        tenant=given.get(TENANT) or None,
        image=given.get(IMAGE, ""),
        values=values,
    )


def _identity(given: Mapping[str, str]) -> str:
    text = "\x1f".join(given.get(name, "").casefold() for name in _IDENTITY)
    return f"csv-{sha256(text.encode()).hexdigest()[:24]}"
