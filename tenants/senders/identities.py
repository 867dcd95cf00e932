"""
What an origination identity looks like, by its type. Pure.

No more than AWS itself asks: a number of a new range or a sender id of another's making is taken, if it can
be one. What carriers ask of a new sender id is in `tenants.registrations.sender_ids`.
"""

import re
from typing import Final

import phonenumbers

from tenants.countries.facts import by_iso
from tenants.errors import InvalidInput

_NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{3,8}")
_SENDER_ID: Final = re.compile("(?=.*[A-Za-z0-9])[A-Za-z0-9_-]{1,11}")
_SHOWN: Final = re.compile("[!-~]([ -~]*[!-~])?")
_UNKNOWN: Final = 0


def check_identity(type_: str, value: str, country: str) -> None:
    """
    Refuse a country that there is none of, or a value that cannot be of the type.

    A number may serve another country than its own, so its code is not compared.

    Raises:
        InvalidInput: Either; `/country` or `/value` is named.
    """
    if phonenumbers.country_code_for_region(country) == _UNKNOWN and country not in by_iso():
        raise InvalidInput("/country", "unknown_country", f"there is no country {country} in ISO 3166-1")
    match type_:
        case "SENDER_ID":
            _check(_SENDER_ID, value, "a sender id is 1 to 11 letters, digits, hyphens and underscores")
        case "SHARED":
            _check(_SHOWN, value, "a name of shared routes is of letters, digits and signs")
        case _:
            _check(_NUMBER, value, "a number is + and 7 to 15 digits, a short code is 3 to 8 digits")


def _check(form: re.Pattern[str], value: str, detail: str) -> None:
    if form.fullmatch(value) is None:
        raise InvalidInput("/value", "invalid_value", detail)
