"""
The files of a migration, row by row: volumes, numbers and templates. Opt-outs and consents have readers of
their own. Pure.
"""

import re
from collections.abc import Callable
from typing import Final, TypeVar, get_args

from msgspec import Struct

from gateway.api.row_files import Columns, ReadRow, RowFault, RowFile, fault, read_rows
from tenants.countries.facts import UNREACHABLE, by_iso
from tenants.errors import InvalidInput
from tenants.moves.plan import MovedNumber, SenderType, Volume, Way
from tenants.templates.authoring import Wording
from tenants.templates.use_cases import MessageType, UseCase

_Row = TypeVar("_Row")
MOST_ROWS: Final = 1_000
_VOLUME: Final = Columns(
    known=(
        "country", "messages_per_month", "parts_per_second", "type", "two_way", "inbound_per_month",
    ),
    needed=("country", "messages_per_month"),
)  # fmt: skip
_NUMBERS: Final = Columns(
    known=("value", "country", "type", "way", "case"), needed=("value", "country", "type", "way")
)
_TEMPLATES: Final = Columns(
    known=("name", "type", "body", "use_case", "countries", "locale"), needed=("name", "type", "body")
)
_YES: Final = frozenset({"true", "yes", "1"})
_NO: Final = frozenset({"", "false", "no", "0"})
_MOST_MESSAGES: Final = 10_000_000_000
_MOST_MPS: Final = 10_000.0
_MOST_CELL: Final = 2_000
_WHOLE: Final = re.compile("[0-9]{1,11}")
_NOT_TEXT: Final = re.compile("[\x00\ud800-\udfff]")
"""What Postgres and UTF-8 cannot hold."""
_FORMS: Final = {
    "SHORT_CODE": re.compile("[0-9]{3,8}"),
    "SENDER_ID": re.compile("[A-Za-z0-9-]{3,11}"),
}
"""Senders that are no phone numbers."""
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
"""AWS names numbers that no numbering plan knows, such as those of its simulator."""
_PLACE_HOLDER: Final = re.compile(r"\{\{\s*([^{}]{1,60}?)\s*\}\}")
_NOT_A_NAME: Final = re.compile("[^a-z0-9]+")
_LONGEST_NAME: Final = 40


class VolumeRow(Struct, frozen=True, kw_only=True):
    """What went to one country."""

    line: int
    country: str
    volume: Volume


class NumberRow(Struct, frozen=True, kw_only=True):
    """One sender at the provider."""

    line: int
    number: MovedNumber


class TemplateRow(Struct, frozen=True, kw_only=True):
    """One text, with place-holders as the gateway writes them."""

    line: int
    name: str
    wording: Wording


def read_volumes(text: str) -> RowFile[VolumeRow]:
    """Return what a report of volumes says; never raises, whatever the text."""
    return read_rows(text, _VOLUME, _safely(_volume), most=MOST_ROWS)


def read_numbers(text: str) -> RowFile[NumberRow]:
    """Return an inventory of senders, none for no text; never raises, whatever the text."""
    if not text:
        return RowFile(rows=[], faults=[])
    return read_rows(text, _NUMBERS, _safely(_number), most=MOST_ROWS)


def read_templates(text: str) -> RowFile[TemplateRow]:
    """Return texts as templates; never raises, whatever the text."""
    return read_rows(text, _TEMPLATES, _safely(_template), most=MOST_ROWS)


def renamed(body: str) -> str:
    """
    Return a text with other systems' `{{First Name}}`, `{{1}}` and `{{User.Name}}` as place-holders of here.

    A name keeps its letters and digits, in lower case; one that begins with a digit gets a `v` before it.
    """
    return _PLACE_HOLDER.sub(lambda found: f"{{{_name(found[1])}}}", body)


def _name(text: str) -> str:
    bare = _NOT_A_NAME.sub("_", text.lower()).strip("_") or "v"
    return (bare if bare[0].isalpha() else f"v{bare}")[:_LONGEST_NAME].rstrip("_")


def _safely(read: Callable[[int, dict[str, str]], _Row]) -> ReadRow[_Row]:
    """Return a reader that says what is wrong instead of raising it."""

    def row(line: int, cells: dict[str, str]) -> _Row | RowFault:
        try:
            _check_cells(cells)
            return read(line, cells)
        except InvalidInput as error:
            return fault(line, error.field.removeprefix("/"), error.code, error.detail)

    return row


def _volume(line: int, cells: dict[str, str]) -> VolumeRow:
    volume = Volume(
        messages_per_month=_count(cells, "messages_per_month"),
        parts_per_second=_rate(cells.get("parts_per_second") or "1"),
        type=_type(cells.get("type") or "transactional"),
        two_way=_switch(cells.get("two_way", "").lower()),
        inbound_per_month=_count(cells, "inbound_per_month"),
    )
    return VolumeRow(line=line, country=_country(cells["country"].upper()), volume=volume)


def _number(line: int, cells: dict[str, str]) -> NumberRow:
    kind, way = cells["type"].upper(), cells["way"].lower()
    if kind not in get_args(SenderType):
        raise InvalidInput("/type", "invalid", f"a type is one of {', '.join(get_args(SenderType))}")
    if way not in get_args(Way):
        raise InvalidInput("/way", "invalid", f"a way is one of {', '.join(get_args(Way))}")
    return NumberRow(
        line=line,
        number=MovedNumber(
            value=_value(kind, cells["value"]),
            country=_country(cells["country"].upper()),
            type=kind,  # type: ignore[arg-type] # looked up above
            way=way,  # type: ignore[arg-type] # looked up above
            case=cells.get("case") or None,
        ),
    )


def _template(line: int, cells: dict[str, str]) -> TemplateRow:
    use_case = cells.get("use_case") or None
    if use_case is not None and use_case not in get_args(UseCase):
        raise InvalidInput("/use_case", "invalid", f"a use case is one of {', '.join(get_args(UseCase))}")
    names = [found[1] for found in _PLACE_HOLDER.finditer(cells["body"])]
    if len({_name(each) for each in names}) != len(set(names)):
        raise InvalidInput("/body", "invalid", "two place-holders would have one name; rename one")
    countries = [each.strip().upper() for each in cells.get("countries", "").split(";") if each.strip()]
    return TemplateRow(
        line=line,
        name=cells["name"],
        wording=Wording(
            body=renamed(cells["body"]),
            type=_type(cells["type"]),
            use_case=use_case,  # type: ignore[arg-type] # looked up above
            countries=countries,
            locale=cells.get("locale") or None,
        ),
    )


def _check_cells(cells: dict[str, str]) -> None:
    for name, cell in cells.items():
        if len(cell) > _MOST_CELL or _NOT_TEXT.search(cell):
            detail = f"a cell has at most {_MOST_CELL} characters of text"
            raise InvalidInput(f"/{name}", "invalid", detail)


def _country(iso: str) -> str:
    if iso not in by_iso() or iso in UNREACHABLE:
        raise InvalidInput("/country", "unknown_country", "AWS sends to no country with this code")
    return iso


def _type(text: str) -> MessageType:
    if text not in get_args(MessageType):
        raise InvalidInput("/type", "invalid", "a type is otp, transactional or promotional")
    return text  # type: ignore[return-value] # looked up above


def _count(cells: dict[str, str], column: str) -> int:
    said = cells.get(column) or "0"
    if _WHOLE.fullmatch(said) is None or int(said) > _MOST_MESSAGES:
        raise InvalidInput(f"/{column}", "invalid", f"a whole number of 0 to {_MOST_MESSAGES}")
    return int(said)


def _switch(text: str) -> bool:
    if text not in _YES | _NO:
        raise InvalidInput("/two_way", "invalid", "two_way is yes or no; empty means no")
    return text in _YES


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate <= _MOST_MPS:
        raise InvalidInput("/parts_per_second", "invalid", f"a number above 0, {_MOST_MPS:g} at most")
    return rate


def _value(kind: str, text: str) -> str:
    if _FORMS.get(kind, _E164).fullmatch(text) is None:
        detail = "a number is E.164, a short code 3 to 8 digits, a sender id 3 to 11 letters and digits"
        raise InvalidInput("/value", "invalid", detail)
    return text
