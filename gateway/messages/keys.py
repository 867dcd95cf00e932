"""Tenants' data keys, unwrapped once per process and kept in memory only."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

import asyncpg

from tenants.accounts.sealing import DataKey, derive, unwrap
from tenants.errors import NotFound
from tenants.inbox.service import PLATFORM

_PLATFORM_PURPOSE: Final = b"tollgate/v1/platform"
"""The operator has no row with a key: what is sealed for it follows from the configured secret."""

TRUSTED_FOR_S: Final = 60.0
"""So long at most a process opens what is sealed for a tenant after that was erased."""


_READ: Final = "SELECT id, data_key FROM tenants WHERE id = ANY($1)"


class DataKeys:
    """
    Opens what is sealed for a tenant; a bounded cache in front of one small query.

    Keys asked for in one turn of the event loop, as those of a claim's messages are, share the query.
    """

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        secret_key: str,
        *,
        most: int = 20_000,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = pool
        self._secret_key = secret_key
        self._most = most
        self._monotonic = monotonic
        self._keys: dict[UUID, tuple[DataKey, float]] = {}
        """Each with the moment until which it is trusted, in monotonic seconds."""
        self._asked: dict[UUID, asyncio.Future[DataKey]] = {}
        self._reading: set[asyncio.Task[None]] = set()
        self._platform = DataKey(derive(secret_key.encode(), _PLATFORM_PURPOSE))

    async def of(self, tenant_id: UUID) -> DataKey:
        """
        Return the tenant's key; of `PLATFORM`, the operator's own.

        Raises:
            NotFound: There is no such tenant.
            KeyUnwrapFailed: The configured secret key is not the one that wrapped it.
        """
        if tenant_id == PLATFORM:
            return self._platform
        known = self._keys.get(tenant_id)
        if known is not None and self._monotonic() < known[1]:
            return known[0]
        return await self._read(tenant_id)

    def forget(self, tenant_id: UUID) -> None:
        """Ask Postgres again; for the process that erases the tenant."""
        self._keys.pop(tenant_id, None)

    async def _read(self, tenant_id: UUID) -> DataKey:
        answer = self._asked.get(tenant_id)
        if answer is None:
            if not self._asked:
                reading = asyncio.create_task(self._read_asked())
                self._reading.add(reading)
                reading.add_done_callback(self._reading.discard)
            answer = self._asked[tenant_id] = asyncio.get_running_loop().create_future()
        return await asyncio.shield(answer)

    async def _read_asked(self) -> None:
        """Answer all who have asked by the time this task begins, each by itself."""
        asked, self._asked = self._asked, {}
        try:
            rows: Any = await self._pool.fetch(_READ, list(asked))
        except Exception as error:  # noqa: BLE001 - as below, of all of them
            for answer in asked.values():
                _fail(answer, error)
            return
        wrapped: Mapping[UUID, bytes] = {row["id"]: row["data_key"] for row in rows}
        for tenant_id, answer in asked.items():
            try:
                answer.set_result(self._kept(tenant_id, wrapped.get(tenant_id)))
            except Exception as error:  # noqa: BLE001 - it is the answer to whoever asked for this one
                _fail(answer, error)

    def _kept(self, tenant_id: UUID, wrapped: bytes | None) -> DataKey:
        if wrapped is None:
            raise NotFound("tenant")
        if len(self._keys) >= self._most:
            self._keys.clear()
        key = unwrap(wrapped, self._secret_key)
        self._keys[tenant_id] = (key, self._monotonic() + TRUSTED_FOR_S)
        return key


def _fail(answer: asyncio.Future[DataKey], error: Exception) -> None:
    """Tell whoever asked; if nobody waits any more, that is no fault."""
    answer.set_exception(error)
    answer.exception()


def number_context(message_id: UUID) -> bytes:
    """Return what binds a sealed recipient to its message."""
    return b"to:" + message_id.bytes


def body_context(message_id: UUID) -> bytes:
    """Return what binds a sealed body to its message."""
    return b"body:" + message_id.bytes
