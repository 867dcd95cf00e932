"""The operator's side of the roads in: queues, dead letters, Firehose keys, parked events."""

import base64
from datetime import UTC, datetime, timedelta

import pytest

from gateway.errors import QueueFault
from gateway.receipts.dead_letter import DeadLetter
from gateway.receipts.parked import Parked
from tenants.ids import encode, new_uuid

URL = "https://sqs.us-east-1.amazonaws.com/123456789012/receipts"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
async def account(operator):
    """An AWS account's id."""
    answer = await operator.put("/v1/admin/aws-accounts/roads", json={"region": "us-east-1"})
    return answer.json()["id"]


@pytest.fixture
async def queue(operator, account):
    """A queue that is read."""
    made = await operator.post("/v1/admin/receipt-queues", json={"account": account, "url": URL})
    assert made.status_code == 201, made.text
    yield made.json()
    await operator.delete(f"/v1/admin/receipt-queues/{made.json()['id']}")


async def test_a_queue_is_added_once_changed_and_removed(operator, account, queue):
    """The URL names it: putting it again changes it."""
    again = await operator.post(
        "/v1/admin/receipt-queues", json={"account": account, "url": URL, "signed_only": True}
    )
    assert (again.json()["id"], again.json()["signed_only"]) == (queue["id"], True)
    listed = (await operator.get("/v1/admin/receipt-queues")).json()["data"]
    assert [each["url"] for each in listed] == [URL]
    assert (await operator.delete(f"/v1/admin/receipt-queues/{queue['id']}")).status_code == 204
    assert (await operator.delete(f"/v1/admin/receipt-queues/{queue['id']}")).status_code == 404
    assert (await operator.get("/v1/admin/receipt-queues")).json()["data"] == []


@pytest.mark.parametrize(
    "url",
    [
        "receipts",
        "http://sqs.us-east-1.amazonaws.com/123456789012/receipts",
        "https://sqs.us-east-1.amazonaws.com/receipts",
        "https://user@sqs.us-east-1.amazonaws.com/123456789012/receipts",
        "https://sqs.us-east-1.amazonaws.com/123456789012/receipts?x=1",
        "https://sqs.us-east-1.amazonaws.com:x/123456789012/receipts",
        "https:///123456789012/receipts",
        "https://sqs.us-east-1.amazonaws.com/123456789012/\nreceipts",
    ],
)
async def test_what_is_no_queue_is_refused(operator, account, url):
    """The process signs its calls with credentials: where they go is checked before it is stored."""
    answer = await operator.post("/v1/admin/receipt-queues", json={"account": account, "url": url})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "/url")


async def test_an_account_that_is_not_there_is_named(operator):
    """For queues and keys alike."""
    nobody = encode("acc", new_uuid())
    for path, body in (("receipt-queues", {"url": URL}), ("firehose-keys", {})):
        answer = await operator.post(f"/v1/admin/{path}", json=body | {"account": nobody})
        assert answer.status_code == 404
        answer = await operator.post(f"/v1/admin/{path}", json=body | {"account": "acc_1"})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "/account")


async def test_dead_letters_are_shown_with_their_reason_and_driven_back(world, operator, queue):
    """Those that are named, or all."""
    world.services.dead_letters.letters = [
        DeadLetter(
            id=name,
            reason="signature_mismatch",
            sent_at=NOW,
            receives=6,
            size_bytes=2,
            body_sha256="00",
            excerpt="{}",
        )
        for name in ("one", "two", "three")
    ]
    home = f"/v1/admin/receipt-queues/{queue['id']}"
    shown = (await operator.get(f"{home}/dead-letters?limit=2")).json()["data"]
    assert [each["reason"] for each in shown] == ["signature_mismatch"] * 2
    assert (await operator.post(f"{home}/redrive", json={"letters": ["two"]})).json() == {"moved": 1}
    assert (await operator.post(f"{home}/redrive")).json() == {"moved": 2}


async def test_a_fault_of_sqs_is_told_with_its_words(world, operator, queue):
    """A missing permission is the operator's to mend."""
    world.services.dead_letters.fault = QueueFault("SQS GetQueueAttributes: AccessDenied")
    answer = await operator.get(f"/v1/admin/receipt-queues/{queue['id']}/dead-letters")
    world.services.dead_letters.fault = None
    assert (answer.status_code, answer.json()["code"]) == (409, "queue_refused")
    assert "AccessDenied" in answer.json()["detail"]


async def test_a_firehose_key_is_shown_once_and_revoked_for_good(operator, account):
    """Only its last characters are ever seen again."""
    made = (await operator.post("/v1/admin/firehose-keys", json={"account": account})).json()
    assert made["endpoint_url"].endswith("/v1/ingest/firehose")
    listed = await operator.get("/v1/admin/firehose-keys")
    assert made["access_key"] not in listed.text
    assert listed.json()["data"][-1]["hint"] == made["access_key"][-4:]
    gone = [await operator.delete(f"/v1/admin/firehose-keys/{made['id']}") for _ in range(2)]
    assert gone[0].json()["revoked_at"] == gone[1].json()["revoked_at"] is not None
    unknown = encode("fhk", new_uuid())
    assert (await operator.delete(f"/v1/admin/firehose-keys/{unknown}")).status_code == 404


async def test_parked_events_are_listed_by_reason_in_pages(world, operator):
    """The newest first, without their text."""
    world.services.parked_events.events = [
        Parked(
            event_key=bytes([n]) * 32,
            reason="unreadable" if n % 2 else "no_message",
            detail="shape: not a JSON object",
            provider_message_id=None,
            received_at=NOW + timedelta(seconds=n),
            size_bytes=9,
        )
        for n in range(5)
    ]
    first = (await operator.get("/v1/admin/parked-receipts?limit=3")).json()
    after = first["next_cursor"]
    rest = (await operator.get("/v1/admin/parked-receipts", params={"limit": 3, "after": after})).json()
    assert [each["event"][:2] for each in (*first["data"], *rest["data"])] == ["04", "03", "02", "01", "00"]
    odd = (await operator.get("/v1/admin/parked-receipts?reason=unreadable")).json()["data"]
    assert {each["reason"] for each in odd} == {"unreadable"}
    again = await operator.post("/v1/admin/parked-receipts/retry", json={"reason": "unreadable"})
    assert again.json() == {"applied": 0, "parked": 2}
    assert (await operator.get("/v1/admin/parked-receipts?reason=other")).status_code == 422
    for text in ("x", "2026-11-21 00", "2026-11-21T00:00:00+00:00 zz", ""):
        cursor = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=") or "-"
        answer = await operator.get("/v1/admin/parked-receipts", params={"after": cursor})
        assert answer.status_code == 422, text


async def test_a_delivery_of_firehose_is_answered_in_its_own_form(nobody):
    """No problem+json: Firehose takes an answer of another form for a failure."""
    headers = {"X-Amz-Firehose-Request-Id": "r-1", "X-Amz-Firehose-Access-Key": "k"}
    answer = await nobody.post("/v1/ingest/firehose", json={}, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == {"requestId": "r-1", "timestamp": 0}
