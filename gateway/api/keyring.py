"""
Recently seen API keys, so that a send costs no query to learn who speaks.

A row is trusted for four seconds, so a revocation is seen everywhere in under five. Unknown ids are kept,
too, or a flood of made-up keys would be a flood of queries. A token once proven is found again by its
SHA-256: the hash of a secret cannot be steered towards a stored one, so the look-up gives nothing away.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Final, Literal, TypeVar
from uuid import UUID

from msgspec import Struct

from gateway.clock import Clock
from tenants.access.credential import Denied, Granted, StoredKey, judge
from tenants.access.tokens import read_token

TRUSTED_FOR_S: Final = 4.0
UNKNOWN_FOR_S: Final = 2.0
MOST_KEPT: Final = 20_000

_K = TypeVar("_K")
_V = TypeVar("_V")

LookUp = Callable[[UUID], Awaitable[StoredKey | None]]


class NotAToken(Struct, frozen=True, tag="not_a_token"):
    """The text was never minted by anyone; no look-up was made."""

    reason: Literal["malformed"] = "malformed"


class _Row(Struct, frozen=True):
    stored: StoredKey | None
    until: float
    """Monotonic seconds."""


class _Proven(Struct, frozen=True):
    granted: Granted
    until: float


class Keyring:
    """Judges bearer tokens of tenants; one per process."""

    def __init__(
        self,
        look_up: LookUp,
        *,
        pepper: bytes,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look_up = look_up
        self._pepper = pepper
        self._clock = clock
        self._monotonic = monotonic
        self._rows: dict[UUID, _Row] = {}
        self._proven: dict[bytes, _Proven] = {}
        self._under_way: dict[UUID, asyncio.Task[_Row]] = {}

    async def judge(self, token: str) -> Granted | Denied | NotAToken:
        """Return who speaks with `token`, or why nobody does."""
        raw = token.encode("utf-8", "surrogateescape")
        granted = self.proven(raw)
        if granted is not None:
            return granted
        parts = read_token(token)
        if parts is None:
            return NotAToken()
        row = await self._row(parts.key_id)
        verdict = judge(parts, row.stored, pepper=self._pepper, now=self._clock.now())
        if isinstance(verdict, Granted):
            _keep(self._proven, sha256(raw).digest(), _Proven(verdict, self._proof_until(row)))
        return verdict

    def proven(self, token: bytes) -> Granted | None:
        """Return who speaks with a token that was judged moments ago; None says nothing about it."""
        proven = self._proven.get(sha256(token).digest())
        return proven.granted if proven is not None and self._monotonic() < proven.until else None

    def forget(self, key_id: UUID) -> None:
        """Ask Postgres again at the key's next use; for the process that revoked it."""
        self._rows.pop(key_id, None)
        for digest in [d for d, proven in self._proven.items() if proven.granted.scope.key_id == key_id]:
            del self._proven[digest]

    def _proof_until(self, row: _Row) -> float:
        """A proof lives no longer than the row it rests on, and not beyond the key's own end."""
        expires_at = None if row.stored is None else row.stored.expires_at
        if expires_at is None:
            return row.until
        left_s = (expires_at - self._clock.now()).total_seconds()
        return min(row.until, self._monotonic() + left_s)

    async def _row(self, key_id: UUID) -> _Row:
        row = self._rows.get(key_id)
        if row is not None and self._monotonic() < row.until:
            return row
        task = self._under_way.get(key_id)
        if task is None:
            task = self._under_way[key_id] = asyncio.create_task(self._read(key_id))
            task.add_done_callback(lambda done: self._read_done(key_id, done))
        return await asyncio.shield(task)

    async def _read(self, key_id: UUID) -> _Row:
        asked_at = self._monotonic()
        stored = await self._look_up(key_id)
        kept_for_s = UNKNOWN_FOR_S if stored is None else TRUSTED_FOR_S
        row = _Row(stored, asked_at + kept_for_s)
        _keep(self._rows, key_id, row)
        return row

    def _read_done(self, key_id: UUID, task: asyncio.Task[_Row]) -> None:
        """Mark a failure as seen: those who wait get it, and where nobody waits it is no news."""
        del self._under_way[key_id]
        if not task.cancelled():
            task.exception()


def _keep(kept: dict[_K, _V], key: _K, value: _V) -> None:
    """Add to a bounded map; the oldest entry makes room."""
    kept.pop(key, None)
    if len(kept) >= MOST_KEPT:
        del kept[next(iter(kept))]
    kept[key] = value
