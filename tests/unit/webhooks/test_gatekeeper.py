"""When a sender looks again for what an endpoint holds."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

from gateway.clock import FixedClock
from gateway.webhooks import gatekeeper as gatekeeper_module
from gateway.webhooks.gatekeeper import Gatekeeper
from gateway.webhooks.gates import Holding
from gateway.webhooks.places import Places
from tests.unit.webhooks.test_places import begin, deliveries


class NoPool:
    """A pool whose connections are never used."""

    @asynccontextmanager
    async def acquire(self):
        """Lend nothing."""
        yield None


async def test_an_endpoint_whose_line_is_full_is_still_being_served(monkeypatch):
    """Otherwise its line would run empty and wait for the next look, a second later."""
    held: list[UUID] = []

    async def hold(_connection, waiting):
        held.extend(each.id for each in waiting)

    async def start_holding(_connection, _endpoints):
        return None

    async def ready(_connection, *, now, but):
        del now
        assert list(but) == [UUID(int=1)], "nothing more is fetched for a full line"
        return Holding(open=[], half_open=[], disabled=[])

    monkeypatch.setattr(gatekeeper_module, "hold", hold)
    monkeypatch.setattr(gatekeeper_module.gates, "start_holding", start_holding)
    monkeypatch.setattr(gatekeeper_module.gates, "ready", ready)
    places, keeper = Places(20), Gatekeeper(NoPool(), FixedClock(datetime(2026, 3, 1, tzinfo=UTC)))
    excess = places.line_up(deliveries(1, 100))
    begin(places)
    await keeper.hold(None, excess)
    assert len(held) == 40
    assert await keeper.fetch(places) == []
    assert keeper.serves(UUID(int=1))
