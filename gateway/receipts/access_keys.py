"""
Access keys of Firehose streams.

    tgfh_ 01K3ZQ4V7N8R9T0W2Y4A6C8E0G <43 characters of secret>

The id inside finds the row; the secret is 256 random bits, of which only the HMAC is stored. An account may
have several keys at once, so that a new one can be set in AWS before the old one is revoked.
"""

import asyncio
import hmac
import secrets
import time
from typing import Final
from uuid import UUID

import asyncpg
from msgspec import Struct

from tenants.access.tokens import secret_hash
from tenants.errors import InvalidId
from tenants.ids import decode, encode, new_uuid

_PREFIX: Final = "tgfh_"
_ID_LENGTH: Final = 26
_SECRET_BYTES: Final = 32
_HINT_LENGTH: Final = 4
_MAX_TOKEN: Final = 128
_MAX_AGE_S: Final = 5.0
"""How soon a revoked key is refused everywhere."""
_MIN_AGE_S: Final = 0.5
_NO_SUCH_KEY: Final = bytes(32)
_READ: Final = """
    SELECT k.id, k.secret_hash, a.owner_id FROM firehose_keys k JOIN aws_accounts a ON a.id = k.account_id
    WHERE k.revoked_at IS NULL
"""


class NewAccessKey(Struct, frozen=True, kw_only=True):
    """A key at its birth: the only moment at which `token` exists outside AWS."""

    id: UUID
    token: str
    secret_hash: bytes
    hint: str

    def __repr__(self) -> str:
        """Leave the token out, so that no log can hold it by accident."""
        return f"NewAccessKey(id={self.id}, hint={self.hint!r})"


def mint(pepper: bytes) -> NewAccessKey:
    """Return a fresh key; the caller shows `token` once and stores the rest."""
    key_id, secret = new_uuid(), secrets.token_urlsafe(_SECRET_BYTES)
    token = f"{_PREFIX}{encode('fhk', key_id).partition('_')[2]}{secret}"
    return NewAccessKey(
        id=key_id, token=token, secret_hash=secret_hash(pepper, secret), hint=token[-_HINT_LENGTH:]
    )


def read_token(token: str) -> tuple[UUID, str] | None:
    """Return the id and the secret that a token claims, or None for text of another form."""
    if not token.startswith(_PREFIX) or len(token) > _MAX_TOKEN or not token.isascii():
        return None
    start = len(_PREFIX)
    digits, secret = token[start : start + _ID_LENGTH], token[start + _ID_LENGTH :]
    try:
        return decode("fhk", f"fhk_{digits}"), secret
    except InvalidId:
        return None


class AccessKeys:
    """The keys that are good now, read again every few seconds."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", *, pepper: bytes) -> None:
        self._pool = pool
        self._pepper = pepper
        self._hashes: dict[UUID, bytes] = {}
        self._owners: dict[UUID, UUID | None] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def admits(self, token: str) -> bool:
        """
        Whether a token is that of a key in force; compared in constant time, an unknown id like a known one.

        Raises:
            gateway.db.faults.DATABASE_FAULTS: The keys could not be read.
        """
        claim = read_token(token)
        key_id, secret = claim or (None, "")
        await self._refresh(is_known=key_id in self._hashes)
        expected = _NO_SUCH_KEY if key_id is None else self._hashes.get(key_id, _NO_SUCH_KEY)
        return hmac.compare_digest(secret_hash(self._pepper, secret), expected)

    def owner_of(self, token: str) -> UUID | None:
        """Return the tenant whose own account a key that was admitted is of; None for the operator's."""
        claim = read_token(token)
        return None if claim is None else self._owners.get(claim[0])

    async def _refresh(self, *, is_known: bool) -> None:
        limit = _MAX_AGE_S if is_known else _MIN_AGE_S
        if time.monotonic() - self._read_at < limit:
            return
        async with self._reading:
            if time.monotonic() - self._read_at < limit:
                return
            rows = await self._pool.fetch(_READ)
            self._hashes = {row["id"]: row["secret_hash"] for row in rows}
            self._owners = {row["id"]: row["owner_id"] for row in rows}
            self._read_at = time.monotonic()
