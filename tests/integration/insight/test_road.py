"""From a send to its figures: the scheduler's rounds of a whole gateway, an emulated AWS, a real webhook."""

import csv
import io
from datetime import timedelta

from gateway.clock import SystemClock
from tests.harness.waiting import eventually

BLOCKED = {"US": {"outcomes": {"SPAM": 1.0}}}
WELL = {"US": {"outcomes": {"DELIVERED": 1.0}}}


async def test_blocked_messages_raise_an_alarm_by_webhook_and_stand_in_the_figures(stack, sink) -> None:
    """Nothing is called by hand: the rounds count, judge and tell."""
    customer = await stack.customer()
    made = await customer.live.post(
        "/v1/webhook-endpoints", json={"url": f"{sink.url}/alarms", "events": ["alarm.raised"]}
    )
    assert made.status_code == 201, made.text
    alarm = {
        "name": "spam",
        "metric": "block_rate",
        "raise_at": 0.5,
        "minimum_messages": 3,
        "rounds_to_raise": 1,
    }
    assert (await customer.live.post("/v1/alarms", json=alarm)).status_code == 201
    await stack.emulate("carriers", BLOCKED)
    try:
        sent = [await customer.send(to="+12065550123", body=f"Hello {n}", type="otp") for n in range(4)]
        for each in sent:
            assert each.status_code == 202, each.text
            assert (await customer.final(each.json()["id"]))["status"] == "undelivered"
    finally:
        await stack.emulate("carriers", WELL)
    await stack.database.execute("UPDATE alarms SET due_at = now() WHERE tenant_id = $1", customer.uuid)
    (post, *_) = await sink.wait_for("/alarms", 1)
    told = post.verified(made.json()["secret"])
    assert (told["type"], told["data"]["metric"], told["data"]["value"]) == (
        "alarm.raised",
        "block_rate",
        1.0,
    )

    async def counted() -> dict | None:
        answer = await customer.live.get("/v1/insight/summary", params={"group_by": "country,type"})
        rows = answer.json()["data"]
        return rows[0] if rows and rows[0]["blocked"] == 4 else None

    figures = await eventually(counted, within_s=90.0)
    assert (figures["accepted"], figures["rates"]["delivery_rate"]) == (4, 0.0)
    case = (await customer.live.get("/v1/insight/evidence")).json()
    assert (case["in_trouble"], len(case["examples"])) == (4, 4)
    assert all(row["message_id"] and row["description"] and row["carrier"] for row in case["examples"])
    since = (SystemClock().now() - timedelta(hours=1)).isoformat()
    answer = await customer.live.get("/v1/exports/messages", params={"created_after": since})
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert {row["provider_status"] for row in rows} == {"SPAM"}
    assert len(rows) == 4
