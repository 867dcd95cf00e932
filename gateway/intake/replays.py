"""What a repeated Idempotency-Key answers: the first answer again, whatever the gates say today."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.db.transaction import tenant_transaction
from gateway.intake.idempotency import look_up
from gateway.intake.outcome import Accepted, Declined
from gateway.messages.keys import DataKeys
from gateway.messages.store import as_accepted, get
from tenants.accounts.sealing import DataKey
from tenants.scope import TenantScope

KEY_MISMATCH = Declined(
    code="idempotency_mismatch",
    detail="this Idempotency-Key was used for another request; use a new key",
)


class Replays:
    """Finds the message behind a key and shows it as its 202 did."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", engine: AsyncEngine, keys: DataKeys) -> None:
        self.pool = pool
        self._engine = engine
        self._keys = keys

    async def of(self, tenant_id: UUID, message_id: UUID, key: DataKey) -> Accepted | Declined:
        """Return the stored acceptance; the message's mode was fixed by the key that sent it."""
        for live in (True, False):
            scope = TenantScope(tenant_id=tenant_id, live=live)
            async with tenant_transaction(self._engine, scope) as session:
                message = await get(scope, session, message_id)
            if message is not None:
                return Accepted(message=as_accepted(message, key), replayed=True)
        return Declined(
            code="idempotency_mismatch", detail="this Idempotency-Key belongs to a message that was erased"
        )

    async def any_stored(self, scope: TenantScope, keys: Sequence[str]) -> bool:
        """Return whether one of the keys was used before."""
        if not keys:
            return False
        async with self.pool.acquire() as connection:
            return bool(await look_up(connection, [(scope.tenant_id, key) for key in keys]))

    async def instead_of(
        self, refusal: Declined, scope: TenantScope, key: str, fingerprint: bytes
    ) -> Accepted | Declined:
        """Return the stored answer to `key` where there is one, else the refusal."""
        async with self.pool.acquire() as connection:
            stored = (await look_up(connection, [(scope.tenant_id, key)])).get((scope.tenant_id, key))
        if stored is None:
            return refusal
        if stored.fingerprint != fingerprint or stored.message_id is None:
            return KEY_MISMATCH
        return await self.of(scope.tenant_id, stored.message_id, await self._keys.of(scope.tenant_id))
