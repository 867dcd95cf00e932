"""
A file of consents, row by row: what each says, or what is wrong with it.

The first line names the columns: `number`, `use_case`, `type`, and where wanted `given_at`, `method`,
`text`, `signer`, `ip` and `evidence`. A file is taken whole or not at all.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, get_args

from gateway.api.csv_cells import csv_text
from gateway.api.row_files import Columns, RowFault, RowFile, fault, read_rows
from gateway.messages.view import timestamp
from tenants.consents.rules import MessageType, Method, check_given_at, check_use_case
from tenants.consents.service import ConsentView, NewConsent, Proof
from tenants.countries.numbers import NumberFault, parse_number
from tenants.errors import InvalidInput

MAX_ROWS: Final = 2_000
_MAX_CELL: Final = 2_000
_NEEDED: Final = ("number", "use_case", "type")
COLUMNS: Final = Columns(
    known=(*_NEEDED, "given_at", "method", "text", "signer", "ip", "evidence"), needed=_NEEDED
)
_EXPORTED: Final = ("number", "use_case", "type", "state", "method", "text_hash", "since")


def read_consents(text: str, now: datetime) -> RowFile[NewConsent]:
    """Return what a file says; never raises, whatever the text."""
    return read_rows(text, COLUMNS, lambda line, cells: consent_row(line, cells, now), most=MAX_ROWS)


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


def consent_row(line: int, cells: dict[str, str], now: datetime) -> NewConsent | RowFault:
    """Return what one row says, or what is wrong with it."""
    for name, cell in cells.items():
        if len(cell) > _MAX_CELL or "\x00" in cell:
            return fault(line, name, "invalid", f"a cell has at most {_MAX_CELL} characters")
    number = parse_number(cells["number"])
    if isinstance(number, NumberFault):
        return fault(line, "number", "invalid_number", "the number is not E.164, like +12065550100")
    if cells["type"] not in get_args(MessageType):
        return fault(line, "type", "invalid", "a type is otp, transactional or promotional")
    method = cells.get("method") or "import"
    if method not in get_args(Method):
        return fault(line, "method", "invalid", f"a method is one of {', '.join(get_args(Method))}")
    try:
        use_case = check_use_case(cells["use_case"])
        given_at = _instant(cells.get("given_at") or None, now)
    except InvalidInput as error:
        return fault(line, error.field.removeprefix("/"), error.code, error.detail)
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
