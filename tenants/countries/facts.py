"""
What AWS can send from, country by country.

The table is AWS's "Supported countries and regions for SMS messaging", kept as published in `countries.csv`
(https://docs.aws.amazon.com/sms-voice/latest/userguide/phone-numbers-sms-by-country.html). Its slips are put
right here, in the open, and a test fails once one of them is gone from the table.
"""

import csv
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final, Literal

from msgspec import Struct

SenderIdSupport = Literal["yes", "no", "registration"]

UNREACHABLE: Final[Mapping[str, str]] = MappingProxyType(
    {"CU": "Cuba", "IR": "Iran", "KP": "North Korea", "SD": "Sudan", "SY": "Syria"}
)
"""
Countries AWS does not send to at all, "including" these five:
https://docs.aws.amazon.com/pinpoint/latest/userguide/channels-sms-country-capabilities.html.
"""

ISO_CORRECTIONS: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("TC", "Tuvalu"): "TV",  # TC is the Turks and Caicos Islands, listed one row above
        ("KV", "Kosovo"): "XK",  # KV was never assigned; XK is what libphonenumber and most carriers use
    }
)
"""Published (code, name) to the code used here."""

DIALING_CORRECTIONS: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("JE", "441434"): "441534",  # 01434 is Hexham, in England
        ("PR", "1797"): "1787",  # 797 is not an area code of the North American plan
    }
)
"""(Code used here, published dialing code) to the one used here."""


class Country(Struct, frozen=True, kw_only=True):
    """One row of AWS's table."""

    iso: str
    """ISO 3166-1 alpha-2, or XK for Kosovo. AN (Netherlands Antilles) is AWS's; no number parses to it."""
    name: str
    dialing_codes: tuple[str, ...]
    """Digits without the plus, with the area codes that tell a shared plan apart: `1787`, `1939`."""
    short_code: bool
    long_code: bool
    sender_id: SenderIdSupport
    two_way: bool | None
    """None where AWS says nothing or "n/a"."""

    @property
    def has_own_senders(self) -> bool:
        """Whether there is a sender of one's own; elsewhere texts leave by AWS's shared routes alone."""
        return self.short_code or self.long_code or self.sender_id != "no"


_SENDER_ID: Final[Mapping[str, SenderIdSupport]] = MappingProxyType(
    {"yes": "yes", "no": "no", "registration": "registration"}
)
_TWO_WAY: Final[Mapping[str, bool | None]] = MappingProxyType(
    {"yes": True, "no": False, "n/a": None, "": None}
)
_YES_OR_NO: Final[Mapping[str, bool]] = MappingProxyType({"yes": True, "no": False})


@cache
def by_iso() -> Mapping[str, Country]:
    """Return AWS's table by country code; a country that is absent is one AWS's page does not list."""
    return index(published_rows())


def index(rows: Iterable[Mapping[str, str]]) -> Mapping[str, Country]:
    """
    Return published rows by country code, corrected.

    Raises:
        KeyError: A column holds a word that is none of the known ones.
        ValueError: Two rows claim one country.
    """
    countries: dict[str, Country] = {}
    for row in rows:
        country = _country(row)
        if country.iso in countries:
            raise ValueError(f"{country.iso} is listed twice: {countries[country.iso].name}, {country.name}")
        countries[country.iso] = country
    return MappingProxyType(countries)


def _country(row: Mapping[str, str]) -> Country:
    iso = ISO_CORRECTIONS.get((row["iso_country_code"], row["name"]), row["iso_country_code"])
    codes = (code.strip() for code in row["dialing_code"].split(","))
    return Country(
        iso=iso,
        name=row["name"],
        dialing_codes=tuple(DIALING_CORRECTIONS.get((iso, code), code) for code in codes),
        short_code=_YES_OR_NO[row["short_code"]],
        long_code=_YES_OR_NO[row["long_code"]],
        sender_id=_SENDER_ID[row["sender_id"]],
        two_way=_TWO_WAY[row["two_way"]],
    )


def published_rows() -> list[dict[str, str]]:
    """Return AWS's rows as published, before any correction."""
    text = files("tenants.countries").joinpath("countries.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
