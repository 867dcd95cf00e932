"""
`POST /v1/ingest/sns` on its real way: HTTP, the certificate's fetch, the signature, the commit.

A stranger's post leaves nothing in Postgres; a believed one is stored before it is acknowledged.
"""

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tenants.ids import decode, encode, new_uuid
from tests.harness.numbers import us_number
from tests.harness.receipts import event
from tests.harness.waiting import until

FOOTPRINT = """
    SELECT (SELECT count(*) FROM receipts) AS receipts, (SELECT count(*) FROM parked_receipts) AS parked,
        (SELECT count(*) FROM events) AS events, (SELECT sum(posted) FROM balances) AS posted
"""


@pytest.fixture
async def sent(stack):
    """A customer's message that AWS took and whose own receipts never come."""
    await stack.emulate("faults", {"receipts": {"lose_rate": 1.0}})
    customer = await stack.customer()
    message_id = (await customer.send(to=us_number(), body="Hello")).json()["id"]

    async def is_sent():
        return (await customer.message(message_id))["status"] == "sent"

    await until(is_sent)
    yield customer, message_id
    await stack.emulate("faults", {})


@pytest.fixture
async def envelope(stack):
    """A function that makes what SNS would post: signed with the emulator's key unless told otherwise."""
    topic_of_ours = "SELECT topic_arn FROM aws_accounts"
    if await stack.database.fetchval(topic_of_ours) is None:
        await stack.customer()  # the first one provisioned makes the topic, whichever test comes first
    topic_arn = await stack.database.fetchval(topic_of_ours)
    signer = stack.emulator.world.signer

    def make(message, *, at=None, version="2", tamper=None, **members):
        made = {
            "Type": "Notification",
            "MessageId": "22222222-2222-4222-8222-222222222222",
            "TopicArn": topic_arn,
            "Message": message if isinstance(message, str) else json.dumps(message),
            "Timestamp": (at or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        } | members
        made |= {
            "SignatureVersion": version,
            "Signature": signer.sign(made, version),
            "SigningCertURL": stack.emulator.base_url + signer.certificate_path,
        }
        return json.dumps(made | (tamper or {}))

    return make


@pytest.fixture
def post(stack):
    """A function that posts to the ingest route as SNS does."""

    async def run(body):
        async with httpx.AsyncClient(base_url=stack.settings.public_url) as client:
            return await client.post(
                "/v1/ingest/sns", content=body, headers={"content-type": "text/plain; charset=UTF-8"}
            )

    return run


def delivered(message_id, **changes):
    """The event that AWS would send for a message."""
    changes = {"provider_message_id": f"aws-{message_id}"} | changes
    return event("DELIVERED", message_id=decode("msg", message_id), **changes)


@pytest.mark.parametrize("version", ["1", "2"])
async def test_a_signed_post_is_stored_before_it_is_acknowledged(sent, envelope, post, version):
    """Both signature versions; the state is read right after the 200, without waiting."""
    customer, message_id = sent
    answer = await post(envelope(delivered(message_id), version=version))
    assert (answer.status_code, answer.json()["outcome"]) == (200, "stored")
    assert (await customer.message(message_id))["status"] == "delivered"


async def test_a_replayed_post_is_acknowledged_and_changes_nothing(stack, sent, envelope, post):
    """SNS delivers at least once; the same bytes ten times are one event."""
    _, message_id = sent
    body = envelope(delivered(message_id))
    assert (await post(body)).status_code == 200
    before = await stack.database.fetchrow(FOOTPRINT)
    answers = await asyncio.gather(*(post(body) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}
    assert await stack.database.fetchrow(FOOTPRINT) == before


async def test_one_event_under_two_sns_ids_counts_once(stack, sent, envelope, post):
    """AWS publishes an event again under another MessageId."""
    _, message_id = sent
    assert (await post(envelope(delivered(message_id)))).status_code == 200
    before = await stack.database.fetchrow(FOOTPRINT)
    again = envelope(delivered(message_id), MessageId="33333333-3333-4333-8333-333333333333")
    assert (await post(again)).status_code == 200
    assert await stack.database.fetchrow(FOOTPRINT) == before


FORGERIES = {
    "another message": {"tamper": {"Message": json.dumps(event("DELIVERED"))}},
    "another signature": {"tamper": {"Signature": base64.b64encode(bytes(256)).decode()}},
    "no signature": {"tamper": {"Signature": ""}},
    "another topic": {"TopicArn": "arn:aws:sns:us-east-1:999999999999:someone-elses"},
    "another certificate": {
        "tamper": {"SigningCertURL": "http://127.0.0.1:1/SimpleNotificationService-0.pem"}
    },
    "a certificate of a lookalike": {
        "tamper": {
            "SigningCertURL": "https://sns.us-east-1.amazonaws.com.evil.example/"
            "SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
        }
    },
    "too old": {"at": datetime.now(UTC) - timedelta(hours=2)},
    "from the future": {"at": datetime.now(UTC) + timedelta(hours=1)},
    "another type": {"tamper": {"Type": "SubscriptionConfirmation"}},
    "an unknown version": {"tamper": {"SignatureVersion": "3"}},
}


@pytest.mark.parametrize("changes", FORGERIES.values(), ids=FORGERIES)
async def test_a_forgery_leaves_nothing(stack, sent, envelope, post, changes):
    """No receipt, no parked row, no event, no money moved: only a refusal."""
    customer, message_id = sent
    before = await stack.database.fetchrow(FOOTPRINT)
    answer = await post(envelope(delivered(message_id), **changes))
    assert (answer.status_code, answer.json()["code"]) == (403, "envelope_rejected")
    assert await stack.database.fetchrow(FOOTPRINT) == before
    assert (await customer.message(message_id))["status"] == "sent"


@pytest.mark.parametrize(
    "body", ["", "{}", "[]", "null", "not json", '{"Type": "Notification"}', "{" * 5000, "\x00\xff"], ids=repr
)
async def test_noise_is_refused_and_never_an_error_of_ours(stack, post, body):
    """The route is open to the world."""
    before = await stack.database.fetchrow(FOOTPRINT)
    assert (await post(body.encode("latin-1"))).status_code == 403
    assert await stack.database.fetchrow(FOOTPRINT) == before


async def test_a_huge_post_is_refused_before_it_is_read(post):
    """SNS never sends more than its own limit."""
    assert (await post(b"x" * (600 * 1024))).status_code == 413


async def test_a_subscription_of_an_unknown_topic_is_not_confirmed(stack, envelope, post):
    """Otherwise anybody could make us speak to AWS, or take us as their mailbox."""
    confirmations = stack.emulator.world.stats.confirmations_sent
    body = envelope(
        "You have chosen to subscribe",
        Type="SubscriptionConfirmation",
        TopicArn="arn:aws:sns:us-east-1:123456789012:unknown",
        Token="token",
        SubscribeURL=f"{stack.settings.public_url}/healthz",
    )
    assert (await post(body)).status_code == 403
    assert stack.emulator.world.stats.confirmations_sent == confirmations


async def test_an_authentic_event_of_nobody_is_kept_and_acknowledged(stack, envelope, post):
    """It is AWS's word; refusing it would make SNS repeat it for ever."""
    nobody = event("DELIVERED", provider_message_id="aws-of-nobody")
    assert (await post(envelope(nobody))).status_code == 200
    assert (await post(envelope("not an event at all"))).status_code == 200
    reasons = await stack.database.fetch("SELECT reason FROM parked_receipts")
    assert {row["reason"] for row in reasons} >= {"no_message", "unreadable"}


async def test_a_receipt_cannot_reach_a_message_by_a_foreign_context_of_another_id(
    stack, sent, envelope, post
):
    """An event that names a message that never was stays parked, whatever AWS id it claims."""
    customer, message_id = sent
    stranger = delivered(message_id)
    stranger["context"]["tg_m"] = "msg_" + "0" * 26
    assert (await post(envelope(stranger))).status_code == 200
    assert (await customer.message(message_id))["status"] == "sent"


@pytest.fixture
async def own_account(stack, sent):
    """An AWS account of another tenant's own, with a topic that the gateway knows."""
    owner = await stack.customer()
    topic_arn = "arn:aws:sns:us-east-1:888888888888:its-own"
    row = await stack.database.fetchrow(
        """
        INSERT INTO aws_accounts (id, name, region, sends_per_second, topic_arn, owner_id)
        VALUES ($1, 'its own', 'us-east-1', 1, $2, $3) RETURNING *
        """,
        new_uuid(),
        topic_arn,
        decode("ten", owner.id),
    )
    yield row
    await stack.database.execute("DELETE FROM firehose_keys WHERE account_id = $1", row["id"])
    await stack.database.execute("DELETE FROM aws_accounts WHERE id = $1", row["id"])


async def test_a_topic_of_a_tenants_own_moves_no_other_tenants_message(sent, envelope, post, own_account):
    """Its owner may publish anything on it, signed by AWS; the post is acknowledged and kept."""
    customer, message_id = sent
    answer = await post(envelope(delivered(message_id), TopicArn=own_account["topic_arn"]))
    assert (answer.status_code, answer.json()["outcome"]) == (200, "stored")
    assert (await customer.message(message_id))["status"] == "sent"


async def test_a_stream_of_a_tenants_own_moves_no_other_tenants_message(stack, sent, own_account):
    """The key of its account opens the route for what concerns itself."""
    customer, message_id = sent
    key = await stack.operate(
        "post", "/v1/admin/firehose-keys", {"account": encode("acc", own_account["id"])}
    )
    record = {"data": base64.b64encode(json.dumps(delivered(message_id)).encode()).decode()}
    async with httpx.AsyncClient(base_url=stack.settings.public_url) as client:
        answer = await client.post(
            "/v1/ingest/firehose",
            json={"requestId": "one", "timestamp": 1, "records": [record]},
            headers={"X-Amz-Firehose-Request-Id": "one", "X-Amz-Firehose-Access-Key": key["access_key"]},
        )
    assert answer.status_code == 200
    assert (await customer.message(message_id))["status"] == "sent"
