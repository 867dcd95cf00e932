"""What a reviewer's words mean and what to change. Pure, from `denials.json`."""

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec
from msgspec import Struct


class Denial(Struct, frozen=True, kw_only=True):
    """One reason of a denied version or field."""

    code: str
    """Ours, stable: `opt_in_unclear`, …; `other` where nothing is known."""
    reason: str
    """AWS's or the reviewer's own words."""
    means: str
    change: str
    field: str | None = None
    """Path of the denied field; None for the version as a whole."""


class _Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    code: str
    words: list[str]
    means: str
    change: str


_OTHER: Final = (
    "The reviewer's words are all that is known.",
    "Compare them with the form, change what they name, and ask AWS in a support case if they are unclear.",
)


def explained(reason: str, *, field: str | None = None) -> Denial:
    """Return a reason with what it means; the entry with the most words in it wins, the first of equals."""
    best, most = None, 0
    text = reason.casefold().replace("_", " ")
    for entry, words in _entries():
        found = len(set(words.findall(text)))
        if found > most:
            best, most = entry, found
    means, change = _OTHER if best is None else (best.means, best.change)
    code = "other" if best is None else best.code
    return Denial(code=code, reason=reason, means=means, change=change, field=field)


def all_explained(version: Iterable[str], fields: Iterable[tuple[str, str]]) -> list[Denial]:
    """Return the reasons of a version and those of its fields."""
    return [explained(each) for each in version] + [explained(why, field=path) for path, why in fields]


@cache
def _entries() -> tuple[tuple[_Entry, re.Pattern[str]], ...]:
    source = files("tenants.registrations").joinpath("denials.json").read_bytes()
    entries = msgspec.json.decode(source, type=tuple[_Entry, ...])
    return tuple(
        (entry, re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, entry.words))})s?(?!\w)"))
        for entry in entries
    )
