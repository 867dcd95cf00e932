"""
The file of `tollgate tenants onboard`: one tenant per row, read before anything is made. Pure.

`slug`, `name` and `model` are the tenant's; every other column is an answer by its dotted name, such as
`profile.address.city`. A list has `;` between its members. The one programme of a row is
`programme.use_case`, `.type`, `.description` and `.sample`; its senders are `COUNTRY:TYPE` or
`COUNTRY:TYPE:VALUE`.
"""

import csv
import io
from typing import Any, Final

from msgspec import Struct

REQUIRED: Final = ("slug", "name", "model")
_LISTS: Final = frozenset({"reach.countries"})
_NUMBERS: Final = frozenset({"reach.messages_per_month", "reach.parts_per_second"})
_SWITCHES: Final = frozenset(
    {"relationship.opt_in_shared", "reach.two_way", "legal.hosted", "opt_in.double_opt_in"}
)
_SENDERS: Final = "senders"
_PROGRAMME: Final = "programme."
_WORDS: Final = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_KINDS_AND_VALUE: Final = 3


class OnboardRow(Struct, frozen=True, kw_only=True):
    """One tenant of the file."""

    line: int
    """In the file; the header is line 1."""
    slug: str
    name: str
    model: int
    answers: dict[str, Any]


class BadFile(Exception):
    """The file cannot be used; the text names the lines."""


def read_rows(text: str) -> list[OnboardRow]:
    """
    Return the rows of a file.

    Raises:
        BadFile: A column is missing, a value is not of its kind, or a slug stands twice.
    """
    reader = csv.DictReader(io.StringIO(text))
    try:
        return _rows(reader)
    except csv.Error as error:
        raise BadFile(f"line {reader.line_num + 1} is no CSV: {error}") from error


def _rows(reader: "csv.DictReader[str]") -> list[OnboardRow]:
    lacking = [name for name in REQUIRED if name not in (reader.fieldnames or ())]
    if lacking:
        raise BadFile(f"the header lacks {', '.join(lacking)}")
    rows, faults, seen = list[OnboardRow](), list[str](), dict[str, int]()
    for line, cells in enumerate(reader, start=2):
        try:
            row = _row(line, {name: (value or "").strip() for name, value in cells.items() if name})
        except ValueError as error:
            faults.append(f"line {line}: {error}")
            continue
        if row.slug in seen:
            faults.append(f"line {line}: {row.slug} stands in line {seen[row.slug]}, too")
        seen[row.slug] = line
        rows.append(row)
    if faults:
        raise BadFile("\n".join(faults))
    return rows


def _row(line: int, cells: dict[str, str]) -> OnboardRow:
    for name in REQUIRED:
        if not cells[name]:
            raise ValueError(f"{name} is empty")
    if cells["model"] not in set("123456"):
        raise ValueError(f"model is 1 to 6, not {cells['model']!r}")
    answers: dict[str, Any] = {}
    programme: dict[str, str] = {}
    for name, value in cells.items():
        if name in REQUIRED or not value:
            continue
        if name.startswith(_PROGRAMME):
            programme[name.removeprefix(_PROGRAMME)] = value
        elif name == _SENDERS:
            answers["senders"] = {"choices": [_choice(each) for each in _listed(value)]}
        else:
            _put(answers, name, _value(name, value))
    if programme:
        sample = programme.pop("sample", "")
        answers["use_cases"] = {"programmes": [programme | {"samples": [sample]}]}
    return OnboardRow(
        line=line, slug=cells["slug"], name=cells["name"], model=int(cells["model"]), answers=answers
    )


def _value(name: str, text: str) -> object:
    if name in _LISTS:
        return _listed(text)
    if name in _NUMBERS:
        try:
            return float(text) if "." in text else int(text)
        except ValueError:
            raise ValueError(f"{name} is a number, not {text!r}") from None
    if name in _SWITCHES:
        if text.lower() not in _WORDS:
            raise ValueError(f"{name} is yes or no, not {text!r}")
        return _WORDS[text.lower()]
    return text


def _choice(text: str) -> dict[str, str]:
    parts = text.split(":")
    if not 1 < len(parts) <= _KINDS_AND_VALUE:
        raise ValueError(f"senders are COUNTRY:TYPE or COUNTRY:TYPE:VALUE, not {text!r}")
    return dict(zip(("country", "type", "value"), parts, strict=False))


def _listed(text: str) -> list[str]:
    return [each.strip() for each in text.split(";") if each.strip()]


def _put(answers: dict[str, Any], name: str, value: object) -> None:
    *path, last = name.split(".")
    if not path:
        raise ValueError(f"there is no column {name!r}")
    place = answers
    for step in path:
        place = place.setdefault(step, {})
    place[last] = value
