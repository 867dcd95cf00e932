"""
What may stand in a template's place-holders.

A value is a guest in an approved sentence: it may fill its place and nothing else. So it cannot break the
line, turn the writing direction, hide characters, lean on the literal before it or carry a link under the
name of text. Formats are ASCII and fixed, which also keeps the worst case of a template known:

    kind    accepted                                                         JSON numbers
    text    any visible characters of one line, no link                      no
    digits  ASCII digits                                                     whole, not negative
    url     https, a host with a dot, no user, ASCII; no public shortener,   no
            and only the declaration's hosts where it names some
    date    2026-11-21, 21.11.2026 or 21/11/2026 (either order), with an     no
            optional time: 2026-11-21 15:30
    amount  -12, 12.50, 12,50, 1,234.50 or 1.234,50; the currency belongs    yes
            into the body

A JSON number keeps no zeros (`0123`, `12.50`): send codes and amounts as strings.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Final, Literal

from msgspec import UNSET, Struct, UnsetType

from tenants.templates import links, lookalikes

VariableKind = Literal["text", "digits", "url", "date", "amount"]

FaultCode = Literal["missing", "surplus", "too_long", "wrong_kind", "forbidden_character", "not_text"]

MAX_LENGTH: Final = 500
"""The largest `max_length` a declaration may ask for."""

_LARGEST_INTEGER: Final = 10**18
"""Past 18 digits a JSON number is no code and no amount, and `str()` of it stops being cheap."""


class Declaration(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the author of a template allows in one place."""

    kind: VariableKind = "text"
    max_length: int = 40
    """Characters after NFC normalisation, 1 to MAX_LENGTH."""
    hosts: tuple[str, ...] | UnsetType = UNSET
    """Of a `url`: the hosts it may name, and those below them; where absent any but public shorteners."""


DEFAULT: Final = Declaration()
"""Holds for every variable that is not declared."""


class VariableFault(Struct, frozen=True, kw_only=True):
    """Why one value cannot be filled in; never quotes the value, which may be a one-time code."""

    field: str
    """JSON pointer into the send request, for example `/template/variables/code`."""
    code: FaultCode
    detail: str


_FORBIDDEN = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # controls, line ends among them
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0"  # drawn as nothing or as blank
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidi controls
    "\u200b-\u200d\u2060-\u2065\u206a-\u206f\ufeff"  # zero width
    "\u2028\u2029"  # line and paragraph separators
    "\ufe00-\ufe0f\U000e0000-\U000e0fff"  # variation selectors and tags
    "\ufdd0-\ufdef\ufff0-\uffff"  # specials and noncharacters
    "\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # layout controls of rare scripts
    "\ud800-\udfff"  # lone surrogates
    "\ue000-\uf8ff\U000f0000-\U0010ffff"  # private use: what a phone shows is anyone's guess
    f"{lookalikes.DISGUISED}"
    "]"
)
_DIGITS = re.compile("[0-9]+")
_AMOUNT = re.compile(
    r"-?(?:"
    r"[0-9]{1,15}(?:[.,][0-9]{1,4})?"
    r"|[0-9]{1,3}(?:,[0-9]{3}){1,4}(?:\.[0-9]{1,4})?"
    r"|[0-9]{1,3}(?:\.[0-9]{3}){1,4}(?:,[0-9]{1,4})?"
    r")"
)
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_URL = re.compile(
    rf"https://(?:{_LABEL}\.)+[A-Za-z](?:[A-Za-z0-9-]{{0,61}}[A-Za-z0-9])"
    r"(?::[0-9]{1,5})?"
    r"(?:[/?#][A-Za-z0-9\-._~:/?#@!$&'()*+,;=%]*)?"
)
_DATE = re.compile(
    r"(?:(?P<iso>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"|(?P<first>[0-9]{2})(?P<mark>[./])(?P<second>[0-9]{2})(?P=mark)(?P<year>[0-9]{4}))"
    r"(?: (?:[01][0-9]|2[0-3]):[0-5][0-9])?"
)

ALLOWED: Final[Mapping[VariableKind, re.Pattern[str]]] = MappingProxyType(
    {
        "text": re.compile(f"[^{_FORBIDDEN.pattern[1:-1]}]+"),
        "digits": _DIGITS,
        "url": re.compile(r"[A-Za-z0-9\-._~:/?#@!$&'()*+,;=%]+"),
        "date": re.compile("[0-9./: -]+"),
        "amount": re.compile("[0-9.,-]+"),
    }
)
"""The runs of characters a value of each kind consists of: necessary, not sufficient (see `check_value`)."""

SHORTEST: Final[Mapping[VariableKind, int]] = MappingProxyType(
    {"text": 1, "digits": 1, "url": len("https://a.bc"), "date": len("2026-11-21"), "amount": 1}
)
"""A smaller `max_length` leaves no value at all."""

LONGEST: Final[Mapping[VariableKind, int]] = MappingProxyType(
    {
        "text": MAX_LENGTH,
        "digits": MAX_LENGTH,
        "url": MAX_LENGTH,
        "date": len("2026-11-21 15:30"),
        "amount": len("-123,123,123,123,123.1234"),
    }
)
"""The format's own end, whatever `max_length` says."""


def check_value(name: str, declaration: Declaration, value: object) -> str | VariableFault:
    """Return the text to fill in (NFC), or why the value may not be."""
    written = _as_text(declaration.kind, value)
    if written is None:
        return _fault(name, "not_text", f"{declaration.kind} is a string{_OR_A_NUMBER[declaration.kind]}")
    if not written.strip():
        return _fault(name, "missing", "the value is empty or blank")
    if len(written) > MAX_LENGTH * 4:
        # Normalising an overlong value would cost more than it can be worth; no 500 characters need 2,000.
        return _fault(name, "too_long", f"at most {declaration.max_length} characters")
    text = written if written.isascii() else unicodedata.normalize("NFC", written)
    if len(text) > declaration.max_length:
        detail = f"at most {declaration.max_length} characters, this value has {len(text)}"
        return _fault(name, "too_long", detail)
    forbidden = forbidden_character(text)
    if forbidden is not None:
        return _fault(name, "forbidden_character", forbidden)
    unlike = _FORMS[declaration.kind](text)
    if unlike is None and declaration.kind == "url":
        unlike = _elsewhere(declaration, text)
    return text if unlike is None else _fault(name, "wrong_kind", unlike)


def forbidden_character(text: str) -> str | None:
    """Say which character may not stand in a value and where, or return None."""
    found = _FORBIDDEN.search(text)
    if found is not None:
        return f"{describe(found[0])} after {found.start()} characters cannot be part of a value"
    if leans_back(text):
        return f"{describe(text[0])} would be drawn over the character before the value"
    if lookalikes.tower_of_marks(text):
        return f"more than {lookalikes.MOST_MARKS} combining marks on one character cover the lines around"
    return None


def leans_back(text: str) -> bool:
    """Whether the text begins with a combining mark, which joins the character before it."""
    return not text[:1].isascii() and unicodedata.category(text[0]).startswith("M")


def pointer(name: str) -> str:
    """Return the JSON pointer of a variable; a name from outside is cut and made printable first."""
    printable = name[:60].encode("ascii", "backslashreplace").decode("ascii")
    return "/template/variables/" + printable.replace("~", "~0").replace("/", "~1")


def describe(character: str) -> str:
    """Return a character's code point and Unicode name, for example `U+202E RIGHT-TO-LEFT OVERRIDE`."""
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip()


def _as_text(kind: VariableKind, value: object) -> str | None:
    """Return a JSON scalar as text, or None if this kind is not written that way."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or kind not in {"digits", "amount"}:
        return None
    if isinstance(value, int):
        return str(value) if abs(value) < _LARGEST_INTEGER else None
    if isinstance(value, float) and kind == "amount" and math.isfinite(value):
        return repr(value)
    return None


def _unlike_text(text: str) -> str | None:
    return "a link needs a variable of the kind url" if links.has_link(text) else None


def _unlike_digits(text: str) -> str | None:
    return None if _DIGITS.fullmatch(text) else "digits are 0 to 9 and nothing else"


def _unlike_url(text: str) -> str | None:
    if _URL.fullmatch(text):
        return None
    return "a url begins with https:// and a host name, has no user name and no spaces, and is ASCII"


def _elsewhere(declaration: Declaration, url: str) -> str | None:
    """Say why a URL may not lead where it does, or return None."""
    host = links.host_of(url)
    if links.is_shortener(host):
        return "a public link shortener hides where the link leads, and carriers filter it"
    if declaration.hosts is not UNSET and not links.is_host_of(host, declaration.hosts):
        return f"the template allows links to {', '.join(declaration.hosts)} only"
    return None


def _unlike_date(text: str) -> str | None:
    found = _DATE.fullmatch(text)
    if found is None:
        return "a date is 2026-11-21, 21.11.2026 or 21/11/2026, optionally followed by a time: 15:30"
    return None if _exists(found) else "there is no such day"


def _unlike_amount(text: str) -> str | None:
    return None if _AMOUNT.fullmatch(text) else "an amount is a plain number such as 12.50 or 1,234.50"


def _exists(found: re.Match[str]) -> bool:
    """Whether the calendar has the day; with slashes the day may stand before or after the month."""
    if found["iso"] is not None:
        year, month, day = found["iso"].split("-")
        return _is_day(year, month, day)
    first, second, year = found["first"], found["second"], found["year"]
    return _is_day(year, second, first) or (found["mark"] == "/" and _is_day(year, first, second))


def _is_day(year: str, month: str, day: str) -> bool:
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True


_FORMS: Final[Mapping[VariableKind, Callable[[str], str | None]]] = MappingProxyType(
    {
        "text": _unlike_text,
        "digits": _unlike_digits,
        "url": _unlike_url,
        "date": _unlike_date,
        "amount": _unlike_amount,
    }
)
_OR_A_NUMBER: Final[Mapping[VariableKind, str]] = MappingProxyType(
    {"text": "", "digits": " or a whole number", "url": "", "date": "", "amount": " or a number"}
)


def _fault(name: str, code: FaultCode, detail: str) -> VariableFault:
    return VariableFault(field=pointer(name), code=code, detail=detail)
