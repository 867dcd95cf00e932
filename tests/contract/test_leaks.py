"""The check that no tenant sees another convicts builds that mix tenants, each in its own way."""

import pytest
from sqlalchemy import select

from gateway.api.desk import Desk
from gateway.api.keyring import Keyring
from gateway.db.transaction import worker_transaction
from tenants.access import store
from tenants.access.models import ApiKey
from tenants.endpoints import store as endpoints
from tenants.endpoints.models import WebhookEndpoint
from tests.harness.leaks import Resident, look, mark


@pytest.fixture
async def neighbours(customer, stranger) -> list[Resident]:
    """Two tenants, each full of its mark."""
    found = []
    for number, each in enumerate((customer, stranger)):
        page = {
            "brand": mark(number),
            "legal_name": f"{mark(number)} Inc.",
            "website": f"https://{mark(number).lower()}.example",
            "support_email": f"care@{mark(number).lower()}.example",
            "support_phone": "+18885550142",
            "programmes": [
                {"use_case": "offers", "type": "promotional", "name": "Offers", "purpose": "weekly offers"}
            ],
        }
        assert (await each.api.put("/v1/hosted-pages", json=page)).is_success
        made = await each.api.post("/v1/api-keys", json={"mode": "test", "name": mark(number)})
        assert made.is_success, made.text
        hook = {"url": f"https://{mark(number).lower()}.example/hook", "events": ["message.delivered"]}
        assert (await each.api.post("/v1/webhook-endpoints", json=hook)).is_success
        found.append(Resident(number=number, id=each.id, slug=each.slug, key=each.key))
    return found


async def test_neighbours_see_only_their_own(world, neighbours) -> None:
    """Every list is asked, and the answers do hold something."""
    async with world.client() as client:
        sight = await look(client, neighbours)
    assert sight.leaks == []
    assert sight.own >= 10, sight


async def test_a_build_that_forgets_whose_key_it_is_is_convicted(world, neighbours, monkeypatch) -> None:
    """As a cache under the wrong name would do."""
    sound, first = Keyring.judge, []

    async def forgetful(self, token):
        first.append(await sound(self, token))
        return first[0]

    monkeypatch.setattr(Keyring, "judge", forgetful)
    async with world.client() as client:
        assert (await look(client, neighbours)).leaks


async def test_a_build_that_forgets_whose_rows_it_reads_is_convicted(world, neighbours, monkeypatch) -> None:
    """One list without its condition, where Postgres does not fence it either."""

    async def everybodys(_scope, session, *, limit, after=None):
        del after
        return (await session.scalars(select(ApiKey).order_by(ApiKey.id.desc()).limit(limit))).all()

    monkeypatch.setattr(Desk, "tenant", lambda self, _: worker_transaction(self.services.operator_engine))
    monkeypatch.setattr(store, "page", everybodys)
    async with world.client() as client:
        leaks = (await look(client, neighbours)).leaks
    assert leaks
    assert all("/v1/api-keys" in leak for leak in leaks), leaks


async def test_a_build_that_answers_for_any_id_is_convicted(world, neighbours, monkeypatch) -> None:
    """No list leaks there: only who asks for a foreign id finds it."""

    async def anybodys(_scope, session, endpoint_id, **_):
        return await session.scalar(select(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id))

    monkeypatch.setattr(Desk, "tenant", lambda self, _: worker_transaction(self.services.operator_engine))
    monkeypatch.setattr(endpoints, "get", anybodys)
    async with world.client() as client:
        leaks = (await look(client, neighbours)).leaks
    assert any("/v1/webhook-endpoints" in leak for leak in leaks), leaks
