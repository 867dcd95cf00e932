"""The road SNS → SQS on a whole gateway and a real SQS interface: raw, wrapped, signed, forged, dead."""

import base64
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tenants.ids import decode
from tests.harness.envelopes import signed_envelope
from tests.harness.numbers import us_number
from tests.harness.queues import open_test_queue, running_moto
from tests.harness.receipts import event
from tests.harness.waiting import eventually, until


@pytest.fixture(scope="module")
def moto_url():
    """A moto server of this module."""
    with running_moto() as url:
        yield url


@pytest.fixture(scope="module")
async def customer(stack):
    """A customer whose messages AWS takes, and whose own receipts never come."""
    await stack.emulate("faults", {"receipts": {"lose_rate": 1.0}})
    yield await stack.customer()
    await stack.emulate("faults", {})


@pytest.fixture(scope="module")
async def account(stack, customer):
    """The account that carries them: its id and its topic."""
    [row] = (await stack.operate("get", "/v1/admin/aws-accounts"))["data"]
    return row


@pytest.fixture
async def queue(stack, account, moto_url, request):
    """A queue that the gateway reads; a marker may change how."""
    changes = dict(getattr(request, "param", {}))
    most = changes.pop("max_receives", 1)
    async with open_test_queue(moto_url, f"receipts-{uuid4().hex[:8]}", max_receives=most) as made:
        body = {"account": account["id"], "url": made.url} | changes
        row = await stack.operate("post", "/v1/admin/receipt-queues", body)
        made.id = row["id"]
        yield made
        assert (await stack.operator.delete(f"/v1/admin/receipt-queues/{row['id']}")).status_code == 204


async def sent(stack, customer, count=1):
    """Messages that AWS has taken."""
    ids = [(await customer.send(to=us_number(), body="Hello")).json()["id"] for _ in range(count)]

    async def all_sent():
        return all([(await customer.message(each))["status"] == "sent" for each in ids])

    await eventually(all_sent)
    return ids


def delivered(message_id, **changes):
    """The event that AWS would send for a message."""
    changes = {"provider_message_id": f"aws-{message_id}"} | changes
    return event("DELIVERED", message_id=decode("msg", message_id), **changes)


async def nothing_left(queue):
    """Every message was deleted."""

    async def look():
        return await queue.left() == 0

    await eventually(look, within_s=60)


async def test_raw_wrapped_and_bridged_events_are_applied_and_deleted(stack, customer, account, queue):
    """Every way in which a topic or a bus can fill a queue; what waited for days is as good as new."""
    ids = await sent(stack, customer, 4)
    old = datetime.now(UTC) - timedelta(days=13)
    bridged = {"detail-type": "Text Message Delivery Status Updated", "source": "aws.sms-voice"}
    await queue.send(
        json.dumps(delivered(ids[0])),
        signed_envelope(stack.emulator, account["topic_arn"], delivered(ids[1]), at=old),
        json.dumps(bridged | {"detail": delivered(ids[2])}),
        signed_envelope(stack.emulator, account["topic_arn"], bridged | {"detail": delivered(ids[3])}),
    )
    for each in ids:
        assert (await customer.final(each))["status"] == "delivered"
    await nothing_left(queue)


async def test_forty_events_each_three_times_are_applied_once(stack, customer, queue):
    """SQS delivers at least once."""
    [message_id] = await sent(stack, customer)
    events = [json.dumps(delivered(message_id, second=n)) for n in range(40)]
    await queue.send(*events, *events, *events)
    await nothing_left(queue)
    stored = await stack.database.fetchval(
        "SELECT count(*) FROM receipts WHERE message_id = $1", decode("msg", message_id)
    )
    told = await stack.database.fetchval(
        "SELECT count(*) FROM events WHERE message_id = $1 AND type = 'message.delivered'",
        decode("msg", message_id),
    )
    assert (stored, told) == (40, 1)


async def test_what_is_authentic_and_of_no_use_is_kept_and_deleted(stack, queue):
    """The queue's writer is AWS alone; odd records must not come round for ever."""
    await queue.send("not an event at all", json.dumps(event("DELIVERED", provider_message_id="aws-nobody")))
    await nothing_left(queue)
    listed = (await stack.operate("get", "/v1/admin/parked-receipts?limit=100"))["data"]
    assert {"unreadable", "no_message"} <= {each["reason"] for each in listed}
    assert all("2065550" not in json.dumps(each) for each in listed)


async def test_a_forgery_ends_among_the_dead_letters_and_can_be_driven_back(stack, customer, account, queue):
    """Another signature, and another's topic: nothing is moved, the operator sees why, and may try again."""
    [message_id] = await sent(stack, customer)
    other = signed_envelope(stack.emulator, "arn:aws:sns:us-east-1:999999999999:other", delivered(message_id))
    tampered = signed_envelope(
        stack.emulator,
        account["topic_arn"],
        delivered(message_id),
        tamper={"Message": json.dumps(delivered(message_id, second=1))},
    )
    await queue.send(other, tampered)

    async def both_dead():
        return await queue.dead() == 2

    await eventually(both_dead, within_s=60)
    home = f"/v1/admin/receipt-queues/{queue.id}"
    letters = (await stack.operate("get", f"{home}/dead-letters"))["data"]
    assert {each["reason"] for each in letters} == {"topic_not_allowed", "signature_mismatch"}
    assert (await customer.message(message_id))["status"] == "sent"
    [chosen] = [each["id"] for each in letters if each["reason"] == "topic_not_allowed"]
    assert (await stack.operate("post", f"{home}/redrive", {"letters": [chosen]}))["moved"] == 1
    await eventually(both_dead, within_s=60)
    assert (await stack.operate("post", f"{home}/redrive"))["moved"] == 2


@pytest.mark.parametrize("queue", [{"max_receives": 5}], indirect=True)
async def test_the_largest_dead_letters_are_driven_back_too(stack, queue):
    """
    Ten of them together are more than SQS takes in one call: each goes as it can.

    They may be read again: moto's server answers 500 to a read beside a write now and then, which counts.
    """
    for number in range(10):
        body = json.dumps({"nothing": "of AWS", "number": number, "padding": "x" * 200_000})
        await queue.sqs.send_message(QueueUrl=queue.dead_url, MessageBody=body)
    home = f"/v1/admin/receipt-queues/{queue.id}"
    assert len((await stack.operate("get", f"{home}/dead-letters"))["data"]) == 10
    assert (await stack.operate("post", f"{home}/redrive"))["moved"] == 10
    await nothing_left(queue)
    assert await queue.dead() == 0


@pytest.mark.parametrize("queue", [{"signed_only": True}], indirect=True)
async def test_a_queue_of_signed_bodies_takes_no_bare_event(stack, customer, account, queue):
    """Where others may write to the queue, SNS's signature is what counts."""
    ids = await sent(stack, customer, 2)
    await queue.send(
        json.dumps(delivered(ids[0])),
        signed_envelope(stack.emulator, account["topic_arn"], delivered(ids[1])),
    )
    assert (await customer.final(ids[1]))["status"] == "delivered"

    async def one_dead():
        return await queue.dead() == 1

    await until(one_dead, within_s=60)
    assert (await customer.message(ids[0]))["status"] == "sent"


async def test_firehose_delivers_with_a_key_until_it_is_revoked(stack, customer, account):
    """Per account, shown once, in force everywhere at once and gone within seconds."""
    ids = await sent(stack, customer, 3)
    made = await stack.operate("post", "/v1/admin/firehose-keys", {"account": account["id"]})
    client = stack.client("none")

    async def deliver(*message_ids, key=made["access_key"]):
        records = [
            {"data": base64.b64encode(json.dumps(delivered(each)).encode()).decode()} for each in message_ids
        ]
        return await client.post(
            made["endpoint_url"],
            json={"requestId": "r-1", "timestamp": 1, "records": records},
            headers={"X-Amz-Firehose-Request-Id": "r-1", "X-Amz-Firehose-Access-Key": key},
        )

    answer = await deliver(ids[0], ids[1])
    assert (answer.status_code, answer.json()["requestId"]) == (200, "r-1")
    assert [(await customer.message(each))["status"] for each in ids[:2]] == ["delivered"] * 2
    refused = await deliver(ids[2], key=made["access_key"][:-1] + "~")
    assert (refused.status_code, refused.json()["requestId"]) == (401, "r-1")
    await stack.operate("delete", f"/v1/admin/firehose-keys/{made['id']}")

    async def is_refused():
        return (await deliver(ids[2])).status_code == 401

    await until(is_refused, within_s=60)
    shown = (await stack.operate("get", "/v1/admin/firehose-keys"))["data"]
    assert made["access_key"] not in json.dumps(shown)
