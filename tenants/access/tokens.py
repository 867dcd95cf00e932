"""
The form of an API key. Pure but for the dice.

    tg_live_ 01K3ZQ4V7N8R9T0W2Y4A6C8E0G <43 characters of secret> <6 characters of checksum>

The id inside finds the row without a scan, the secret is 256 random bits in base 62, and the CRC-32 lets a
secret scanner, and us, tell a key from noise without asking Postgres. Only the HMAC of the secret is stored.
"""

import hmac
import secrets
import zlib
from hashlib import sha256
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct

from tenants.accounts.sealing import derive
from tenants.errors import InvalidId
from tenants.ids import decode, encode, new_uuid

Mode = Literal["live", "test"]

_BASE62: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BASE62_SET: Final = frozenset(_BASE62)
_PREFIXES: Final[dict[str, Mode]] = {"tg_live_": "live", "tg_test_": "test"}
_PREFIX_LENGTH: Final = 8
_ID_LENGTH: Final = 26
_SECRET_LENGTH: Final = 43
"""62^43 is just above 2^256."""
_CHECKSUM_LENGTH: Final = 6
_TOKEN_LENGTH: Final = _PREFIX_LENGTH + _ID_LENGTH + _SECRET_LENGTH + _CHECKSUM_LENGTH
_HINT_LENGTH: Final = 4
_PEPPER: Final = b"tollgate/v1/api-key-pepper"


class NewToken(Struct, frozen=True, kw_only=True):
    """A key at its birth: the only moment at which `token` exists outside its owner's hands."""

    key_id: UUID
    token: str
    secret_hash: bytes
    hint: str

    def __repr__(self) -> str:
        """Leave the token out, so that no log can hold it by accident."""
        return f"NewToken(key_id={self.key_id}, hint={self.hint!r})"


class TokenParts(Struct, frozen=True, kw_only=True):
    """What a well-formed token claims; nothing here is proven yet, the mode least of all."""

    mode: Mode
    key_id: UUID
    secret: str

    def __repr__(self) -> str:
        """Leave the secret out, so that no log can hold it by accident."""
        return f"TokenParts(mode={self.mode!r}, key_id={self.key_id})"


def pepper_from(secret_key: str) -> bytes:
    """Return the key of every secret's HMAC, from the operator's TOLLGATE_SECRET_KEY; derive it once."""
    return derive(secret_key.encode(), _PEPPER)


def mint(mode: Mode, *, pepper: bytes) -> NewToken:
    """Return a fresh key; the caller shows `token` once and stores the rest."""
    key_id = new_uuid()
    secret = "".join(secrets.choice(_BASE62) for _ in range(_SECRET_LENGTH))
    unchecked = f"tg_{mode}_{_id_text(key_id)}{secret}"
    token = unchecked + _checksum(unchecked)
    return NewToken(
        key_id=key_id, token=token, secret_hash=secret_hash(pepper, secret), hint=token[-_HINT_LENGTH:]
    )


def is_tenants(token: str) -> bool:
    """Return whether a text begins as tenants' keys do; whether there is such a key is not looked at."""
    return token[:_PREFIX_LENGTH] in _PREFIXES


def read_token(token: str) -> TokenParts | None:
    """Return what a token claims, or None for text that was never minted; the checksum is looked at first."""
    mode = _PREFIXES.get(token[:_PREFIX_LENGTH])
    if mode is None or len(token) != _TOKEN_LENGTH or not token.isascii():
        return None
    if _checksum(token[:-_CHECKSUM_LENGTH]) != token[-_CHECKSUM_LENGTH:]:
        return None
    id_text = token[_PREFIX_LENGTH : _PREFIX_LENGTH + _ID_LENGTH]
    secret = token[_PREFIX_LENGTH + _ID_LENGTH : -_CHECKSUM_LENGTH]
    key_id = _canonical_id(id_text)
    if key_id is None or not _BASE62_SET.issuperset(secret):
        return None
    return TokenParts(mode=mode, key_id=key_id, secret=secret)


def secret_hash(pepper: bytes, secret: str) -> bytes:
    """Return the HMAC-SHA256 under which a secret is stored."""
    return hmac.digest(pepper, secret.encode(), sha256)


def _id_text(key_id: UUID) -> str:
    return encode("key", key_id).removeprefix("key_")


def _canonical_id(text: str) -> UUID | None:
    """Return the id, or None also for its lower-case spelling: a key has one spelling."""
    try:
        key_id = decode("key", f"key_{text}")
    except InvalidId:
        return None
    return key_id if _id_text(key_id) == text else None


def _checksum(text: str) -> str:
    rest = zlib.crc32(text.encode())
    digits: list[str] = []
    for _ in range(_CHECKSUM_LENGTH):
        rest, digit = divmod(rest, 62)
        digits.append(_BASE62[digit])
    return "".join(reversed(digits))
