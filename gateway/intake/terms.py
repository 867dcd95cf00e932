"""
Brings changed quotas and plans to what is queued already.

The lanes keep the rates that the newest push brought. A quota that changes while nothing is sent would not
reach them, so somebody follows the policy notices and tells the lanes. Now and then every tenant with queued
messages is followed, for notices that nobody heard and lanes that were rebuilt from older entries.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from itertools import product
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from gateway.db.engine import connect
from gateway.db.faults import DATABASE_FAULTS
from gateway.intake.notices import POLICY_CHANNEL
from gateway.intake.snapshot import TenantSnapshot
from gateway.lanes.entry import LaneTerms
from gateway.lanes.errors import RedisUnavailable
from gateway.lanes.lanes import Lanes
from gateway.routing.facts import SenderFact
from gateway.routing.lanes import channel_gates, lane_identity
from tenants.errors import NotFound
from tenants.ids import encode

_log = structlog.get_logger(__name__)

_RECONNECT_S = 1.0
_CHECK_EVERY_S = 1.0
_AGAIN_S = 1.0
"""After which a tenant that could not be read is tried again."""
_WAITING = "SELECT DISTINCT tenant_id FROM dispatch_queue WHERE state IN ('queued', 'scheduled')"


def terms_of(snapshot: TenantSnapshot) -> Iterator[LaneTerms]:
    """Yield what holds for each channel the tenant could have messages in."""
    for sender in snapshot.routing.senders.values():
        for channel, country in product(sorted(sender.channels), sorted(_countries(snapshot, sender))):
            gates = channel_gates(sender, channel)
            yield LaneTerms(
                route=encode("acc", sender.account_id),
                identity=lane_identity(sender.identity, channel),
                country=country,
                tenant_id=snapshot.tenant_id,
                identity_rate=gates.rate(country),
                weight=snapshot.plan.weight,
                tenant_rate=snapshot.plan.mps(country),
                shared_gates=gates.shared,
                daily_caps=gates.daily,
                version=snapshot.version,
            )


def _countries(snapshot: TenantSnapshot, sender: SenderFact) -> set[str]:
    """A sender serves its own country; AWS's shared routes serve all."""
    return set(snapshot.countries) if sender.type == "SHARED" else {sender.country}


class TermsFollower:
    """One per scheduler; several do the same work twice and no harm."""

    def __init__(
        self,
        database_url: str,
        pool: "asyncpg.Pool[asyncpg.Record]",
        lanes: Lanes,
        read: Callable[[UUID], Awaitable[TenantSnapshot]],
    ) -> None:
        self._database_url = database_url
        self._pool = pool
        self._lanes = lanes
        self._read = read
        self._changed: set[UUID] = set()
        self._woken = asyncio.Event()

    async def run(self) -> None:
        """Listen and follow until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            tasks.create_task(self._follow_changes())

    async def follow_all(self) -> int:
        """
        Tell the lanes what holds for every tenant with messages in them; returns how many tenants.

        Raises:
            OSError, asyncpg.PostgresError: Postgres is away; the round comes again.
        """
        rows = await self._pool.fetch(_WAITING)
        for row in rows:
            await self._follow_apart(row["tenant_id"])
        return len(rows)

    async def follow(self, tenant_id: UUID) -> None:
        """Tell the lanes what holds for one tenant now."""
        try:
            await self._lanes.agree(list(terms_of(await self._read(tenant_id))))
        except NotFound:
            _log.info("terms_of_absent_tenant", tenant_id=str(tenant_id))
        except RedisUnavailable as error:
            _log.warning("terms_not_told", tenant_id=str(tenant_id), error=str(error))

    async def _follow_changes(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            changed, self._changed = self._changed, set()
            unread = [tenant_id for tenant_id in changed if not await self._was_read(tenant_id)]
            if unread:
                await asyncio.sleep(_AGAIN_S)
                self._changed.update(unread)
                self._woken.set()

    async def _was_read(self, tenant_id: UUID) -> bool:
        try:
            await self._follow_apart(tenant_id)
        except DATABASE_FAULTS as error:
            _log.warning("terms_not_read", tenant_id=str(tenant_id), error=str(error))
            return False
        return True

    async def _follow_apart(self, tenant_id: UUID) -> None:
        """Let what nobody foresaw of one tenant be no other's trouble; the round looks at it again."""
        try:
            await self.follow(tenant_id)
        except DATABASE_FAULTS:
            raise
        except Exception:  # noqa: BLE001 - one tenant's terms must not keep the others' from the lanes; logged
            _log.exception("terms_broken", tenant_id=str(tenant_id))

    async def _listen(self) -> None:
        while True:
            try:
                await self._heard()
            except DATABASE_FAULTS as error:
                _log.warning("terms_listener_lost", error=str(error))
            await asyncio.sleep(_RECONNECT_S)

    async def _heard(self) -> None:
        """LISTEN needs a connection of its own, which a transaction pooler must not share."""
        connection = await connect(self._database_url, "worker")
        try:
            await connection.add_listener(POLICY_CHANNEL, self._noticed)
            self._changed.update([row["tenant_id"] for row in await connection.fetch(_WAITING)])
            self._woken.set()  # their notices may have come while nobody listened
            while not connection.is_closed():
                await connection.fetchval("SELECT 1", timeout=5)
                await asyncio.sleep(_CHECK_EVERY_S)
        finally:
            await connection.close(timeout=1)

    def _noticed(self, _connection: Any, _pid: int, _channel: str, payload: Any) -> None:
        self._changed.add(UUID(payload))
        self._woken.set()
