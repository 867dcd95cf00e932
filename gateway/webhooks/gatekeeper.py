"""Lets deliveries past their endpoints' circuits, holds those that must wait, and fetches them in turn."""

import time
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import asyncpg
from msgspec import structs

from gateway.clock import Clock
from gateway.webhooks import gates
from gateway.webhooks.circuit import is_paused, wants_probe
from gateway.webhooks.due import LEASE, DueDelivery, hold, lease_held
from gateway.webhooks.endpoint_health import health_of
from gateway.webhooks.places import Places
from tenants.tables import HotConnection

_LOOK_S = 1.0
"""Between two looks for endpoints whose pause is over; one that is being served is looked at in between."""


class Gatekeeper:
    """What one sender knows of endpoints that hold their deliveries; the truth is in Postgres."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._served: set[UUID] = set()
        """Endpoints whose held deliveries are being posted here."""
        self._look_at = 0.0

    def serves(self, endpoint: UUID) -> bool:
        """Return whether more of an endpoint's deliveries may be waiting to be fetched."""
        return endpoint in self._served

    async def sort(
        self, connection: HotConnection, due: Sequence[DueDelivery]
    ) -> tuple[list[DueDelivery], list[DueDelivery]]:
        """Split what was leased into what may be posted and what meets an open circuit."""
        now = self._clock.now()
        known = {each.endpoint.id: health_of(each.endpoint) for each in due}
        half_open = [endpoint for endpoint, health in known.items() if wants_probe(health, now=now)]
        claimed = await gates.claim_probes(connection, half_open, now=now, until=now + LEASE)
        shut_endpoints = {endpoint for endpoint, health in known.items() if is_paused(health, now=now)} | set(
            half_open
        )
        let_in: list[DueDelivery] = []
        shut: list[DueDelivery] = []
        for delivery in due:
            endpoint = delivery.endpoint.id
            if endpoint in claimed:
                claimed.discard(endpoint)
                let_in.append(structs.replace(delivery, is_probe=True))
            else:
                (shut if endpoint in shut_endpoints else let_in).append(delivery)
        return let_in, shut

    async def hold(self, connection: HotConnection, deliveries: Sequence[DueDelivery]) -> None:
        """Have leased deliveries wait for their endpoints instead of for a time."""
        if deliveries:
            endpoints = {each.endpoint.id for each in deliveries}
            await hold(connection, deliveries)
            await gates.start_holding(connection, endpoints)
            self._served |= endpoints

    async def fetch(self, places: Places) -> list[DueDelivery]:
        """Return held deliveries that may be posted now, leased; mostly there is nothing to look for."""
        if time.monotonic() < self._look_at and not any(places.is_low(each) for each in self._served):
            return []
        self._look_at = time.monotonic() + _LOOK_S
        async with self._pool.acquire() as connection:
            now = self._clock.now()
            crowded = places.crowded()
            holding = await gates.ready(connection, now=now, but=crowded)
            self._served = set(holding.open) | self._served.intersection(crowded)
            if not (holding.open or holding.half_open or holding.disabled):
                return []
            await gates.close_held(connection, holding.disabled, now=now)
            claimed_until = now + LEASE
            claimed = await gates.claim_probes(connection, holding.half_open, now=now, until=claimed_until)
            rooms = _rooms(holding.open, claimed, places)
            found = await self._lease(connection, rooms, claimed)
            arrived = {each.endpoint.id for each in found}
            await gates.unclaim_probes(
                connection, list(claimed - arrived), now=now, claimed_until=claimed_until
            )
            await self._stop_holding(connection, found, rooms)
        return found

    async def _lease(
        self, connection: HotConnection, rooms: Mapping[UUID, int], probed: Collection[UUID]
    ) -> list[DueDelivery]:
        if not rooms:
            return []
        async with connection.transaction():
            found = await lease_held(connection, rooms, now=self._clock.now())
        return [structs.replace(each, is_probe=each.endpoint.id in probed) for each in found]

    async def _stop_holding(
        self, connection: HotConnection, found: Sequence[DueDelivery], rooms: Mapping[UUID, int]
    ) -> None:
        """Where less came than there was room for, nothing is left: the next event is due at once again."""
        left = dict(rooms)
        for each in found:
            left[each.endpoint.id] -= 1
        exhausted = [endpoint for endpoint, room in left.items() if room > 0]
        await gates.stop_holding(connection, exhausted, now=self._clock.now())
        self._served -= set(exhausted)


def _rooms(open_endpoints: Collection[UUID], probed: Collection[UUID], places: Places) -> dict[UUID, int]:
    rooms = {endpoint: places.room(endpoint) for endpoint in open_endpoints}
    return {endpoint: room for endpoint, room in rooms.items() if room > 0} | dict.fromkeys(probed, 1)
