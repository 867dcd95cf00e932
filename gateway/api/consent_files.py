"""
A file of consents, row by row: what each says, or what is wrong with it.

The first line names the columns: `number`, `use_case`, `type`, and where wanted `given_at`, `method`,
`text`, `signer`, `ip` and `evidence`. A file is taken whole or not at all.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final, get_args

from msgspec import Struct

from gateway.api.csv_cells import csv_text
from gateway.messages.view import timestamp
from tenants.consents.rules import MessageType, Method, check_given_at, check_use_case
from tenants.consents.service import ConsentView, NewConsent, Proof
from tenants.countries.numbers import NumberFault, parse_number
from tenants.errors import InvalidInput

MAX_ROWS: Final = 2_000
MAX_BYTES: Final = 1024 * 1024
SHOWN: Final = 100
_MAX_CELL: Final = 2_000
_NEEDED: Final = ("number", "use_case", "type")
_COLUMNS: Final = (*_NEEDED, "given_at", "method", "text", "signer", "ip", "evidence")
_EXPORTED: Final = ("number", "use_case", "type", "state", "method", "text_hash", "since")


class WrongCell(Struct, frozen=True, kw_only=True):
    """What is wrong with a row; never its content, which would end up in logs."""

    line: int
    """Counting from 1, the line of the column names."""
    column: str
    code: str
    detail: str


class ConsentFile(Struct, frozen=True, kw_only=True):
    """A file as far as it makes sense."""

    rows: list[NewConsent]
    faults: list[WrongCell]


def read_consents(text: str, now: datetime) -> ConsentFile:
    """Return what a file says; never raises, whatever the text."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    read = ConsentFile(rows=[], faults=[])
    try:
        columns = [name.strip().lower() for name in next(reader, list[str]())]
        if (fault := _wrong_columns(columns)) is not None:
            return ConsentFile(rows=[], faults=[fault])
        for each in _rows(((reader.line_num, cells) for cells in reader), columns, now):
            if isinstance(each, WrongCell):
                read.faults.append(each)
            else:
                read.rows.append(each)
            if len(read.rows) > MAX_ROWS:
                detail = f"a file has at most {MAX_ROWS} rows; send the rest as another"
                return ConsentFile(
                    rows=[], faults=[_fault(reader.line_num, "number", "too_many_rows", detail)]
                )
    except csv.Error as error:
        read.faults.append(_fault(reader.line_num, "number", "not_csv", str(error)))
    return read


def consents_csv(rows: Iterable[ConsentView]) -> str:
    """Return consents as a file whose columns an import knows, `state` and `since` aside."""
    return csv_text(
        [
            _EXPORTED,
            *(
                (
                    row.number, row.use_case, row.message_type, row.state, row.method,
                    "" if row.text_hash is None else row.text_hash.hex(), timestamp(row.since) or "",
                )
                for row in rows
            ),
        ]
    )  # fmt: skip


def _rows(
    lines: Iterator[tuple[int, list[str]]], columns: list[str], now: datetime
) -> Iterator[NewConsent | WrongCell]:
    for line, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(columns):
            detail = f"the row has {len(cells)} cells, the first line names {len(columns)}"
            yield _fault(line, "number", "wrong_cells", detail)
            continue
        yield _row(line, {name: cell.strip() for name, cell in zip(columns, cells, strict=True)}, now)


def _row(line: int, cells: dict[str, str], now: datetime) -> NewConsent | WrongCell:
    for name, cell in cells.items():
        if len(cell) > _MAX_CELL or "\x00" in cell:
            return _fault(line, name, "invalid", f"a cell has at most {_MAX_CELL} characters")
    number = parse_number(cells["number"])
    if isinstance(number, NumberFault):
        return _fault(line, "number", "invalid_number", "the number is not E.164, like +12065550100")
    if cells["type"] not in get_args(MessageType):
        return _fault(line, "type", "invalid", "a type is otp, transactional or promotional")
    method = cells.get("method") or "import"
    if method not in get_args(Method):
        return _fault(line, "method", "invalid", f"a method is one of {', '.join(get_args(Method))}")
    try:
        use_case = check_use_case(cells["use_case"])
        given_at = _instant(cells.get("given_at") or None, now)
    except InvalidInput as error:
        return _fault(line, error.field.removeprefix("/"), error.code, error.detail)
    return NewConsent(
        number=number.e164,
        use_case=use_case,
        message_type=cells["type"],  # type: ignore[arg-type]  # looked up above
        method=method,  # type: ignore[arg-type]  # looked up above
        words=cells.get("text") or None,
        given_at=given_at,
        proof=Proof(
            ip=cells.get("ip") or None,
            signer=cells.get("signer") or None,
            evidence=cells.get("evidence") or None,
        ),
    )


def _instant(text: str | None, now: datetime) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise InvalidInput("/given_at", "invalid", "an instant is written like 2026-05-01T12:00:00Z")
    return check_given_at(at, now)


def _wrong_columns(columns: list[str]) -> WrongCell | None:
    unknown = sorted(set(columns) - set(_COLUMNS))
    if unknown:
        return _fault(1, unknown[0][:40], "unknown_column", f"columns are {', '.join(_COLUMNS)}")
    if not set(_NEEDED) <= set(columns) or len(set(columns)) != len(columns):
        return _fault(1, "number", "columns", "the first line names number, use_case and type, each once")
    return None


def _fault(line: int, column: str, code: str, detail: str) -> WrongCell:
    return WrongCell(line=line, column=column, code=code, detail=detail)
