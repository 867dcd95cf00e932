"""Feedback: taken once, within its hour, of one's own messages; told to endpoints and ordered for AWS."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.clock import FixedClock
from gateway.messages.feedback_sweep import FeedbackSweep
from tenants.ids import encode, new_uuid
from tests.harness.tenants import accept, new_message, row_of

RECEIVED = {"status": "received"}


@pytest.fixture
async def make(engines, world) -> Any:
    """Return a function that stores a customer's message and returns it with its path."""
    pool = engines["pool"]

    async def made(customer, *, ago: timedelta | None = timedelta(minutes=1), **changes: Any) -> Any:
        fields: dict[str, Any] = {"feedback": "pending", "unit": "micros", "price_estimated": 0} | changes
        key = await world.services.data_keys.of(customer.scope.tenant_id)
        message = new_message(customer.scope, data_key=key, **fields)
        await accept(pool, message)
        await pool.execute("DELETE FROM dispatch_queue WHERE message_id = $1", message.id)
        if ago is not None:
            await pool.execute(
                "UPDATE messages SET status = 'sent', dispatched_at = $2, provider_message_id = 'aws-1' "
                "WHERE id = $1",
                message.id,
                datetime.now(UTC) - ago,
            )
        return message, f"/v1/messages/{encode('msg', message.id)}/feedback"

    return made


async def test_feedback_is_stored_told_and_ordered_once(customer, engines, make) -> None:
    """The same again answers the same; the event and AWS's order come once."""
    pool = engines["pool"]
    message, path = await make(customer, account_id=new_uuid())
    first = await customer.api.post(path, json=RECEIVED)
    assert (first.status_code, first.json()["feedback"]) == (200, "received"), first.text
    again = await customer.api.post(path, json=RECEIVED)
    assert again.json() == first.json()
    [event] = await pool.fetch(
        "SELECT * FROM events WHERE message_id = $1 AND type <> 'message.queued'", message.id
    )
    assert (event["type"], event["sequence"], event["data"]["feedback"]) == (
        "message.feedback",
        2,
        "received",
    )
    [order] = await pool.fetch("SELECT * FROM feedback_orders WHERE message_id = $1", message.id)
    assert (order["status"], order["provider_message_id"]) == ("received", "aws-1")
    other = await customer.api.post(path, json={"status": "failed"})
    assert (other.status_code, other.json()["code"]) == (409, "conflict")


async def test_an_idempotency_key_replays_the_answer(customer, make) -> None:
    """As with every other POST."""
    _, path = await make(customer)
    key = {"Idempotency-Key": "feedback-1"}
    first, again = [await customer.api.post(path, json=RECEIVED, headers=key) for _ in range(2)]
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"


async def test_the_sandbox_has_nobody_to_tell(customer, engines, make) -> None:
    """What no account carried is closed here alone."""
    message, path = await make(customer)
    assert (await customer.api.post(path, json=RECEIVED)).status_code == 200
    orders = "SELECT count(*) FROM feedback_orders WHERE message_id = $1"
    assert await engines["pool"].fetchval(orders, message.id) == 0


@pytest.mark.parametrize(
    ("changes", "ago", "code"),
    [
        ({"feedback": None}, timedelta(minutes=1), "feedback_not_requested"),
        ({}, timedelta(minutes=61), "feedback_closed"),
        ({}, None, "conflict"),
    ],
)
async def test_feedback_has_its_hour_and_must_have_been_asked_for(
    customer, make, changes: dict[str, Any], ago: timedelta | None, code: str
) -> None:
    """Not of a send that did not ask, not late, not before it left."""
    _, path = await make(customer, ago=ago, **changes)
    answer = await customer.api.post(path, json=RECEIVED)
    assert (answer.status_code, answer.json()["code"]) == (409, code)


async def test_nobody_speaks_of_another_tenants_message(customer, stranger, make) -> None:
    """It is as absent as one that never was."""
    _, path = await make(customer)
    answer = await stranger.api.post(path, json=RECEIVED)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_silence_fails_after_an_hour_and_counts_in_the_figures(customer, engines, make) -> None:
    """AWS does the same by itself; what is still open is counted apart."""
    pool = engines["pool"]
    late, _ = await make(customer)
    fresh, _ = await make(customer, ago=timedelta(minutes=-60))
    _, path = await make(customer)
    await customer.api.post(path, json=RECEIVED)
    await FeedbackSweep(pool, FixedClock(datetime.now(UTC) + timedelta(minutes=90))).sweep()
    assert (await row_of(pool, late.id))["feedback"] == "failed"
    assert (await row_of(pool, fresh.id))["feedback"] == "pending"
    told = "SELECT count(*) FROM events WHERE message_id = $1 AND type = 'message.feedback'"
    assert await pool.fetchval(told, late.id) == 1
    for group_by, group in (("country", "US"), ("type", "transactional"), ("template", None)):
        report = await customer.api.get("/v1/usage/conversion", params={"group_by": group_by})
        assert report.status_code == 200, report.text
        assert report.json()["data"] == [
            {"group": group, "sent": 3, "received": 1, "failed": 1, "pending": 1, "rate": 0.5}
        ]


async def test_a_report_of_no_days_is_refused(customer) -> None:
    """The field is named."""
    answer = await customer.api.get("/v1/usage/conversion", params={"from": "2026-02-02", "to": "2026-02-01"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "?from")
