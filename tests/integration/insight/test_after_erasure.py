"""What comes for a tenant that was erased: AWS is answered, the books are settled, nobody is named again."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import httpx
import pytest
from msgspec import Raw
from prometheus_client import REGISTRY

from gateway.clock import FixedClock
from gateway.db.transaction import worker_transaction
from gateway.messages.feedback_sweep import FeedbackSweep
from gateway.messages.reconcile import every_difference
from gateway.receipts.batch import platform_key
from gateway.receipts.event import parse
from gateway.receipts.sweep import SILENCE, ReceiptSweep
from gateway.webhooks.announcements import announce
from gateway.webhooks.results import write_results
from tenants.ids import decode
from tenants.inbox.service import PLATFORM
from tests.harness.envelopes import signed_envelope
from tests.harness.inbound import LONG_CODE, two_way_number
from tests.harness.numbers import us_number
from tests.harness.receipts import event
from tests.harness.stack import SECRET_KEY
from tests.harness.stored import sent
from tests.harness.tenants import accept, enrol, new_message, row_of
from tests.harness.waiting import eventually, until
from tests.harness.webhook_results import result_of

TELLING = {
    "carrierName": "Anna's Phones",
    "mcc": "310",
    "mnc": "410",
    "messageStatusDescription": "Anna's phone took it",
    "protectConfiguration": {"protectStatus": "MONITOR"},
    "protectConfigurationAssessment": {
        "protectRecommendation": "BLOCK",
        "protectInsights": {"blockReason": "AIT_SUSPECTED"},
    },
}
"""What AWS says of a phone beside its number."""


@pytest.fixture(scope="module")
async def gone(stack):
    """An erased tenant: the id of its message, which AWS had called UNKNOWN, and its number."""
    await stack.emulate("faults", {"receipts": {"lose_rate": 1.0}})
    customer = await stack.customer(senders=[LONG_CODE])
    number = (await two_way_number(stack, customer))["value"]
    message_id = (await customer.send(to=us_number(), body="Hello")).json()["id"]

    async def is_sent():
        return (await customer.message(message_id))["status"] == "sent"

    await until(is_sent)
    assert (await posted(stack, said(message_id, "UNKNOWN", price=0))).status_code == 200
    path = f"/v1/admin/tenants/{customer.id}"
    await stack.operate("post", f"{path}/close")
    await stack.operate("post", f"{path}/erase")
    await stack.database.execute("UPDATE tenant_erasures SET asked_at = asked_at - interval '1 minute'")

    async def is_done():
        return (await stack.operate("get", f"{path}/erase"))["state"] == "done"

    await eventually(is_done, within_s=90)
    await stack.emulate("faults", {})
    return SimpleNamespace(tenant_id=customer.uuid, message_id=message_id, number=number)


async def posted(stack, text):
    """Post an event as SNS does; return the answer."""
    topic_arn = await stack.database.fetchval("SELECT topic_arn FROM aws_accounts")
    body = signed_envelope(stack.emulator, topic_arn, text)
    headers = {"content-type": "text/plain; charset=UTF-8"}
    async with httpx.AsyncClient(base_url=stack.settings.public_url) as client:
        return await client.post("/v1/ingest/sns", content=body, headers=headers)


def said(message_id, status, **members):
    """What AWS says of a message."""
    ours = decode("msg", message_id)
    return json.dumps(event(status, message_id=ours, provider_message_id=f"aws-{message_id}", **members))


def counted(name, **labels):
    """A counter of this process."""
    return REGISTRY.get_sample_value(f"tollgate_{name}_total", labels) or 0


async def rows_of(stack, tenant_id, table):
    """A tenant's rows."""
    return await stack.database.fetch(f"SELECT * FROM {table} WHERE tenant_id = $1", tenant_id)


async def test_a_late_receipt_settles_its_message_and_names_nobody(stack, gone):
    """Acknowledged at once, so that SNS does not repeat it; the price is kept, the rest is let go of."""
    late = said(gone.message_id, "DELIVERED", second=5, **TELLING)
    before = counted("receipts_of_erased")
    for _ in range(2):
        answer = await posted(stack, late)
        assert (answer.status_code, answer.json()["outcome"]) == (200, "stored")
    assert counted("receipts_of_erased") == before + 1

    [message] = await rows_of(stack, gone.tenant_id, "messages")
    assert (message["status"], message["price_final"]) == ("delivered", message["price_estimated"])
    assert message["cost_micros"] == 5810 + 2600
    assert [message[name] for name in ("carrier", "mcc", "mnc", "reason_detail")] == [None] * 4
    receipts = await rows_of(stack, gone.tenant_id, "receipts")
    assert {row["event_type"] for row in receipts} == {"TEXT_UNKNOWN", "TEXT_DELIVERED"}
    assert [row["detail"] for row in receipts] == ["{}"] * 2
    for table in ("events", "webhook_deliveries", "protect_findings"):
        assert await rows_of(stack, gone.tenant_id, table) == [], table
    parked = "SELECT count(*) FROM parked_receipts WHERE event_key = $1"
    assert await stack.database.fetchval(parked, parse(late).event_key) == 0
    found = [each for each in await every_difference(stack.database) if each.tenant_id == gone.tenant_id]
    assert found == []


async def test_a_text_to_a_number_of_the_tenant_is_acknowledged_counted_and_let_go_of(stack, gone):
    """The number is leased until a teardown; whoever writes to it is the erased tenant's business no more."""
    text = json.dumps(
        {
            "originationNumber": us_number(),
            "destinationNumber": gone.number,
            "messageKeyword": "STOP",
            "messageBody": "STOP it, says Anna",
            "inboundMessageId": str(uuid4()),
        }
    )
    before = counted("inbound_texts", outcome="tenant_erased")
    assert (await posted(stack, text)).status_code == 200

    async def is_counted():
        return counted("inbound_texts", outcome="tenant_erased") > before

    await until(is_counted)
    parked = "SELECT count(*) FROM parked_receipts WHERE event_key = $1"
    assert await stack.database.fetchval(parked, parse(text).event_key) == 0
    for table in ("inbound_messages", "inbound_replies", "opt_outs", "opt_out_changes", "events"):
        assert await rows_of(stack, gone.tenant_id, table) == [], table


async def test_a_post_that_was_under_way_leaves_nothing_behind(database, worker_pool, worker_engine):
    """What the receiver said comes back after its delivery was erased; of others in the batch it is kept."""
    erased, neighbour = [(await enrol(worker_engine)).tenant_id for _ in range(2)]
    await database.execute("INSERT INTO tenant_erasures (tenant_id, finished_at) VALUES ($1, now())", erased)
    results = [result_of(each) for each in (erased, neighbour, PLATFORM)]
    async with worker_pool.acquire() as connection, connection.transaction():
        await write_results(connection, results)
    query = "SELECT tenant_id FROM webhook_attempts WHERE delivery_id = ANY($1::uuid[]) ORDER BY tenant_id"
    rows = await database.fetch(query, [each.delivery.id for each in results])
    assert [row["tenant_id"] for row in rows] == [PLATFORM, neighbour]


async def test_no_round_in_the_background_tells_of_a_tenant_that_was_erased(
    database, worker_pool, worker_engine
):
    """Feedback that never came, messages that stay silent, and whatever else is announced."""
    erased, neighbour = scopes = [await enrol(worker_engine, credit=10) for _ in range(2)]
    messages = [(await accept(worker_pool, new_message(scope, feedback="pending")))[0] for scope in scopes]
    for each in messages:
        await sent(database, each.id)
    await database.execute("DELETE FROM events WHERE tenant_id = $1", erased.tenant_id)
    await database.execute("INSERT INTO tenant_erasures (tenant_id) VALUES ($1)", erased.tenant_id)
    later = FixedClock(datetime.now(UTC) + SILENCE + timedelta(minutes=1))
    await FeedbackSweep(worker_pool, later).sweep()
    await ReceiptSweep(worker_pool, later, platform_key(SECRET_KEY)).close_silent()
    async with worker_transaction(worker_engine) as session:
        for scope in scopes:
            await announce(scope, session, "registration.status_changed", Raw(b"{}"))
    rows = [dict(await row_of(database, each.id)) for each in messages]
    assert [(row["status"], row["feedback"]) for row in rows] == [("unknown", "failed")] * 2
    told = "SELECT type FROM events WHERE tenant_id = $1 ORDER BY type"
    assert await database.fetch(told, erased.tenant_id) == []
    assert {row["type"] for row in await database.fetch(told, neighbour.tenant_id)} >= {
        "message.feedback", "message.unknown", "registration.status_changed"
    }  # fmt: skip
