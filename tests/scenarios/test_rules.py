"""Every rule on the road: what the API answers, what AWS gets, and how fast a change of a rule holds."""

from datetime import datetime, timedelta

import pytest

from gateway.emulator.arns import build
from gateway.emulator.state.records import SenderId
from tests.harness.nights import day_now, night_now
from tests.harness.numbers import german_number, indian_number, us_number
from tests.harness.stack import US, US_PROMOTIONAL

INDIAN = {"country": "IN", "type": "SENDER_ID", "value": "ACMEBK", "parts_per_second": 100}
GERMAN = {"country": "DE", "type": "SENDER_ID", "value": "ACMEBANK", "parts_per_second": 100}


async def _refused(customer, status: int, code: str, **members) -> dict:
    answer = await customer.send(**members)
    problem = answer.json()
    assert (answer.status_code, problem.get("code")) == (status, code), answer.text
    assert problem["charged"] is False
    return problem


async def _taken(customer, **members) -> dict:
    answer = await customer.send(**members)
    assert answer.status_code == 202, answer.text
    return answer.json()


async def _plan(stack, customer, **members) -> None:
    await stack.operate("patch", f"/v1/admin/tenants/{customer.id}", {"plan": members})


async def _customer_in_india(stack):
    """A sender id in India comes of a registration, which takes AWS weeks; here it is there already."""
    customer = await stack.customer(countries=["US", "IN"])
    for store in stack.emulator.world.stores.all():
        store.put(
            SenderId(
                scope=store.scope,
                sender_id=INDIAN["value"],
                country="IN",
                message_types=["TRANSACTIONAL"],
                monthly_price="0.00",
                created_s=stack.emulator.world.clock.now_s(),
                registered=True,
            )
        )
    [account] = (await stack.operate("get", "/v1/admin/aws-accounts"))["data"]
    [store] = [each for each in stack.emulator.world.stores.all() if each.region == account["region"]]
    arn = build(store, "sender-id", f"{INDIAN['value']}/IN")
    body = INDIAN | {"account": account["id"], "arn": arn}
    await stack.operate("post", f"/v1/admin/tenants/{customer.id}/senders", body)
    return customer


async def test_each_rule_refuses_and_opens_with_the_next_send_after_its_change(stack) -> None:
    """An operator who opens or closes something sees it at once, and nobody has to be restarted."""
    customer = await stack.customer()
    for closing, opening, code, members in (
        ({"channels": ["mms"]}, {"channels": ["sms"]}, "channel_disabled", {"body": "Hello"}),
        (
            {"rollout": {"US": {"phase": "planned"}}},
            {"rollout": {"US": None}},
            "country_not_allowed",
            {"body": "Hello"},
        ),
        (
            {"content_screen": "restricted"},
            {"content_screen": "off"},
            "content_refused",
            {"body": "Vote for Acme"},
        ),
    ):
        await _plan(stack, customer, **closing)
        await _refused(customer, 403, code, to=us_number(), **members)
        await _plan(stack, customer, **opening)
        await _taken(customer, to=us_number(), **members)


async def test_a_text_with_a_shortener_is_refused_and_names_it(stack) -> None:
    """The fault names the field and the way out."""
    customer = await stack.customer()
    problem = await _refused(customer, 403, "content_refused", to=us_number(), body="see b\u0456t.ly/3abc")
    assert problem["errors"][0]["field"] == "/body"
    assert "bit.ly" in problem["detail"]


async def test_the_gate_that_refuses_anyway_is_named_before_a_rule(stack) -> None:
    """Whoever changes the text first would hear of the country only then."""
    customer = await stack.customer(senders=[US, GERMAN])
    await _refused(customer, 403, "country_not_allowed", to=german_number(), body="see bit.ly/3abc")


async def test_india_demands_its_ids_and_aws_gets_them(stack) -> None:
    """From the request, or from the template and the plan; the emulated carrier drops a text without."""
    customer = await _customer_in_india(stack)
    number = indian_number()
    problem = await _refused(customer, 422, "country_parameters_required", to=number, body="Acme: hello")
    assert problem["errors"][0]["field"] == "/country_parameters/entity_id"
    await _refused(
        customer, 422, "country_parameters_required",
        to=number, body="Acme: hello", country_parameters={"entity_id": "1101"},
    )  # fmt: skip
    ids = {"entity_id": "1101", "template_id": "1107"}
    message = await _taken(customer, to=number, body="Acme: hello", country_parameters=ids)
    await customer.final(message["id"])
    [carried] = await stack.carried(to=number)
    assert carried["country_parameters"] == {"IN_ENTITY_ID": "1101", "IN_TEMPLATE_ID": "1107"}

    await _plan(stack, customer, india_entity_id="2201")
    template_id = await stack.approved_template(
        customer, body="Acme: your parcel {code} is here", dlt_template_id="2207",
        variables={"code": {"kind": "digits", "max_length": 6}},
    )  # fmt: skip
    shown = (await customer.live.get(f"/v1/templates/{template_id}")).json()
    assert shown["dlt_template_id"] == "2207"
    other = indian_number()
    message = await _taken(customer, to=other, template={"id": template_id, "variables": {"code": "1"}})
    assert (await customer.final(message["id"]))["status"] == "delivered"
    [carried] = await stack.carried(to=other)
    assert carried["country_parameters"] == {"IN_ENTITY_ID": "2201", "IN_TEMPLATE_ID": "2207"}


async def test_country_parameters_are_indias_alone(stack) -> None:
    """Elsewhere they would be dropped silently, and a mistake never shows."""
    customer = await stack.customer()
    problem = await _refused(
        customer,
        422,
        "validation_failed",
        to=us_number(),
        body="Hello",
        country_parameters={"entity_id": "1"},
    )
    assert problem["errors"][0]["field"] == "/country_parameters"


async def test_a_promotional_text_at_night_is_taken_and_waits(stack) -> None:
    """The answer says why, its life begins in the morning, and a replay says the same."""
    number = us_number()
    customer = await stack.customer(
        senders=[US, US_PROMOTIONAL],
        plan={"quiet_hours": {"policy": "hold", "windows": {"US": night_now(number)}}},
    )
    body = {"to": number, "body": "Sale at Acme. Reply STOP to opt out", "type": "promotional"}
    message = await _taken(customer, key="night-1", ttl_seconds=60, **body)
    assert (message["status"], message["status_reason"]["code"]) == ("scheduled", "quiet_hours")
    leaves_at = datetime.fromisoformat(message["send_at"])
    assert timedelta(minutes=110) < leaves_at - datetime.fromisoformat(message["created_at"])
    assert datetime.fromisoformat(message["expires_at"]) - leaves_at == timedelta(seconds=60)
    replayed = await customer.send(key="night-1", ttl_seconds=60, **body)
    assert (replayed.status_code, replayed.json()) == (202, message)
    assert (await customer.message(message["id"]))["status_reason"] == message["status_reason"]
    canceled = await customer.live.post(f"/v1/messages/{message['id']}/cancel")
    assert (canceled.json()["status"], canceled.json()["status_reason"]) == ("canceled", None)


async def test_a_time_that_was_asked_for_moves_out_of_the_night(stack) -> None:
    """Whoever schedules in advance does not count zones."""
    number = us_number()
    night = night_now(number)
    customer = await stack.customer(
        senders=[US, US_PROMOTIONAL], plan={"quiet_hours": {"policy": "hold", "windows": {"US": night}}}
    )
    now = datetime.now().astimezone()
    asked = (now + timedelta(minutes=30)).isoformat()
    message = await _taken(
        customer, to=number, body="Sale. Reply STOP to opt out", type="promotional", send_at=asked
    )
    assert message["status_reason"]["code"] == "quiet_hours"
    assert datetime.fromisoformat(message["send_at"]) > now + timedelta(minutes=100)
    later = (now + timedelta(hours=4)).isoformat(timespec="milliseconds")
    kept = await _taken(
        customer, to=number, body="Sale. Reply STOP to opt out", type="promotional", send_at=later
    )
    assert kept["status_reason"] is None
    assert datetime.fromisoformat(kept["send_at"]) == datetime.fromisoformat(later)


async def test_a_plan_may_refuse_at_night_and_says_when_to_come_back(stack) -> None:
    """Transactional texts pass at any hour."""
    number = us_number()
    customer = await stack.customer(
        senders=[US, US_PROMOTIONAL],
        plan={"quiet_hours": {"policy": "refuse", "windows": {"US": night_now(number)}}},
    )
    problem = await _refused(customer, 403, "quiet_hours", to=number, body="Sale", type="promotional")
    assert 100 * 60_000 < problem["retry_after_ms"] <= 121 * 60_000
    await _taken(customer, to=number, body="Your parcel is here")
    await _plan(stack, customer, quiet_hours={"policy": "refuse", "windows": {"US": day_now(number)}})
    await _taken(customer, to=number, body="Sale", type="promotional")


async def test_defaults_of_the_plan_fill_what_a_send_leaves_out(stack) -> None:
    """The default sender is preferred where it can carry the message and forgotten where it cannot."""
    customer = await stack.customer(countries=["US", "DE"], senders=[US, GERMAN, US_PROMOTIONAL])
    await _plan(stack, customer, default_type="promotional", default_from="ACMEBANK")
    message = await _taken(customer, to=us_number(), body="Hello")
    assert message["type"] == "promotional"
    german = await _taken(customer, to=german_number(), body="Hello", type="transactional")
    assert german["from"] == "ACMEBANK"
    named = await _taken(customer, to=us_number(), body="Hello", type="otp")
    assert named["type"] == "otp"


@pytest.mark.parametrize(("use_case", "taken"), [("account_notification", True), ("marketing", False)])
async def test_a_sender_registered_for_another_use_does_not_carry_it(stack, use_case, taken) -> None:
    """Carriers compare texts with the registration and suspend the sender that strays."""
    customer = await stack.customer()
    await stack.database.execute(
        "UPDATE senders SET use_cases = $2 WHERE tenant_id = $1", customer.uuid, [use_case]
    )
    if taken:
        await _taken(customer, to=us_number(), body="Hello")
    else:
        problem = await _refused(customer, 403, "use_case_mismatch", to=us_number(), body="Hello")
        assert "marketing" in problem["detail"]


async def test_an_explanation_lists_every_rule(stack) -> None:
    """Also those behind the one that refuses."""
    customer = await stack.customer(plan={"rollout": {"US": {"phase": "test"}}})
    answer = await customer.live.post(
        "/v1/messages/explain", json={"to": us_number(), "body": "see bit.ly/3abc"}
    )
    told = answer.json()
    gates = {each["gate"]: each for each in told["gates"]}
    assert (told["accepted"], told["refused_with"]) == (False, "destination_not_verified")
    assert gates["channel"]["verdict"] == "open"
    assert (gates["rollout_phase"]["verdict"], gates["rollout_phase"]["code"]) == (
        "closed",
        "destination_not_verified",
    )
    assert gates["content"]["code"] == "content_refused"
    assert {"country_parameters", "quiet_hours"} <= gates.keys()


async def test_a_country_that_is_rolled_out_takes_so_many_messages_a_day(stack) -> None:
    """The refusal says when the day ends; a higher cap is in force with the next send."""
    customer = await stack.customer(plan={"rollout": {"US": {"daily_cap": 1}}})
    await _taken(customer, to=us_number(), body="Hello")
    problem = await _refused(customer, 429, "daily_cap_reached", to=us_number(), body="Hello")
    assert 0 < problem["retry_after_ms"] <= 86_400_000
    await _plan(stack, customer, rollout={"US": {"daily_cap": 2}})
    await _taken(customer, to=us_number(), body="Hello")
