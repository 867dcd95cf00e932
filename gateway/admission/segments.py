"""
How many message parts a text costs, and which characters make it cost more.

AWS bills and paces by the part. A text in the GSM 03.38 alphabet goes as 7-bit septets, 160 in one part or
153 in each of several; one character outside the alphabet turns the whole text into UCS-2, 70 or 67 units.
Neither the two septets of an extension character nor the two units of a surrogate pair are split over a part
boundary, so a part may end one unit short.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from tenants.templates.alphabet import ASTRAL, GSM_BASIC, GSM_EXTENSION, NOT_GSM
from tenants.templates.alphabet import BODY_MAX_CHARACTERS as BODY_MAX_CHARACTERS
from tenants.templates.alphabet import GSM_MULTI_PART as GSM_MULTI_PART
from tenants.templates.alphabet import GSM_SINGLE_PART as GSM_SINGLE_PART
from tenants.templates.alphabet import UNICODE_MULTI_PART as UNICODE_MULTI_PART
from tenants.templates.alphabet import UNICODE_SINGLE_PART as UNICODE_SINGLE_PART
from tenants.templates.alphabet import Encoding as Encoding

_only_basic = re.compile(f"[{re.escape(GSM_BASIC)}]*").fullmatch
_only_gsm = re.compile(f"[{re.escape(GSM_BASIC + GSM_EXTENSION)}]*").fullmatch
_FORBIDDEN = re.compile("[\x00-\x09\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_ESCAPE = "\x1b"
_HIGH_SURROGATE, _LOW_SURROGATE, _PAST_SURROGATES = 0xD8, 0xDC, 0xE0
"""Upper octets of UTF-16 units: where the first halves of pairs begin, the second halves, and all else."""

_SINGLE_QUOTES = "\u2018\u2019\u201a\u201b\u2032\u2039\u203a\u0060\u00b4\u02bc"
_DOUBLE_QUOTES = "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
_SPACES = "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f"
_INVISIBLE = "\u00ad\u200b\u2060\ufeff"
_LINE_ENDS = "\u2028\u2029"
_BULLETS = "\u2022\u2023\u2219"
_REWRITES = str.maketrans(
    dict.fromkeys(_SINGLE_QUOTES, "'")
    | dict.fromkeys(_DOUBLE_QUOTES, '"')
    | dict.fromkeys(_DASHES, "-")
    | dict.fromkeys(_SPACES, " ")
    | dict.fromkeys(_INVISIBLE, "")
    | dict.fromkeys(_LINE_ENDS, "\n")
    | dict.fromkeys(_BULLETS, "*")
    | {"\u2026": "...", "\u2044": "/"}
    | {"\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl"}
)


class Offending(Struct, frozen=True, kw_only=True):
    """A character outside GSM 03.38, which turns the whole text into UCS-2."""

    character: str
    """U+FFFD stands in for a lone surrogate, which no JSON answer could carry."""
    position: int
    """Characters (Unicode code points) before its first occurrence."""
    count: int
    name: str
    """The Unicode name and code point, for example `RIGHT SINGLE QUOTATION MARK (U+2019)`."""
    suggestion: str | None
    """What `gsm_rewrite` puts in its place, possibly nothing at all (""); None: it has no equal."""


class Segments(Struct, frozen=True, kw_only=True):
    """What a text costs in message parts."""

    encoding: Encoding
    parts: int
    """At least 1: an empty text, which `check_body` refuses, counts as one empty part."""
    units: int
    """Septets for GSM, UTF-16 code units for UNICODE; a unit left empty at a boundary is not counted."""
    units_left_in_part: int
    """Units that still fit into the last part before the next one is charged."""
    text: str

    @property
    def offending(self) -> tuple[Offending, ...]:
        """Each distinct character outside GSM 03.38, in order of appearance; computed when asked for."""
        if self.encoding == "GSM":
            return ()
        first: dict[str, int] = {}
        for found in NOT_GSM.finditer(self.text):
            first.setdefault(found[0], found.start())
        return tuple(
            Offending(
                character="\ufffd" if unicodedata.category(character) == "Cs" else character,
                position=position,
                count=self.text.count(character),
                name=_name(character),
                suggestion=_suggestion(character),
            )
            for character, position in first.items()
        )

    def __repr__(self) -> str:
        """Leave the text out: a body is never logged."""
        return (
            f"Segments(encoding={self.encoding!r}, parts={self.parts}, units={self.units}, "
            f"units_left_in_part={self.units_left_in_part})"
        )


class BodyFault(Struct, frozen=True, kw_only=True):
    """Why a body cannot be sent at all."""

    code: Literal["body_empty", "body_too_long", "forbidden_character"]
    detail: str
    character: str | None = None
    """Name and code point of the character that may not be sent."""
    position: int | None = None
    """Characters before it."""


def measure(text: str) -> Segments:
    """Return the encoding, the parts and the room left; refuses nothing (see `check_body`)."""
    if _only_basic(text):
        return _in_single_units(text, "GSM", GSM_SINGLE_PART, GSM_MULTI_PART)
    if _only_gsm(text):
        return _in_septets(text)
    if ASTRAL.search(text) is None:
        return _in_single_units(text, "UNICODE", UNICODE_SINGLE_PART, UNICODE_MULTI_PART)
    return _in_utf16(text)


def check_body(text: str) -> BodyFault | None:
    """
    Return the first thing that makes a body unsendable, or None.

    Control characters other than LF and CR are refused because no phone shows them and some carriers cut a
    text at NUL; lone surrogates because they cannot be encoded. Length is counted in characters.
    """
    if not text or text.isspace():
        return BodyFault(code="body_empty", detail="the body is empty or all blank")
    if len(text) > BODY_MAX_CHARACTERS:
        detail = f"the body has {len(text)} characters, at most {BODY_MAX_CHARACTERS} can be sent"
        return BodyFault(code="body_too_long", detail=detail)
    return check_characters(text)


def check_characters(text: str) -> BodyFault | None:
    """Return the first character that no channel carries, or None."""
    found = _FORBIDDEN.search(text)
    if found is None:
        return None
    name = _name(found[0])
    return BodyFault(
        code="forbidden_character",
        detail=f"{name} after {found.start()} characters cannot be sent",
        character=name,
        position=found.start(),
    )


def gsm_rewrite(text: str) -> str:
    """
    Return the text with typographic characters replaced by GSM ones that mean the same.

    Quotes, dashes, ellipses, odd spaces, bullets and ligatures are rewritten, invisible breaks dropped and
    accents composed (e + U+0301 becomes é). Letters are never changed to others: á stays á. The result may
    still be UNICODE; it is worth offering only where it measures fewer parts.
    """
    return unicodedata.normalize("NFC", text).translate(_REWRITES)


def _in_single_units(text: str, encoding: Encoding, single: int, multi: int) -> Segments:
    """Measure a text whose characters all take one unit."""
    units = len(text)
    parts = 1 if units <= single else -(-units // multi)
    left = single - units if parts == 1 else parts * multi - units
    return Segments(encoding=encoding, parts=parts, units=units, units_left_in_part=left, text=text)


def _in_septets(text: str) -> Segments:
    """Measure a GSM text with extension characters."""
    septets = text
    for character in GSM_EXTENSION:
        septets = septets.replace(character, _ESCAPE + character)

    def is_second_half(unit: int) -> bool:
        return septets[unit - 1] == _ESCAPE

    units = len(septets)
    parts, left = _split(units, is_second_half, GSM_SINGLE_PART, GSM_MULTI_PART)
    return Segments(encoding="GSM", parts=parts, units=units, units_left_in_part=left, text=text)


def _in_utf16(text: str) -> Segments:
    """Measure a text with surrogate pairs."""
    octets = text.encode("utf-16-le", "surrogatepass")

    def is_second_half(unit: int) -> bool:
        is_low = _LOW_SURROGATE <= octets[2 * unit + 1] < _PAST_SURROGATES
        return is_low and _HIGH_SURROGATE <= octets[2 * unit - 1] < _LOW_SURROGATE

    units = len(octets) // 2
    parts, left = _split(units, is_second_half, UNICODE_SINGLE_PART, UNICODE_MULTI_PART)
    return Segments(encoding="UNICODE", parts=parts, units=units, units_left_in_part=left, text=text)


def _split(units: int, is_second_half: Callable[[int], bool], single: int, multi: int) -> tuple[int, int]:
    """Return the parts and the units left in the last, when no pair may be cut in half."""
    if units <= single:
        return 1, single - units
    parts, start = 1, 0
    while units - start > multi:
        start += multi
        parts += 1
        if is_second_half(start):
            start -= 1
    return parts, multi - (units - start)


def _name(character: str) -> str:
    code_point = f"U+{ord(character):04X}"
    name = unicodedata.name(character, "")
    return f"{name} ({code_point})" if name else code_point


def _suggestion(character: str) -> str | None:
    rewritten = gsm_rewrite(character)
    return rewritten if _only_gsm(rewritten) else None
