"""
What an origination identity looks like, by its type and country. Pure.

No more than AWS itself asks: a number of a new range or a sender id of another's making is taken, if it can
be one. What carriers ask of a new sender id is in `tenants.registrations.sender_ids`.
"""

import re
from typing import Final

import phonenumbers
from phonenumbers import ValidationResult

from tenants.countries.facts import by_iso
from tenants.errors import InvalidInput

_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_SHORT_CODE: Final = re.compile("[0-9]{3,8}")
_SENDER_ID: Final = re.compile("(?=.*[A-Za-z0-9])[A-Za-z0-9_-]{1,11}")
_SHOWN: Final = re.compile("[!-~]([ -~]*[!-~])?")
_UNKNOWN: Final = 0


def check_identity(type_: str, value: str, country: str) -> None:
    """
    Refuse a country that there is none of, or a value that cannot be of the type and country.

    Raises:
        InvalidInput: Either; `/country` or `/value` is named.
    """
    code = phonenumbers.country_code_for_region(country)
    if code == _UNKNOWN and country not in by_iso():
        raise InvalidInput("/country", "unknown_country", f"there is no country {country} in ISO 3166-1")
    match type_:
        case "SENDER_ID":
            _check(_SENDER_ID, value, "a sender id is 1 to 11 letters, digits, hyphens and underscores")
        case "SHORT_CODE":
            _check(_SHORT_CODE, value, "a short code is 3 to 8 digits")
        case "SHARED":
            _check(_SHOWN, value, "a name of shared routes is of letters, digits and signs")
        case _:
            _check(_E164, value, "a number is + and 7 to 15 digits, like +14155550123")
            _check_number(value, code, country)


def _check(form: re.Pattern[str], value: str, detail: str) -> None:
    if form.fullmatch(value) is None:
        raise InvalidInput("/value", "invalid_value", detail)


def _check_number(value: str, code: int, country: str) -> None:
    if code != _UNKNOWN and not value.startswith(f"+{code}"):
        detail = f"a number of {country} begins with +{code}; this is one of another country"
        raise InvalidInput("/value", "other_country", detail)
    if code != _UNKNOWN and not _is_possible(value):
        raise InvalidInput("/value", "invalid_value", f"no number of {country} has that many digits")


def _is_possible(e164: str) -> bool:
    """By its length; a plan that libphonenumber has not heard of yet is no reason to refuse a number."""
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE
