"""The second factor: six digits of RFC 6238, or a recovery code that works once. Pure but for the dice."""

import hmac
import secrets
from datetime import datetime
from typing import Final

from pyotp import random_base32
from pyotp.totp import TOTP

from tenants.people.hashing import keyed_hash

STEP_S: Final = 30
RECOVERY_CODES: Final = 8
_LETTERS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_GROUP: Final = 5
_ISSUER: Final = "Tollgate"


def new_secret() -> str:
    """Return 160 random bits in base 32."""
    return random_base32()


def enrolment_uri(secret: str, *, email: str) -> str:
    """Return the `otpauth:` address that authenticator apps read from a picture."""
    return TOTP(secret).provisioning_uri(name=email, issuer_name=_ISSUER)


def matching_step(secret: str, code: str, *, last_step: int, now: datetime) -> int | None:
    """
    Return the 30 s step whose code this is, or None.

    The steps before and after are taken, for clocks that differ; one that was used is not taken again.
    """
    digits, totp = code.replace(" ", ""), TOTP(secret)
    if not (digits.isascii() and digits.isdigit()):
        return None
    current = int(now.timestamp()) // STEP_S
    for step in (current, current - 1, current + 1):
        if step > last_step and hmac.compare_digest(totp.at(step * STEP_S), digits):
            return step
    return None


def new_recovery_codes() -> list[str]:
    """Return codes of 50 random bits each, to be written down."""
    return ["-".join(_letters() for _ in range(2)) for _ in range(RECOVERY_CODES)]


def recovery_hash(pepper: bytes, code: str) -> str:
    """Return the form in which a recovery code is stored, however it was typed."""
    return keyed_hash(pepper, "recovery", code.upper().replace("-", "").replace(" ", "")).hex()


def _letters() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_GROUP))
