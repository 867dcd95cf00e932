"""
What people write goes all the way: AWS, SNS, the inbox, the keyword, the opt-out, the one confirmation.

Every test reads the ends of the road: what the phone got, what the tenant is told, what is refused since.
"""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tests.harness.inbound import LONG_CODE, received, taken_in, two_way_number, writes
from tests.harness.numbers import us_number
from tests.harness.stack import US
from tests.harness.waiting import until


async def talking(stack, **changes):
    """A tenant with a number that people can answer to, and the gateway answering."""
    customer = await stack.customer(senders=[LONG_CODE], **changes)
    return customer, await two_way_number(stack, customer)


async def is_refused(customer, person, code="opted_out"):
    """Whether a send is refused with this code."""
    answer = await customer.send(to=person, body="Hello")
    return answer.status_code == 403 and answer.json()["code"] == code


async def endpoint(customer, sink, path, *events):
    """Add a webhook endpoint at the sink; return its secret."""
    made = await customer.live.post(
        "/v1/webhook-endpoints", json={"url": f"{sink.url}{path}", "events": events}
    )
    assert made.status_code == 201, made.text
    return made.json()["secret"]


async def test_a_stop_stops_is_confirmed_once_and_told_and_a_join_restores(stack, sink):
    """The main road, there and back."""
    customer, sender = await talking(stack)
    secret = await endpoint(customer, sink, "/talk", "inbound.received", "opt_out.created", "opt_out.removed")
    person = us_number()
    first = (await customer.send(to=person, body="Your parcel is here")).json()
    await customer.final(first["id"])

    await writes(stack, person, sender["value"], "Stop!")
    (text,) = await taken_in(customer, 1)
    assert (text["from"], text["to"], text["body"]) == (person, sender["value"], "Stop!")
    assert (text["action"], text["keyword"], text["lists"]) == ("opt_out", "STOP", ["all"])
    assert text["previous_message_id"] == first["id"]
    assert text["reply"]["state"] == "sent"
    confirmation = await customer.final(text["reply"]["message_id"])
    assert (confirmation["status"], confirmation["from"]) == ("delivered", sender["value"])
    assert await is_refused(customer, person)

    await writes(stack, person, sender["value"], "STOP")
    again, _ = await taken_in(customer, 2)
    assert again["reply"]["state"] == "none"
    texts = await received(stack, person, 2)
    assert texts[1].startswith("A customer: You are unsubscribed")
    assert len(texts) == 2

    (line,) = (await customer.live.get("/v1/opt-outs/changes", params={"number": person})).json()["data"]
    assert (line["change"], line["source"], line["actor"]) == ("opted_out", "keyword", "recipient")
    assert line["inbound_id"] == text["id"]
    posts = [post.verified(secret) for post in await sink.wait_for("/talk", 3)]
    told = {post["type"]: post["data"] for post in posts}
    assert told["opt_out.created"] == {
        "list": "all", "source": "keyword", "change": line["id"], "number": person
    }  # fmt: skip
    inbound = next(
        p["data"] for p in posts if p["type"] == "inbound.received" and p["data"]["id"] == text["id"]
    )
    assert (inbound["from"], inbound["body"], inbound["action"]) == (person, "Stop!", "opt_out")

    await stack.database.execute("UPDATE inbound_messages SET reply_at = reply_at - interval '1 hour'")
    await writes(stack, person, sender["value"], "join")
    joined = (await taken_in(customer, 3))[0]
    assert (joined["action"], joined["reply"]["state"]) == ("opt_in", "sent")
    assert (await customer.send(to=person, body="Welcome back")).status_code == 202


async def test_help_is_answered_though_the_person_has_opted_out_and_only_templates_may_be_sent(stack):
    """Help is a duty whatever a tenant's model and a person's opt-outs are."""
    customer, sender = await talking(stack, model=5)
    person = us_number()
    await customer.live.put(f"/v1/opt-outs/{person}")
    await writes(stack, person, sender["value"], "AYUDA")
    (text,) = await taken_in(customer, 1)
    assert (text["action"], text["reply"]["state"]) == ("help", "sent")
    assert (await received(stack, person, 1))[0].startswith("A customer: mensajes automaticos")
    assert await is_refused(customer, person, "template_required")


async def test_a_tenants_keyword_answers_and_not_whom_it_may_not_text(stack):
    """The tenant's own words are promotion, not duty."""
    customer, sender = await talking(stack)
    made = await customer.live.post("/v1/keywords", json={"word": "Pizza", "reply": "{brand} has pizza"})
    assert made.status_code == 201, made.text
    hungry, done = us_number(), us_number()
    await customer.live.put(f"/v1/opt-outs/{done}")
    await writes(stack, hungry, sender["value"], "PIZZA please")
    await writes(stack, done, sender["value"], "pizza")
    texts = {text["from"]: text["reply"] for text in await taken_in(customer, 2)}
    assert texts[hungry]["state"] == "sent"
    assert texts[done]["state"] == "refused"
    assert texts[done]["detail"].startswith("opted_out")
    assert await received(stack, hungry, 1) == ["A customer has pizza"]


async def test_on_a_toll_free_number_the_network_answers_and_the_gateway_follows(stack):
    """A second confirmation would be paid for and never arrive."""
    customer = await stack.customer(senders=[US])
    sender = await two_way_number(stack, customer, opt_outs="managed")
    person = us_number()
    await writes(stack, person, sender["value"], "stop")
    (text,) = await taken_in(customer, 1)
    assert text["reply"]["state"] == "by_carrier"
    assert await is_refused(customer, person)
    (line,) = (await customer.live.get("/v1/opt-outs/changes", params={"number": person})).json()["data"]
    assert line["source"] == "carrier"
    await writes(stack, person, sender["value"], "UNSTOP")
    assert (await taken_in(customer, 2))[0]["reply"]["state"] == "by_carrier"
    assert (await customer.send(to=person, body="Hello again")).status_code == 202
    view = (await customer.live.get(f"/v1/senders/{sender['id']}/two-way")).json()
    stop = next(each for each in view["replies"] if each["keyword"] == "STOP")
    assert (view["opt_outs"], stop["read_only"], stop["answered_by"]) == ("carrier", True, "carrier")
    assert stop["text"].startswith("NETWORK MSG")


async def test_a_message_in_line_does_not_leave_after_the_stop(stack):
    """It was accepted before; the person has said no since."""
    customer, sender = await talking(stack)
    person = us_number()
    in_two_days = datetime.now(UTC) + timedelta(days=2)
    waiting = (await customer.send(to=person, body="Later", send_at=in_two_days.isoformat())).json()
    await writes(stack, person, sender["value"], "STOP")
    await taken_in(customer, 1)
    await stack.database.execute(
        "UPDATE dispatch_queue SET due_at = now() WHERE tenant_id = $1", customer.uuid
    )
    ended = await customer.final(waiting["id"])
    assert (ended["status"], ended["status_reason"]["code"]) == ("failed", "opted_out")
    assert ended["price"]["final"] == "0.00"
    assert "Later" not in await received(stack, person, 1)


async def test_a_text_for_a_number_nobody_has_waits_for_its_tenant(stack):
    """A STOP that comes before the number was entered still stops."""
    customer, sender = await talking(stack)
    await stack.database.execute(
        "UPDATE senders SET value = '+12065559999' WHERE tenant_id = $1", customer.uuid
    )
    person = us_number()
    await writes(stack, person, sender["value"], "STOP")

    async def quarantined():
        rows = (await stack.operate("get", "/v1/admin/inbound/quarantined"))["data"]
        return [row for row in rows if row["to"] == sender["value"]]

    await until(quarantined)
    value = "UPDATE senders SET value = $2 WHERE tenant_id = $1"
    await stack.database.execute(value, customer.uuid, sender["value"])
    assert (await stack.operate("post", "/v1/admin/inbound/quarantined/return"))["texts"] >= 1
    (text,) = await taken_in(customer, 1)
    assert text["action"] == "opt_out"
    assert await quarantined() == []


async def test_a_text_is_its_tenants_alone(stack):
    """A foreign id answers like one that does not exist."""
    (customer, sender), (stranger, _) = await asyncio.gather(talking(stack), talking(stack))
    await writes(stack, us_number(), sender["value"], "Hello?")
    (text,) = await taken_in(customer, 1)
    assert (text["action"], text["reply"]["state"]) == (None, "none")
    assert (await stranger.live.get(f"/v1/inbound-messages/{text['id']}")).status_code == 404
    assert (await stranger.live.get("/v1/inbound-messages")).json()["data"] == []
    assert (await customer.live.get(f"/v1/inbound-messages/{text['id']}")).json() == text


async def test_a_forged_text_stops_nobody(stack):
    """Anybody may post to the address; only AWS's signature makes a text of it."""
    customer, sender = await talking(stack)
    topic = await stack.database.fetchval("SELECT topic_arn FROM aws_accounts WHERE topic_arn IS NOT NULL")
    person = us_number()
    text = {
        "originationNumber": person,
        "destinationNumber": sender["value"],
        "messageKeyword": "STOP",
        "messageBody": "STOP",
        "inboundMessageId": str(uuid4()),
    }
    envelope = {
        "Type": "Notification",
        "MessageId": str(uuid4()),
        "TopicArn": topic,
        "Message": json.dumps(text),
        "Timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "SignatureVersion": "2",
        "Signature": "Zm9yZ2Vk",
        "SigningCertURL": "https://sns.attacker.example/SimpleNotificationService-1.pem",
        "UnsubscribeURL": "https://sns.attacker.example/",
    }
    answer = await stack.operator.post("/v1/ingest/sns", content=json.dumps(envelope))
    assert (answer.status_code, answer.json()["code"]) == (403, "envelope_rejected")
    assert (await customer.send(to=person, body="Hello")).status_code == 202
    assert (await customer.live.get("/v1/inbound-messages")).json()["data"] == []


@pytest.mark.parametrize("path", ["/v1/inbound-messages/inb_1", "/v1/keywords/kwd_1"])
async def test_an_id_that_cannot_be_is_not_found(stack, path):
    """Says no more than a foreign one."""
    customer = await stack.customer(provision=False)
    assert (await customer.live.get(path)).status_code == 404
