"""What bounds the guessing and sending of codes. Pure."""

import secrets
from datetime import datetime, timedelta
from typing import Final

from tenants.verification.models import VerifiedNumber

CODE_LIVES: Final = timedelta(minutes=15)
MOST_ATTEMPTS: Final = 5
"""Guesses at one code: with six digits the last one hits by chance once in 200,000 codes."""
MOST_CODES: Final = 5
"""Codes for one number in a day; each costs money and rings somebody's phone."""
CODES_DAY: Final = timedelta(days=1)
MOST_NUMBERS: Final = 100
"""Of a tenant, for live keys and for test keys each; AWS allows an account in its sandbox ten."""
_DIGITS: Final = 6


def new_code() -> str:
    """Return six random digits."""
    return f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}d}"


def may_send_code_at(row: VerifiedNumber, now: datetime) -> datetime | None:
    """Return when another code may be sent; None for now."""
    since = row.codes_since
    if since is None or now >= since + CODES_DAY or row.codes_sent < MOST_CODES:
        return None
    return since + CODES_DAY


def closed_because(row: VerifiedNumber, now: datetime) -> str | None:
    """Return why no guess counts any more, as a sentence; None while one does."""
    if row.code_expires_at is None or now >= row.code_expires_at:
        return "the code has expired; ask for another one"
    if row.attempts >= MOST_ATTEMPTS:
        return f"{MOST_ATTEMPTS} wrong codes were given; ask for another one"
    return None
