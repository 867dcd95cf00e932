"""
What each kind of sender can do where, and how long it takes to get. Pure data and look-ups.

Lead times are AWS's words in calendar days: toll-free review up to 15 business days; a US short code six
weeks and more at the carriers, weeks to months in all; India's sender ids within a week, Vietnam's six weeks
and more. They are no promise: queues are first in, first out, and each resubmission goes to the back.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from msgspec import Struct

from tenants.countries.facts import Country

Kind = Literal["SHORT_CODE", "TEN_DLC", "LONG_CODE", "SENDER_ID", "TOLL_FREE", "SHARED"]
"""In AWS's order of a pool's choice."""
KINDS: Final[tuple[Kind, ...]] = ("SHORT_CODE", "TEN_DLC", "LONG_CODE", "SENDER_ID", "TOLL_FREE", "SHARED")

UNITED_STATES: Final = "US"
_NORTH_AMERICA: Final = frozenset({"US", "CA"})
_US_NETWORKS: Final = frozenset({"US", "PR"})
_INBOUND_ONLY: Final = frozenset({"IN", "SA"})
_NO_SHARED: Final = frozenset({"US", "CN"})
_TRANSACTIONAL_ONLY: Final = frozenset({"JO"})
_REGISTERED_IDS: Final = frozenset({"PH", "QA"})
"""Mandatory there whatever the table says of the country."""


class LeadTime(Struct, frozen=True, kw_only=True):
    """Calendar days from a complete application to a sender that may send."""

    days_at_least: int
    days_at_most: int | None
    """Null where nobody names an end."""
    steps: list[str]
    """What has to happen, in order."""


_AT_ONCE: Final = LeadTime(days_at_least=0, days_at_most=1, steps=["request"])
_REGISTERED: Final = LeadTime(
    days_at_least=7, days_at_most=None, steps=["registration", "review by the country's carriers"]
)
_OF_SENDER_IDS: Final[Mapping[str, LeadTime]] = MappingProxyType(
    {
        "IN": LeadTime(
            days_at_least=1,
            days_at_most=7,
            steps=["entity and templates in the DLT registry", "registration", "review"],
        ),
        "VN": LeadTime(days_at_least=42, days_at_most=None, steps=["registration", "review by the carriers"]),
    }
)
_TOLL_FREE: Final = LeadTime(
    days_at_least=1, days_at_most=21, steps=["number", "registration", "review, up to 15 business days"]
)
_TEN_DLC: Final = LeadTime(
    days_at_least=3,
    days_at_most=28,
    steps=["brand", "vetting", "campaign", "review by the carriers", "number", "association"],
)
_SHORT_CODE: Final = LeadTime(
    days_at_least=56, days_at_most=None, steps=["application", "review", "provisioning at each carrier"]
)


def lead_time(kind: Kind, country: Country) -> LeadTime:
    """Return how long it takes from a complete application on."""
    match kind:
        case "SHORT_CODE":
            return _SHORT_CODE
        case "TEN_DLC":
            return _TEN_DLC
        case "TOLL_FREE":
            return _TOLL_FREE
        case "SENDER_ID":
            usual = _REGISTERED if is_registered(kind, country) else _AT_ONCE
            return _OF_SENDER_IDS.get(country.iso, usual)
        case _:
            return _AT_ONCE


def is_registered(kind: Kind, country: Country) -> bool:
    """Return whether nothing may leave before a registration is complete."""
    if kind == "SENDER_ID":
        return country.sender_id == "registration" or country.iso in _REGISTERED_IDS
    return kind in {"SHORT_CODE", "TEN_DLC"} or (kind == "TOLL_FREE" and country.iso in _US_NETWORKS)


def unavailable(kind: Kind, country: Country) -> str | None:  # noqa: PLR0911 - a table of reasons
    """Return why there is no such sender in the country; None where there is."""
    where = country.name
    match kind:
        case "SHORT_CODE" if not country.short_code:
            return f"AWS has no short codes for {where}"
        case "TEN_DLC" if country.iso not in _US_NETWORKS:
            return "10DLC is for the United States and its territories"
        case "TOLL_FREE" if country.iso not in _NORTH_AMERICA | _US_NETWORKS:
            return "toll-free numbers reach the United States and Canada"
        case "LONG_CODE" if country.iso in _US_NETWORKS:
            return "a long code to the United States has to be a 10DLC number"
        case "LONG_CODE" if country.iso in _INBOUND_ONLY:
            return f"long codes of {where} only receive; keep one as the way to opt out"
        case "LONG_CODE" if not country.long_code:
            return f"AWS has no long codes for {where}"
        case "SENDER_ID" if country.sender_id == "no":
            return f"{where} shows no sender ids"
        case "SHARED" if country.iso in _NO_SHARED | _US_NETWORKS:
            return f"there are no shared routes to {where}"
        case _:
            return None


def transactional_only(country: Country) -> bool:
    """Return whether the country takes no promotional texts."""
    return country.iso in _TRANSACTIONAL_ONLY


def receives(kind: Kind, country: Country) -> bool:
    """Return whether answers to such a sender come back."""
    if kind in {"SENDER_ID", "SHARED"}:
        return False
    return bool(country.two_way) or country.iso in _NORTH_AMERICA


def carries_mms(kind: Kind, country: Country) -> bool:
    """Return whether it sends MMS: US 10DLC, toll-free and short codes, Canadian long and short codes."""
    if country.iso == UNITED_STATES:
        return kind in {"TEN_DLC", "TOLL_FREE", "SHORT_CODE"}
    return country.iso == "CA" and kind in {"LONG_CODE", "SHORT_CODE"}


def makes_calls(kind: Kind) -> bool:
    """Return whether it has a voice: numbers do, short codes and names do not."""
    return kind in {"TEN_DLC", "TOLL_FREE", "LONG_CODE"}
