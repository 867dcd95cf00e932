"""Tenants' data keys, unwrapped once per process and kept in memory only."""

from typing import Any, Final
from uuid import UUID

import asyncpg

from tenants.accounts.sealing import DataKey, derive, unwrap
from tenants.errors import NotFound
from tenants.inbox.service import PLATFORM

_PLATFORM_PURPOSE: Final = b"tollgate/v1/platform"
"""The operator has no row with a key: what is sealed for it follows from the configured secret."""


class DataKeys:
    """Opens what is sealed for a tenant; a bounded cache in front of one small query."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", secret_key: str, *, most: int = 20_000) -> None:
        self._pool = pool
        self._secret_key = secret_key
        self._most = most
        self._keys: dict[UUID, DataKey] = {}
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
        if (key := self._keys.get(tenant_id)) is None:
            wrapped: Any = await self._pool.fetchval("SELECT data_key FROM tenants WHERE id = $1", tenant_id)
            if wrapped is None:
                raise NotFound("tenant")
            if len(self._keys) >= self._most:
                self._keys.clear()
            key = self._keys[tenant_id] = unwrap(wrapped, self._secret_key)
        return key


def number_context(message_id: UUID) -> bytes:
    """Return what binds a sealed recipient to its message."""
    return b"to:" + message_id.bytes


def body_context(message_id: UUID) -> bytes:
    """Return what binds a sealed body to its message."""
    return b"body:" + message_id.bytes
