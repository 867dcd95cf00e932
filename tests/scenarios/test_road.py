"""
A send goes all the way on real parts: tenant, admission, commit, lane, AWS, receipt, ledger, webhook.

Every test reads the end of the road (Postgres, the emulated AWS, the tenant's receiver), not the middle.
"""

import asyncio

import pytest

from tests.harness.numbers import german_number, us_number
from tests.harness.stack import US, US_PROMOTIONAL
from tests.harness.waiting import until

SENDER_ID = {"country": "DE", "type": "SENDER_ID", "value": "ACMEBANK", "parts_per_second": 100}


async def endpoint(customer, sink, path, events=()):
    """Add a webhook endpoint at the sink; return its secret."""
    body = {"url": f"{sink.url}{path}", "events": list(events)}
    made = await customer.live.post("/v1/webhook-endpoints", json=body)
    assert made.status_code == 201, made.text
    return made.json()["secret"]


async def footprint(stack, customer):
    """What sends leave behind for good; queue rows and holds come and go with earlier messages."""
    return dict(
        await stack.database.fetchrow(
            """
            SELECT (SELECT count(*) FROM messages WHERE tenant_id = $1) AS messages,
                (SELECT count(*) FROM events WHERE tenant_id = $1 AND type = 'message.queued') AS events,
                (SELECT count(*) FROM ledger_transfers WHERE tenant_id = $1 AND kind = 'hold') AS holds,
                (SELECT count(*) FROM idempotency_keys
                    WHERE tenant_id = $1 AND message_id IS NOT NULL) AS keys
            """,
            customer.uuid,
        )
    )


async def balance(stack, customer):
    """What the tenant has and what of it is held."""
    return dict(
        await stack.database.fetchrow("SELECT posted, held FROM balances WHERE tenant_id = $1", customer.uuid)
    )


async def refused(stack, customer, code, status, *, key=None, client=None, **members):
    """Send what must be refused with `code`, and prove that nothing was stored or held; explain knew."""
    before = await footprint(stack, customer)
    headers = {"Idempotency-Key": key} if key else {}
    answer = await (client or customer.live).post("/v1/messages", json=members, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    told = (await (client or customer.live).post("/v1/messages/explain", json=members)).json()
    assert told.get("refused_with", told.get("code")) == code, told
    assert await footprint(stack, customer) == before
    return answer


async def test_a_template_sent_by_one_of_two_tenants_is_delivered_paid_and_told_to_it_alone(stack, sink):
    """The main road from end to end, with a second tenant looking on and seeing nothing."""
    bank, shop = await stack.customer(credit="5.00"), await stack.customer()
    secret = await endpoint(bank, sink, "/bank")
    await endpoint(shop, sink, "/shop")
    template_id = await stack.approved_template(
        bank,
        name="code",
        type="otp",
        body="Your code is {code}.",
        variables={"code": {"kind": "digits", "max_length": 8}},
    )
    recipient = us_number()
    sent = await bank.send(to=recipient, template={"name": "code", "variables": {"code": "482913"}})
    assert sent.status_code == 202, sent.text
    accepted = sent.json()
    assert accepted["template"] == {"id": template_id, "version": 1}

    message = await bank.final(accepted["id"])
    assert (message["status"], message["body"]) == ("delivered", "Your code is 482913.")
    assert message["price"]["final"] == message["price"]["estimated"]

    [carried] = await stack.carried(to=recipient)
    assert carried["body"] == "Your code is 482913."
    assert carried["context"]["tg_m"] == accepted["id"]
    assert carried["context"]["tg_a"] == "1"

    paid = round(float(message["price"]["final"]) * 1_000_000)
    assert paid > 0
    assert await balance(stack, bank) == {"posted": 5_000_000 - paid, "held": 0}

    async def of_message():
        told = [post.verified(secret) for post in sink.of("/bank")]
        found = {each["type"]: each["data"] for each in told if each["data"].get("id") == accepted["id"]}
        return "message.delivered" in found and "message.queued" in found and found

    told = await until(of_message)
    assert told.keys() <= {"message.queued", "message.sent", "message.delivered"}
    delivered = told["message.delivered"]
    assert (delivered["status"], delivered["to"]) == ("delivered", recipient)
    assert sink.of("/shop") == []


async def test_the_history_shows_our_steps_and_aws_events_in_order(stack):
    """Every message can say where it is and why."""
    customer = await stack.customer()
    message_id = (await customer.send(to=us_number(), body="Hello")).json()["id"]
    await customer.final(message_id)

    async def whole_history():
        steps = (await customer.live.get(f"/v1/messages/{message_id}/events")).json()["data"]
        return steps if "TEXT_DELIVERED" in {step["type"] for step in steps} else None

    history = await until(whole_history)
    assert [step["at"] for step in history] == sorted(step["at"] for step in history)
    assert {step["type"] for step in history if step["source"] == "tollgate"} >= {
        "message.queued",
        "message.delivered",
    }
    assert {step["source"] for step in history if step["type"].startswith("TEXT_")} == {"aws"}
    assert "PhoneNumber" not in str(history)


async def test_a_message_the_carrier_blocks_is_undelivered_with_the_reason(stack):
    """A failed receipt is as much an answer as a delivered one; AWS charged, so the tenant pays."""
    customer = await stack.customer(countries=["DE"], senders=[SENDER_ID])
    await stack.emulate("carriers", {"DE": {"outcomes": {"CARRIER_BLOCKED": 1.0}}})
    try:
        message_id = (await customer.send(to=german_number(), body="Hallo")).json()["id"]
        message = await customer.final(message_id)
    finally:
        await stack.emulate("carriers", {"DE": {"outcomes": {"DELIVERED": 1.0}}})
    assert message["status"] == "undelivered"
    assert message["status_reason"]["code"] == "blocked_by_carrier"


async def test_a_template_that_is_not_approved_is_refused(stack):
    """A draft, a submitted one and someone else's are the same to a sender: not allowed."""
    customer, other = await stack.customer(), await stack.customer()
    draft = await customer.live.post(
        "/v1/templates", json={"name": "draft", "body": "Hello", "type": "transactional"}
    )
    foreign = await stack.approved_template(other)
    for reference in ({"id": draft.json()["id"]}, {"name": "draft"}, {"id": foreign}, {"name": "nothing"}):
        await refused(stack, customer, "template_not_allowed", 403, to=us_number(), template=reference)


async def test_a_template_restricted_tenant_cannot_send_free_text(stack):
    """Models 5 and 6 send what was approved and nothing else."""
    customer = await stack.customer(model=5)
    await refused(stack, customer, "template_required", 403, to=us_number(), body="Free text")
    template_id = await stack.approved_template(customer)
    assert (await customer.send(to=us_number(), template={"id": template_id})).status_code == 202


async def test_a_country_off_the_list_is_refused(stack):
    """The allowlist is closed unless the operator opens it."""
    customer = await stack.customer(countries=["US"])
    answer = await refused(stack, customer, "country_not_allowed", 403, to=german_number(), body="Hallo")
    assert "DE" in answer.text
    both = await stack.customer(countries=["US"], senders=[{"country": "US", "type": "TOLL_FREE"}, SENDER_ID])
    await refused(stack, both, "country_not_allowed", 403, to=german_number(), body="Hallo")


async def test_an_opted_out_recipient_is_refused_until_taken_off_the_list(stack):
    """A STOP costs the tenant nothing and holds within a moment, in both directions."""
    customer, recipient = await stack.customer(), us_number()
    assert (await customer.live.put(f"/v1/opt-outs/{recipient}")).is_success
    await refused(stack, customer, "opted_out", 403, to=recipient, body="Hello")
    assert (await customer.live.delete(f"/v1/opt-outs/{recipient}")).is_success
    assert (await customer.send(to=recipient, body="Hello")).status_code == 202


async def test_a_promotional_opt_out_leaves_other_messages_alone(stack):
    """A list belongs to a use case; `all` is the one for everything."""
    customer, recipient = await stack.customer(senders=[US, US_PROMOTIONAL]), us_number()
    await customer.live.put(f"/v1/opt-out-lists/promotional/numbers/{recipient}")
    await refused(stack, customer, "opted_out", 403, to=recipient, body="Sale", type="promotional")
    assert (await customer.send(to=recipient, body="Receipt", type="transactional")).status_code == 202


async def test_a_budget_runs_out_with_402_and_a_top_up_opens_it_again(stack):
    """Exactly what was paid for is sent, whatever the client asks for."""
    customer = await stack.customer(credit=2, plan={"pricing": "credits"})
    assert (await customer.send(to=us_number(), body="one")).status_code == 202
    assert (await customer.send(to=us_number(), body="two")).status_code == 202
    await refused(stack, customer, "insufficient_credits", 402, key="third", to=us_number(), body="three")
    await stack.operate("post", f"/v1/admin/tenants/{customer.id}/credits", {"amount": 1})
    assert (await customer.send(to=us_number(), body="three", key="third")).status_code == 202


async def test_a_request_rate_answers_429_with_the_time_to_wait(stack):
    """A client that is too fast is told when it may come back, and the wait is true."""
    customer = await stack.customer(plan={"requests_per_second": 2})
    answers = [await customer.send(to=us_number(), body="x") for _ in range(12)]
    limited = [answer for answer in answers if answer.status_code == 429]
    assert limited
    assert {answer.json()["code"] for answer in limited} == {"rate_limited"}
    assert all(1 <= int(answer.headers["Retry-After"]) <= 2 for answer in limited)
    accepted = sum(answer.status_code == 202 for answer in answers)
    assert (await footprint(stack, customer))["messages"] == accepted
    await asyncio.sleep(int(limited[-1].headers["Retry-After"]))
    assert (await customer.send(to=us_number(), body="later")).status_code == 202


async def test_a_tenant_that_is_not_live_sends_with_its_test_key_only(stack):
    """Live traffic begins when the operator has provisioned the tenant."""
    customer = await stack.customer(provision=False)
    test = await customer.test.post("/v1/messages", json={"to": us_number(), "body": "x"})
    assert test.status_code == 202
    answer = await customer.send(to=us_number(), body="x")
    assert answer.status_code in {403, 409}
    assert answer.json()["code"] in {"not_live", "no_originator"}
    provisioned = await stack.customer()
    await stack.operate("patch", f"/v1/admin/tenants/{provisioned.id}", {"live": False})
    await refused(stack, provisioned, "not_live", 403, to=us_number(), body="x")


async def test_a_suspended_tenant_sends_nothing_and_still_reads(stack):
    """What was accepted stays visible; what is asked now is refused."""
    customer = await stack.customer()
    message_id = (await customer.send(to=us_number(), body="before")).json()["id"]
    await stack.operate("post", f"/v1/admin/tenants/{customer.id}/suspend")
    await refused(stack, customer, "tenant_suspended", 403, to=us_number(), body="after")
    assert (await customer.message(message_id))["id"] == message_id


async def test_foreign_ids_do_not_exist(stack, sink):
    """Someone else's id and one that never was answer alike."""
    owner, stranger = await stack.customer(), await stack.customer()
    message_id = (await owner.send(to=us_number(), body="private")).json()["id"]
    template_id = await stack.approved_template(owner)
    made = await owner.live.post("/v1/webhook-endpoints", json={"url": sink.url})
    endpoint_id, key_id = made.json()["id"], (await owner.live.get("/v1/api-keys")).json()["data"][0]["id"]
    sender_id = (await owner.live.get("/v1/senders")).json()["data"][0]["id"]
    for method, path in (
        ("GET", f"/v1/messages/{message_id}"),
        ("GET", f"/v1/messages/{message_id}/events"),
        ("POST", f"/v1/messages/{message_id}/cancel"),
        ("GET", f"/v1/templates/{template_id}"),
        ("POST", f"/v1/templates/{template_id}/submit"),
        ("GET", f"/v1/webhook-endpoints/{endpoint_id}"),
        ("DELETE", f"/v1/webhook-endpoints/{endpoint_id}"),
        ("POST", f"/v1/webhook-endpoints/{endpoint_id}/rotate-secret"),
        ("GET", f"/v1/senders/{sender_id}"),
        ("DELETE", f"/v1/api-keys/{key_id}"),
    ):
        answer = await stranger.live.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), (method, path)
        if method == "GET":
            assert (await owner.live.request(method, path)).is_success, path
    assert (await stranger.live.get("/v1/messages")).json()["data"] == []


async def test_a_test_key_runs_the_road_on_the_sandbox(stack, sink):
    """Integration costs nothing, reaches no phone, and is told like the real thing."""
    customer, recipient = await stack.customer(), us_number()
    secret = await endpoint(customer, sink, "/test", ["message.delivered"])
    before = await balance(stack, customer)
    answer = await customer.test.post("/v1/messages", json={"to": recipient, "body": "Hello"})
    assert answer.status_code == 202, answer.text
    message_id = answer.json()["id"]

    async def delivered():
        message = (await customer.test.get(f"/v1/messages/{message_id}")).json()
        return message["status"] == "delivered" and message

    message = await until(delivered)
    assert message["test"] is True
    assert await balance(stack, customer) == before
    assert (await footprint(stack, customer))["holds"] == 0
    assert await stack.carried(to=recipient) == []
    [post] = await sink.wait_for("/test", 1)
    assert post.verified(secret)["data"]["id"] == message_id
    assert (await customer.live.get(f"/v1/messages/{message_id}")).status_code == 404


async def test_a_scheduled_message_waits_and_can_be_canceled_for_its_money(stack):
    """Nothing leaves before its time, and what is canceled is not paid."""
    customer = await stack.customer(credit=1, plan={"pricing": "credits"})
    recipient = us_number()
    sent = await customer.send(to=recipient, body="Later", send_at="2099-01-01T00:00:00Z")
    assert sent.status_code == 422, "35 days is the window"
    soon = await stack.database.fetchval("SELECT to_char(now() + '1 hour', 'YYYY-MM-DD\"T\"HH24:MI:SSOF:00')")
    sent = await customer.send(to=recipient, body="Later", send_at=soon)
    assert (sent.status_code, sent.json()["status"]) == (202, "scheduled"), sent.text
    canceled = await customer.live.post(f"/v1/messages/{sent.json()['id']}/cancel")
    assert (canceled.status_code, canceled.json()["status"]) == (200, "canceled")
    again = await customer.live.post(f"/v1/messages/{sent.json()['id']}/cancel")
    assert again.json()["status"] == "canceled"
    assert await balance(stack, customer) == {"posted": 1, "held": 0}
    assert await stack.carried(to=recipient) == []


async def test_a_scheduled_message_leaves_when_its_time_has_come(stack):
    """The clock, not a client, sends it."""
    customer = await stack.customer()
    soon = await stack.database.fetchval(
        "SELECT to_char((now() + '2 seconds') AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
    )
    sent = await customer.send(to=us_number(), body="Later", send_at=soon)
    assert sent.status_code == 202, sent.text
    message = await customer.final(sent.json()["id"])
    assert message["status"] == "delivered"
    assert message["dispatched_at"] >= soon


async def test_a_one_time_code_overtakes_a_campaign(stack):
    """A code that waits behind a sale is worth nothing."""
    customer = await stack.customer(countries=["DE"], senders=[SENDER_ID | {"parts_per_second": 5}])
    campaign = [german_number() for _ in range(20)]
    answers = await asyncio.gather(
        *(customer.send(to=number, body="Sale", type="promotional") for number in campaign)
    )
    assert {answer.status_code for answer in answers} == {202}
    code = german_number()
    answer = await customer.send(to=code, body="Your code is 1", type="otp")
    await customer.final(answer.json()["id"])
    for each in answers:
        assert (await customer.final(each.json()["id"]))["status"] == "delivered"
    ahead = [each for each in await stack.carried() if each["destination"] in campaign]
    [otp] = await stack.carried(to=code)
    overtaken = 20 - sum(each["accepted_at"] < otp["accepted_at"] for each in ahead)
    assert overtaken >= 10, f"only {overtaken} of 20 were still waiting"


@pytest.mark.parametrize("parts", [1, 3])
async def test_a_country_rate_in_parts_holds_at_the_carrier(stack, parts):
    """What AWS sees in any second is the plan's parts per second, and one message at most above."""
    rate = 10
    customer = await stack.customer(plan={"country_mps": {"US": rate}})
    body = "x" * (153 * (parts - 1) + 20)
    numbers = [us_number() for _ in range(36 // parts)]
    answers = await asyncio.gather(*(customer.send(to=number, body=body) for number in numbers))
    assert {(answer.status_code, answer.json()["parts"]) for answer in answers} == {(202, parts)}

    async def all_carried():
        found = [each for each in await stack.carried() if each["destination"] in set(numbers)]
        return found if len(found) == len(numbers) else []

    carried = await until(all_carried, within_s=60)
    stamps = [each["accepted_at"] for each in carried for _ in range(parts)]
    worst = max(sum(start <= stamp < start + 1000 for stamp in stamps) for start in stamps)
    assert worst <= rate + parts, f"{worst} parts in one second"


async def test_a_promotional_text_takes_a_promotional_number_or_is_refused_at_once(stack):
    """AWS refuses it on a transactional number; the tenant must hear that before the 202, not after."""
    plain = await stack.customer()
    await refused(stack, plain, "no_originator", 409, to=us_number(), body="Sale", type="promotional")
    both = await stack.customer(senders=[US, US_PROMOTIONAL])
    sale = (await both.send(to=us_number(), body="Sale", type="promotional")).json()
    receipt = (await both.send(to=us_number(), body="Receipt")).json()
    assert sale["from"] != receipt["from"]
    for each in (sale, receipt):
        assert (await both.final(each["id"]))["status"] == "delivered"


async def test_a_throttling_aws_delays_and_loses_nothing(stack):
    """A 400 with ThrottlingException is proof that nothing was sent, so it is sent again."""
    customer, numbers = await stack.customer(), [us_number() for _ in range(20)]
    await stack.emulate("faults", {"actions": {"SendTextMessage": {"throttle_rate": 0.4}}})
    try:
        answers = await asyncio.gather(*(customer.send(to=number, body="x") for number in numbers))
        messages = [await customer.final(answer.json()["id"]) for answer in answers]
    finally:
        await stack.emulate("faults", {})
    assert {message["status"] for message in messages} == {"delivered"}
    assert {message["attempts"] for message in messages} == {1}
    carried = [each["destination"] for each in await stack.carried() if each["destination"] in numbers]
    assert sorted(carried) == sorted(numbers)


@pytest.mark.parametrize("fault", ["accept_then_error_rate", "drop_after_accept_rate"])
async def test_an_answer_lost_after_the_accept_is_settled_by_the_receipt(stack, fault):
    """A text that may be out is never sent again blindly: its receipt names our message."""
    customer, numbers = await stack.customer(), [us_number() for _ in range(6)]
    await stack.emulate("faults", {"actions": {"SendTextMessage": {fault: 1.0}}})
    try:
        answers = [await customer.send(to=number, body="x", type="otp") for number in numbers]
        messages = [await customer.final(answer.json()["id"]) for answer in answers]
    finally:
        await stack.emulate("faults", {})
    assert {message["status"] for message in messages} == {"delivered"}
    assert not any(message["resend_of_unknown"] for message in messages)
    for number in numbers:
        assert len(await stack.carried(to=number)) == 1


async def test_receipts_that_come_twice_and_in_disorder_change_nothing(stack, sink):
    """One status change, one posting, one webhook id for each step, whatever SNS does."""
    customer = await stack.customer(credit="1.00")
    secret = await endpoint(customer, sink, "/twice", ["message.delivered"])
    await stack.emulate(
        "faults", {"receipts": {"duplicate_rate": 1.0, "duplicate_ids": "both", "reorder": True}}
    )
    try:
        ids = [(await customer.send(to=us_number(), body="x")).json()["id"] for _ in range(8)]
        messages = [await customer.final(each) for each in ids]
    finally:
        await stack.emulate("faults", {})
    assert {message["status"] for message in messages} == {"delivered"}
    posts = await sink.wait_for("/twice", 8)
    assert sorted(post.verified(secret)["data"]["id"] for post in posts) == sorted(ids)
    captures = await stack.database.fetchval(
        "SELECT count(*) FROM ledger_transfers WHERE tenant_id = $1 AND kind = 'capture'", customer.uuid
    )
    assert captures == 8
