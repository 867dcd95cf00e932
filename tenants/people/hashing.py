"""Secrets of links and browsers, and the keyed hashes under which they are stored."""

import hmac
import secrets
from hashlib import sha256
from typing import Final, Literal

from tenants.accounts.sealing import derive

Purpose = Literal["invitation", "session", "form", "email", "recovery", "brake", "identity"]

_PEPPER: Final = b"tollgate/v1/console"
_SECRET_BYTES: Final = 32


def pepper_from(secret_key: str) -> bytes:
    """Return the key of the console's hashes, from TOLLGATE_SECRET_KEY; derive it once."""
    return derive(secret_key.encode(), _PEPPER)


def new_secret() -> str:
    """Return 256 random bits that may stand in an address."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def keyed_hash(pepper: bytes, purpose: Purpose, text: str) -> bytes:
    """Return an HMAC-SHA256 that is of no use for another purpose."""
    return hmac.digest(pepper, f"{purpose}\0{text}".encode("utf-8", "surrogatepass"), sha256)


def email_hash(pepper: bytes, email: str) -> bytes:
    """Return the hash by which an address is found, however its letters were typed."""
    return keyed_hash(pepper, "email", email.strip().casefold())
