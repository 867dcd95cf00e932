"""Tenants' data keys, unwrapped once per process and kept in memory only."""

import time
from collections.abc import Callable
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


class DataKeys:
    """Opens what is sealed for a tenant; a bounded cache in front of one small query."""

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
        wrapped: Any = await self._pool.fetchval("SELECT data_key FROM tenants WHERE id = $1", tenant_id)
        if wrapped is None:
            raise NotFound("tenant")
        if len(self._keys) >= self._most:
            self._keys.clear()
        key = unwrap(wrapped, self._secret_key)
        self._keys[tenant_id] = (key, self._monotonic() + TRUSTED_FOR_S)
        return key


def number_context(message_id: UUID) -> bytes:
    """Return what binds a sealed recipient to its message."""
    return b"to:" + message_id.bytes


def body_context(message_id: UUID) -> bytes:
    """Return what binds a sealed body to its message."""
    return b"body:" + message_id.bytes
