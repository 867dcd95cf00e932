"""The numbers that can be requested: what exists where, what it costs, and the next free one."""

import hashlib

from gateway.emulator.carrier.countries import countries
from gateway.emulator.state.records import PhoneNumber
from gateway.emulator.state.store import Stores

MONTHLY_PRICES = {"TOLL_FREE": "2.00", "TEN_DLC": "1.00", "SIMULATOR": "1.00", "LONG_CODE": "5.00"}
"""US dollars for a month, as AWS lists them for the United States."""

MMS_COUNTRIES = frozenset({"US", "CA"})

AREA_CODES = {
    "TOLL_FREE": ("1888", "1877", "1866", "1855"),
    "US": ("1206", "1415", "1212", "1312", "1503", "1617"),
    "CA": ("1604", "1416", "1514"),
    "PR": ("1787", "1939"),
}
PLACES = 7
"""Digits after a prefix."""


def is_available(country: str, number_type: str, message_type: str, capabilities: list[str]) -> bool:
    """Return whether a number of this kind can be had at all."""
    known = countries().get(country)
    if known is None or ("MMS" in capabilities and country not in MMS_COUNTRIES):
        return False
    if number_type == "SIMULATOR":
        return country == "US" and message_type == "TRANSACTIONAL"
    if number_type == "TOLL_FREE":
        return country in {"US", "PR"}
    if number_type == "TEN_DLC":
        return country == "US"
    return known.long_code


def next_number(stores: Stores, scope: str, country: str, number_type: str) -> str:
    """Return a number that no account of this emulator has, in E.164 form."""
    leased = sum(store.count(PhoneNumber) for store in stores.all())
    ordinal = int.from_bytes(hashlib.blake2b(scope.encode(), digest_size=3).digest()) + leased
    while _is_leased(stores, number := _number(country, number_type, ordinal)):
        ordinal += 1
    return number


def _is_leased(stores: Stores, number: str) -> bool:
    digits = number.lstrip("+")
    return any(store.grouped(PhoneNumber, digits) for store in stores.all())


def _number(country: str, number_type: str, ordinal: int) -> str:
    prefixes = AREA_CODES.get("TOLL_FREE" if number_type == "TOLL_FREE" else country)
    if prefixes is None:
        code = countries()[country].dialing_codes[0]
        return f"+{code}7{ordinal % 10**PLACES:0{PLACES}d}1"
    prefix = prefixes[ordinal % len(prefixes)]
    return f"+{prefix}{2_000_000 + ordinal // len(prefixes) % 7_000_000:0{PLACES}d}"
