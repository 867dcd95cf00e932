"""Countries: which one a number belongs to, and what can be used to send there."""

import csv
import functools
from importlib import resources

import msgspec

CANADIAN_AREA_CODES = frozenset(
    [
        "204",
        "226",
        "236",
        "249",
        "250",
        "257",
        "263",
        "289",
        "306",
        "343",
        "354",
        "365",
        "367",
        "368",
        "382",
        "403",
        "416",
        "418",
        "428",
        "431",
        "437",
        "438",
        "450",
        "460",
        "468",
        "474",
        "506",
        "514",
        "519",
        "537",
        "548",
        "568",
        "579",
        "581",
        "584",
        "587",
        "600",
        "604",
        "613",
        "639",
        "647",
        "672",
        "683",
        "705",
        "709",
        "742",
        "753",
        "778",
        "780",
        "782",
        "807",
        "819",
        "825",
        "867",
        "873",
        "879",
        "902",
        "905",
        "942",
    ]
)
"""North American area codes that are Canada's; the rest of +1 is told apart by the dialling codes."""

EXTRA_PREFIXES = {"76": "KZ", "77": "KZ", "1787": "PR", "447797": "JE", "447937": "JE", "447781": "GG"}
"""Mobile ranges inside another country's code that the country table does not list."""

SHORTEST, LONGEST = 7, 15
"""Digits of an international number, country code included (E.164; the shortest in use have 7)."""


class Country(msgspec.Struct, frozen=True):
    """What AWS supports in one country."""

    code: str
    name: str
    dialing_codes: tuple[str, ...]
    short_code: bool
    long_code: bool
    sender_id: str
    """yes, no or registration."""
    two_way: bool


@functools.cache
def countries() -> dict[str, Country]:
    """Return every supported country by ISO code."""
    text = resources.files("gateway.emulator.data").joinpath("countries.csv").read_text("utf-8")
    return {row["iso_country_code"]: _country(row) for row in csv.DictReader(text.splitlines())}


@functools.cache
def simulator_numbers() -> dict[str, tuple[str, bool]]:
    """Return the simulator destinations: number -> (country, whether delivery succeeds)."""
    text = resources.files("gateway.emulator.data").joinpath("simulator_numbers.csv").read_text("utf-8")
    return {
        row["phone_number"]: (row["iso_country_code"], row["outcome"] == "SUCCESS")
        for row in csv.DictReader(text.splitlines())
    }


def e164(number: str) -> str:
    """Return a destination with its leading plus."""
    return number if number.startswith("+") else f"+{number}"


@functools.lru_cache(maxsize=65_536)
def country_of(number: str) -> str | None:
    """Return the ISO code of an E.164 number with its plus, or None where it belongs to no known country."""
    simulated = simulator_numbers().get(number)
    if simulated is not None:
        return simulated[0]
    digits = number[1:]
    if not SHORTEST <= len(digits) <= LONGEST:
        return None
    if digits.startswith("1") and digits[1:4] in CANADIAN_AREA_CODES:
        return "CA"
    prefixes = _prefixes()
    return next((prefixes[digits[:size]] for size in range(6, 0, -1) if digits[:size] in prefixes), None)


@functools.cache
def _prefixes() -> dict[str, str]:
    known = {code: country.code for country in countries().values() for code in country.dialing_codes}
    return {**known, "1": "US", "7": "RU", "44": "GB", **EXTRA_PREFIXES}


def _country(row: dict[str, str]) -> Country:
    return Country(
        row["iso_country_code"],
        row["name"],
        tuple(code.strip() for code in row["dialing_code"].split(",")),
        row["short_code"] == "yes",
        row["long_code"] == "yes",
        row["sender_id"],
        row["two_way"] == "yes",
    )
