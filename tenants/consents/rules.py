"""
What a consent is made of, and how it moves. Pure.

    (none) ──asked──▶ pending ──confirmed──▶ granted ──withdrawn──▶ withdrawn
       └──────────────granted──────────────▶ granted                  │
    a pending one lapses after 24 h, and a STOP ends it; a withdrawn one can be asked for or granted again

A consent holds for one use case of one tenant: it covers no other one, and never moves to another tenant.
"""

import re
from datetime import datetime, timedelta
from typing import Final, Literal

from tenants.errors import InvalidInput
from tenants.instants import named_instant

Method = Literal["web", "widget", "keyword", "verbal", "paper", "api", "import"]
"""How a person agreed; `api` is a form of the tenant's own, `import` another system's record."""
MessageType = Literal["otp", "transactional", "promotional"]
State = Literal["pending", "granted", "withdrawn"]
Event = Literal["asked", "granted", "confirmed", "withdrawn"]
AFTER: Final[dict[Event, State]] = {
    "asked": "pending",
    "granted": "granted",
    "confirmed": "granted",
    "withdrawn": "withdrawn",
}
CONFIRM_WITHIN: Final = timedelta(hours=24)
"""How long a double opt-in waits for the phone's answer."""
MOST_AHEAD: Final = timedelta(minutes=5)
"""Clocks differ; a consent of the future is a mistake."""
_USE_CASE: Final = re.compile("[a-z0-9_-]{1,40}")


def check_use_case(name: str) -> str:
    """
    Return the name of a use case, such as `marketing` or `appointment_reminder`.

    Raises:
        InvalidInput: It is not 1 to 40 of `a-z`, `0-9`, `_` and `-`.
    """
    if _USE_CASE.fullmatch(name) is None:
        raise InvalidInput(
            "/use_case", "invalid_use_case", "a use case is named with 1 to 40 of a-z, 0-9, _ and -"
        )
    return name


def check_given_at(at: datetime, now: datetime) -> datetime:
    """
    Return when a consent was given.

    Raises:
        InvalidInput: It breaks the rule of `named_instant`, or lies in the future.
    """
    at = named_instant(at, "/given_at")
    if at > now + MOST_AHEAD:
        raise InvalidInput("/given_at", "in_the_future", "a consent cannot have been given in the future")
    return at


def lapsed(state: str, closes_at: datetime | None, now: datetime) -> bool:
    """Return whether a double opt-in was not confirmed in time."""
    return state == "pending" and closes_at is not None and closes_at <= now
