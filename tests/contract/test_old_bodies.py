"""A message whose text was taken out is still a message: found, told, counted and proven."""

import io
import json
import zipfile
from datetime import timedelta

from gateway.clock import FixedClock
from gateway.messages.bodies import Bodies, keepings
from gateway.messages.reconcile import every_difference
from tenants.ids import encode
from tests.harness.stored import put

FINAL = {"status": "delivered", "price_final": 0, "price_estimated": 0}


async def test_a_message_without_its_text_is_all_there_but_for_it(customer, operator, world, engines) -> None:
    """Status, history, search, usage, statement, hand-over and the books do not need what was written."""
    now = world.services.clock.now()
    kinds = ("otp", "transactional")
    ids = [encode("msg", await put(world, customer, type=each, final_at=now, **FINAL)) for each in kinds]
    before = [(await customer.api.get(f"/v1/messages/{each}")).json() for each in ids]
    assert [each["body"] for each in before] == ["your code is 1234"] * 2

    later = FixedClock(now + timedelta(days=32))
    kept = await keepings(engines["pool"], otp=timedelta(days=1), other=timedelta(days=30))
    await Bodies(engines["pool"], later).purge(kept)

    after = [(await customer.api.get(f"/v1/messages/{each}")).json() for each in ids]
    assert after == [each | {"body": None} for each in before]
    for path in (
        "/v1/messages",
        f"/v1/messages/{ids[0]}/events",
        "/v1/usage",
        "/v1/events",
        f"/v1/statements/{now:%Y-%m}",
        f"/v1/exports/messages?created_after={(now - timedelta(hours=1)):%Y-%m-%dT%H:%M:%SZ}",
    ):
        answer = await customer.api.get(path)
        assert answer.status_code == 200, (path, answer.text)
    assert {each["id"] for each in (await customer.api.get("/v1/messages")).json()["data"]} == set(ids)
    answer = await operator.post(f"/v1/admin/tenants/{customer.id}/export")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        rows = [json.loads(line) for line in archive.read("messages.jsonl").splitlines()]
    assert [row["body"] for row in rows] == [None, None]
    async with engines["pool"].acquire() as connection:
        found = await every_difference(connection)
    assert [each for each in found if each.tenant_id == customer.scope.tenant_id] == []
