"""Which sender ids carriers take (F-SID-VAL). Pure; the stricter of AWS's statements."""

import re
from typing import Final

from msgspec import Struct

_FORM: Final = re.compile(r"[A-Za-z0-9-]{3,11}")
_INDIA: Final = re.compile(r"[A-Za-z0-9]{6}")
_NO_BRAND: Final = frozenset(
    {
        "OTP",
        "CODE",
        "SMS",
        "INFO",
        "ALERT",
        "ALERTS",
        "NOTICE",
        "VERIFY",
        "TEST",
        "PROMO",
        "MSG",
        "MESSAGE",
        "AUTH",
        "2FA",
    }
)


class SenderIdRefused(Struct, frozen=True, kw_only=True):
    """Why a sender id is not taken."""

    code: str
    detail: str
    fix: str


def refusal_of(sender_id: str, country: str) -> SenderIdRefused | None:
    """
    Return what is wrong with a sender id in a country, or None.

    3 to 11 letters, digits and hyphens with a letter among them and no hyphen at either end; India exactly
    six; registered ones (Jordan) without hyphens; a brand, not a bare word such as OTP.
    """
    if _FORM.fullmatch(sender_id) is None:
        return _refused(
            "sender_id_form", "3 to 11 letters, digits and hyphens", "shorten it, leave signs out"
        )
    if not any(letter.isalpha() for letter in sender_id):
        return _refused("sender_id_numeric", "a sender id has a letter", "add the brand")
    if sender_id.startswith("-") or sender_id.endswith("-"):
        return _refused("sender_id_form", "a hyphen stands inside", "take it off the end")
    return _of_country(sender_id, country) or _without_brand(sender_id)


def _of_country(sender_id: str, country: str) -> SenderIdRefused | None:
    if country == "IN" and _INDIA.fullmatch(sender_id) is None:
        return _refused("sender_id_india", "India takes exactly six letters or digits", "choose six")
    if country == "JO" and "-" in sender_id:
        return _refused("sender_id_form", "Jordan takes letters and digits only", "leave the hyphen out")
    return None


def _without_brand(sender_id: str) -> SenderIdRefused | None:
    if sender_id.upper() not in _NO_BRAND:
        return None
    fix = f"such as ANYCO-{sender_id.upper()}"
    return _refused("sender_id_no_brand", "it says what is sent and not who sends it", fix)


def _refused(code: str, detail: str, fix: str) -> SenderIdRefused:
    return SenderIdRefused(code=code, detail=detail, fix=fix)
