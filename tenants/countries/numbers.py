"""
Which number a text names, and in which country it is.

Only E.164 as the wire carries it is taken (`+` and digits). libphonenumber's own parser is not asked: it is
lenient (it finds a number inside prose, drops national prefixes, reads letters as digits) and takes most of
the time. The digits after the calling code are looked up in the numbering plans of its tables, which give the
region and the kind within it, and with the kind whether the number is valid.
"""

import csv
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final, Literal

import phonenumbers
from msgspec import Struct
from phonenumbers import REGION_CODE_FOR_NON_GEO_ENTITY, PhoneNumberType

from tenants.countries.plans import CALLING_CODES, classify

NumberKind = Literal["mobile", "fixed", "fixed_or_mobile", "toll_free", "premium_rate", "voip", "other"]
"""`fixed_or_mobile`: the plan does not tell them apart, as in the United States and Canada."""

Outcome = Literal["SUCCESS", "FAILURE"]

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_PUNCTUATION = re.compile(r"[\s().\-\u2010-\u2015\u00a0/]+")
_LONGEST_COUNTRY_CODE = 3
_CODE_ENDS = range(2, _LONGEST_COUNTRY_CODE + 2)
_REMEMBERED = 4096
"""Parsed numbers kept in memory; enough for the look-ups of requests in flight."""

_KINDS: Final[Mapping[int, NumberKind]] = MappingProxyType(
    {
        PhoneNumberType.MOBILE: "mobile",
        PhoneNumberType.FIXED_LINE: "fixed",
        PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_or_mobile",
        PhoneNumberType.TOLL_FREE: "toll_free",
        PhoneNumberType.PREMIUM_RATE: "premium_rate",
        PhoneNumberType.VOIP: "voip",
    }
)
_OUTCOMES: Final[Mapping[str, Outcome]] = MappingProxyType({"SUCCESS": "SUCCESS", "FAILURE": "FAILURE"})


class Number(Struct, frozen=True, kw_only=True):
    """A number that can exist, in the one form everything else uses."""

    e164: str
    country: str
    """ISO 3166-1 alpha-2, or XK for Kosovo."""
    kind: NumberKind
    simulator: bool = False
    """One of AWS's simulator destinations: no phone rings, the outcome is fixed."""


class NumberFault(Struct, frozen=True, kw_only=True):
    """Why a text is not a number a message can be sent to."""

    code: Literal["not_e164", "unknown_country_code", "no_country", "not_valid"]
    detail: str


def parse_number(text: str) -> Number | NumberFault:
    """
    Return the number, or what is wrong with it and how to write it.

    AWS's simulator numbers are valid by definition, even the Norwegian pair that libphonenumber rejects.
    """
    if _E164.fullmatch(text) is None:
        return NumberFault(code="not_e164", detail=_how_to_write(text))
    return _parse_e164(text)


def country_of(e164: str) -> str | None:
    """Return the country of a number, or None if it is not one that can exist."""
    number = parse_number(e164)
    return number.country if isinstance(number, Number) else None


@cache
def simulator_outcomes() -> Mapping[str, Outcome]:
    """Return AWS's simulator destinations and how a message to each of them ends."""
    return MappingProxyType({row["phone_number"]: _OUTCOMES[row["outcome"]] for row in _simulator_rows()})


@lru_cache(maxsize=_REMEMBERED)
def _parse_e164(text: str) -> Number | NumberFault:
    simulated_in = _simulator_countries().get(text)
    if simulated_in is not None:
        return Number(e164=text, country=simulated_in, kind="mobile", simulator=True)
    code = _calling_code(text)
    if code is None:
        detail = f"no country has a calling code that begins {text[: _LONGEST_COUNTRY_CODE + 1]}"
        return NumberFault(code="unknown_country_code", detail=detail)
    region, kind = classify(CALLING_CODES[code], text[1 + len(code) :])
    if region == REGION_CODE_FOR_NON_GEO_ENTITY:
        detail = f"+{code} belongs to no country, and AWS routes and prices by country"
        return NumberFault(code="no_country", detail=detail)
    if region is None or kind == PhoneNumberType.UNKNOWN:
        return NumberFault(code="not_valid", detail=_what_is_wrong(text))
    return Number(e164=text, country=region, kind=_KINDS.get(kind, "other"))


def _calling_code(text: str) -> str | None:
    """Return the calling code that an E.164 text begins with: one to three digits, and no other fits, too."""
    for end in _CODE_ENDS:
        if (code := text[1:end]) in CALLING_CODES:
            return code
    return None


def _how_to_write(text: str) -> str:
    digits = _PUNCTUATION.sub("", text[:40])
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    elif not digits.startswith("+"):
        return "the number lacks its country: write + and the calling code, like +14155550123"
    if _E164.fullmatch(digits):
        return f"only + and digits: write it as {digits}"
    return "a number is + and 7 to 15 digits, like +14155550123"


def _what_is_wrong(text: str) -> str:
    """Ask libphonenumber's lenient parser what was probably meant."""
    try:
        meant = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:  # pragma: no cover - no E.164 text is known to cause it
        return "no number of that country looks like this"
    written = phonenumbers.format_number(meant, phonenumbers.PhoneNumberFormat.E164)
    if written != text and phonenumbers.is_valid_number(meant):
        return f"drop the national prefix: write it as {written}"
    return {
        phonenumbers.ValidationResult.TOO_SHORT: "the number is too short for its country",
        phonenumbers.ValidationResult.TOO_LONG: "the number is too long for its country",
    }.get(phonenumbers.is_possible_number_with_reason(meant), "no number of that country looks like this")


@cache
def _simulator_countries() -> Mapping[str, str]:
    return MappingProxyType({row["phone_number"]: row["iso_country_code"] for row in _simulator_rows()})


def _simulator_rows() -> list[dict[str, str]]:
    """Read the simulator destinations listed in the AWS End User Messaging SMS user guide."""
    text = files("tenants.countries").joinpath("simulator_numbers.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
