"""Senders and routes in the operator's hands: adding, swapping, ordering, disabling, and explaining."""

from uuid import uuid4

import pytest

from tenants.ids import decode, encode, new_uuid


async def account(operator, **facts):
    """An AWS account of its own."""
    answer = await operator.put(f"/v1/admin/aws-accounts/{uuid4().hex}", json={"region": "us-east-1"} | facts)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def sender(operator, customer, acc, **facts):
    """A long code of the customer."""
    body = {
        "account": acc["id"],
        "type": "LONG_CODE",
        "value": f"+1206555{uuid4().int % 10_000:04d}",
        "country": "US",
        "arn": f"arn:aws:sms-voice:us-east-1:1:phone-number/phone-{uuid4().hex}",
    }
    answer = await operator.post(f"/v1/admin/tenants/{customer.id}/senders", json=body | facts)
    assert answer.status_code == 200, answer.text
    return answer.json()


def path(customer, row, move):
    """Where a sender is moved."""
    return f"/v1/admin/tenants/{customer.id}/senders/{row['id']}/{move}"


async def test_what_waits_for_a_sender_is_to_follow_it_to_another_account(operator, customer, database):
    """Added anew by its ARN, it is the same sender; to add it again as it is moves nothing."""
    there, here = await account(operator), await account(operator)
    made = await sender(operator, customer, there, value="+12065550177", arn="arn:aws:sms-voice:moves")
    orders = "SELECT count(*) FROM relane_orders WHERE sender_id = $1"
    for acc, ordered in ((there, 0), (here, 1)):
        again = await sender(operator, customer, acc, value="+12065550177", arn="arn:aws:sms-voice:moves")
        assert again["id"] == made["id"]
        assert await database.fetchval(orders, decode("idn", made["id"])) == ordered


async def test_a_sender_that_exists_at_aws_is_added_by_its_arn_and_shown_to_its_tenant(operator, customer):
    """Also one that another account shares: it is named by ARN. The rate is AWS's default for the type."""
    acc = await account(operator)
    made = await sender(
        operator,
        customer,
        acc,
        type="TEN_DLC",
        channels=["sms", "mms"],
        two_way=True,
        use_cases=["MARKETING"],
    )
    assert (made["state"], made["parts_per_second"], made["use_cases"]) == ("active", 1.0, ["MARKETING"])
    assert (await customer.api.get(f"/v1/senders/{made['id']}")).json() == made


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"account": "nonsense"}, "/account"),
        ({"type": "PIGEON"}, "/type"),
        ({"type": "SHARED"}, "/country"),
        ({"channels": ["fax"]}, "/channels/0"),
        ({"country": "usa"}, "/country"),
        ({"country": "ZZ"}, "/country"),
        ({"account": encode("acc", new_uuid())}, "/account"),
        ({"value": "not a number"}, "/value"),
        ({"value": "+12065550100\n"}, "/value"),
        ({"type": "SENDER_ID", "country": "GB", "value": "-!!!\n"}, "/value"),
        ({"type": "SENDER_ID", "country": "GB", "value": "TWELVESIGNS1"}, "/value"),
        ({"arn": " "}, "/arn"),
        ({"arn": "arn:x\n"}, "/arn"),
        ({"use_cases": ["otp", "nonsense"]}, "/use_cases/1"),
    ],
)
async def test_a_sender_that_breaks_a_rule_is_refused_with_its_field(operator, customer, change, field):
    """There are no shared routes to the United States, for one; nothing is stored."""
    acc = await account(operator)
    body = {
        "account": acc["id"],
        "type": "LONG_CODE",
        "value": "+12065550100",
        "country": "US",
        "arn": "arn:x",
    }
    answer = await operator.post(f"/v1/admin/tenants/{customer.id}/senders", json=body | change)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), answer.text
    assert (await customer.api.get("/v1/senders")).json()["data"] == []


async def test_a_sender_is_not_added_in_another_tenants_own_account(operator, customer, stranger):
    """Its messages could never leave there."""
    own = {"role_arn": "arn:aws:iam::111122223333:role/x", "external_id": "xy"}
    theirs, mine = (
        await account(operator, owner=stranger.id, **own),
        await account(operator, owner=customer.id, **own),
    )
    body = {"type": "SENDER_ID", "value": "ACME", "country": "GB", "arn": f"arn:{uuid4().hex}"}
    path = f"/v1/admin/tenants/{customer.id}/senders"
    refused = await operator.post(path, json=body | {"account": theirs["id"]})
    [fault] = refused.json()["errors"]
    assert (refused.status_code, fault["field"], fault["code"]) == (422, "/account", "no_such_account")
    assert (await operator.post(path, json=body | {"account": mine["id"]})).status_code == 200


async def test_a_standby_takes_a_blocked_senders_place_in_one_call(operator, customer, world, database):
    """States, pool, audit, event and projection, or nothing; asking again with the key answers the same."""
    acc = await account(operator)
    blocked, standby = (
        await sender(operator, customer, acc),
        await sender(operator, customer, acc, standby=True),
    )
    body = {"standby": standby["id"], "reason": "blocked by the carrier"}
    headers = {"Idempotency-Key": uuid4().hex}
    answer = await operator.post(path(customer, blocked, "swap"), json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["out"]["state"], answer.json()["standby"]["state"]) == ("disabled", "active")
    again = await operator.post(path(customer, blocked, "swap"), json=body, headers=headers)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (answer.json(), "true")
    audit = (await operator.get(f"/v1/admin/tenants/{customer.id}/audit")).json()["data"]
    [row] = [row for row in audit if row["action"] == "sender.swapped"]
    assert (row["subject"], row["detail"]) == (blocked["id"], body)
    told = "SELECT data->>'standby' FROM events WHERE tenant_id = $1 AND type = 'sender.swapped'"
    assert await database.fetchval(told, customer.scope.tenant_id) == standby["id"]
    assert customer.scope.tenant_id in world.projection.policies


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"country": "CA", "standby": True}, "other_country"),
        ({"message_types": ["promotional"], "standby": True}, "carries_less"),
        ({"channels": ["voice"], "standby": True}, "carries_less"),
        ({"two_way": False, "standby": True}, "one_way"),
        ({"use_cases": ["MARKETING"], "standby": True}, "use_case_not_registered"),
    ],
)
async def test_a_standby_that_could_not_carry_it_is_refused(operator, customer, change, code):
    """Better now than with the first message."""
    acc = await account(operator)
    able = {"channels": ["sms", "voice"], "two_way": True, "use_cases": ["2FA"]}
    blocked = await sender(operator, customer, acc, **able)
    standby = await sender(operator, customer, acc, **(able | change))
    answer = await operator.post(path(customer, blocked, "swap"), json={"standby": standby["id"]})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code)
    assert (await customer.api.get(f"/v1/senders/{blocked['id']}")).json()["state"] == "active"


async def test_a_standby_by_which_nothing_of_the_tenants_may_leave_is_refused(operator, customer):
    """Its messages would have nowhere to go."""
    acc, elsewhere = await account(operator), await account(operator)
    blocked = await sender(operator, customer, acc)
    standby = await sender(operator, customer, elsewhere, standby=True)
    routes = f"/v1/admin/tenants/{customer.id}/routes"
    await operator.put(routes, json={"routes": [acc["id"]]})
    answer = await operator.post(path(customer, blocked, "swap"), json={"standby": standby["id"]})
    [fault] = answer.json()["errors"]
    assert (answer.status_code, fault["field"], fault["code"]) == (422, "/standby", "route_not_allowed")
    await operator.put(routes, json={"routes": [acc["id"], elsewhere["id"]]})
    answer = await operator.post(path(customer, blocked, "swap"), json={"standby": standby["id"]})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("state", ["released", "pending"])
async def test_a_number_that_aws_does_not_lend_is_not_swapped_back_into_use(
    operator, customer, database, state
):
    """A released number may be somebody else's by now; its release stays written down."""
    acc = await account(operator)
    gone, standby = await sender(operator, customer, acc), await sender(operator, customer, acc, standby=True)
    row = decode("idn", gone["id"])
    await database.execute("UPDATE senders SET state = $2 WHERE id = $1", row, state)
    facts = "SELECT state, released_at FROM senders WHERE id = $1"
    before = dict(await database.fetchrow(facts, row))
    for move, body in (("swap", {"standby": standby["id"]}), ("enable", {"reason": "x"})):
        answer = await operator.post(path(customer, gone, move), json=body)
        [fault] = answer.json()["errors"]
        assert (answer.status_code, fault["field"], fault["code"]) == (422, "/sender", "not_ready")
    assert dict(await database.fetchrow(facts, row)) == before


async def test_nobody_swaps_in_another_tenants_sender(operator, customer, stranger):
    """Neither as the one nor as the other."""
    acc = await account(operator)
    mine, theirs = await sender(operator, customer, acc), await sender(operator, stranger, acc, standby=True)
    for out, standby in ((mine, theirs), (theirs, mine), (mine, {"id": encode("idn", new_uuid())})):
        answer = await operator.post(path(customer, out, "swap"), json={"standby": standby["id"]})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_disabled_sender_is_ill_for_every_process_until_it_is_enabled(operator, customer, database):
    """With the reason where the operator looks, and an order to move what waits."""
    acc = await account(operator)
    row = await sender(operator, customer, acc)
    answer = await operator.post(path(customer, row, "disable"), json={"reason": "audit"})
    assert answer.json()["state"] == "disabled"
    seen = (await operator.get("/v1/admin/routes/health")).json()["senders"]
    assert [
        (each["health"]["state"], each["health"]["reason"]) for each in seen if each["sender"] == row["id"]
    ] == [("disabled", "audit")]
    orders = "SELECT count(*) FROM relane_orders WHERE sender_id = $1"
    assert await database.fetchval(orders, decode("idn", row["id"])) == 1
    answer = await operator.post(path(customer, row, "enable"), json={"reason": "passed"})
    assert answer.json()["state"] == "active"
    assert await database.fetchval(orders, decode("idn", row["id"])) == 0


async def test_a_route_is_taken_out_of_use_and_back(operator, customer, database):
    """For every tenant; the senders behind it get their orders."""
    acc = await account(operator)
    row = await sender(operator, customer, acc)
    answer = await operator.post(f"/v1/admin/routes/{acc['id']}/disable", json={"reason": "AWS is down"})
    assert answer.json()["health"]["state"] == "disabled"
    orders = "SELECT reason FROM relane_orders WHERE sender_id = $1"
    assert await database.fetchval(orders, decode("idn", row["id"])) == "AWS is down"
    listed = (await operator.get("/v1/admin/routes/health")).json()["routes"]
    assert {each["account"]: each["health"]["state"] for each in listed}[acc["id"]] == "disabled"
    answer = await operator.post(f"/v1/admin/routes/{acc['id']}/enable", json={"reason": "up again"})
    assert answer.json()["health"]["state"] == "healthy"
    missing = await operator.post(
        f"/v1/admin/routes/{encode('acc', new_uuid())}/disable", json={"reason": "x"}
    )
    assert missing.status_code == 404


async def test_a_tenants_routes_are_set_in_order_and_unset(operator, customer, stranger):
    """A tenant's own account stands in no other tenant's list."""
    one, two = await account(operator), await account(operator, region="eu-west-1")
    own = await account(
        operator, owner=stranger.id, role_arn="arn:aws:iam::111122223333:role/x", external_id="xy"
    )
    where = f"/v1/admin/tenants/{customer.id}/routes"
    answer = await operator.put(where, json={"routes": [two["id"], one["id"]]})
    assert [row["account"] for row in answer.json()["data"]] == [two["id"], one["id"]]
    assert [row["position"] for row in (await operator.get(where)).json()["data"]] == [1, 2]
    refused = await operator.put(where, json={"routes": [own["id"]]})
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    twice = await operator.put(where, json={"routes": [one["id"], one["id"]]})
    assert twice.json()["errors"][0]["code"] == "listed_twice"
    wrong = await operator.put(where, json={"routes": ["x"]})
    assert wrong.json()["errors"][0]["field"] == "/routes/0"
    anyone = (await operator.put(where, json={"routes": []})).json()["data"]
    assert {row["position"] for row in anyone} == {0}
    assert own["id"] not in {row["account"] for row in anyone}
    theirs = (await operator.get(f"/v1/admin/tenants/{stranger.id}/routes")).json()["data"]
    assert own["id"] in {row["account"] for row in theirs}


async def test_what_waits_in_accounts_that_leave_a_tenants_routes_is_to_be_moved(operator, enrol, database):
    """Only there: what waits for a sender in an account that is on the list stands well."""
    customer = await enrol(countries=["US"])
    left, kept = await account(operator), await account(operator)
    gone, _ = [await sender(operator, customer, acc) for acc in (left, kept)]
    where = f"/v1/admin/tenants/{customer.id}/routes"
    answer = await operator.put(where, json={"routes": [kept["id"]]})
    assert answer.status_code == 200, answer.text
    ordered = "SELECT sender_id FROM relane_orders WHERE tenant_id = $1"
    rows = await database.fetch(ordered, customer.scope.tenant_id)
    assert [row["sender_id"] for row in rows] == [decode("idn", gone["id"])]


async def test_an_account_that_becomes_another_tenants_own_is_no_route_any_more(operator, enrol, stranger):
    """Also where it stands on the list; and a list that is used up so is not none."""
    customer, shared = await enrol(countries=["US"]), await account(operator)
    where = f"/v1/admin/tenants/{customer.id}/routes"
    assert (await operator.put(where, json={"routes": [shared["id"]]})).status_code == 200
    await operator.put(
        f"/v1/admin/aws-accounts/{shared['name']}",
        json={"owner": stranger.id, "role_arn": "arn:aws:iam::111122223333:role/x", "external_id": "xy"},
    )
    assert (await operator.get(where)).json()["data"] == []


async def test_what_waits_of_those_who_lose_an_account_is_to_be_moved(operator, enrol, stranger, database):
    """Where it becomes another's own, and for shared routes where those of account or plan are closed."""
    customer, acc = await enrol(countries=["US", "ES"]), await account(operator, shared_routes=True)
    plan = f"/v1/admin/tenants/{customer.id}/plan"
    assert (await operator.patch(plan, json={"shared_routes": True})).status_code == 200
    number = decode("idn", (await sender(operator, customer, acc))["id"])
    anybody = await sender(operator, customer, acc, type="SHARED", country="ES", value="shared", standby=True)
    shared = decode("idn", anybody["id"])

    async def ordered(**changes):
        await database.execute("DELETE FROM relane_orders WHERE tenant_id = $1", customer.scope.tenant_id)
        answer = await operator.put(f"/v1/admin/aws-accounts/{acc['name']}", json=changes)
        assert answer.status_code == 200, answer.text
        return await orders_now()

    async def orders_now():
        rows = await database.fetch(
            "SELECT sender_id FROM relane_orders WHERE tenant_id = $1", customer.scope.tenant_id
        )
        return {row["sender_id"] for row in rows}

    assert await ordered(sends_per_second=2) == set()
    assert await ordered(shared_routes=False) == {shared}
    assert await ordered(shared_routes=True) == set()
    assert (await operator.patch(plan, json={"shared_routes": False})).status_code == 200
    assert await orders_now() == {shared}
    role = {"role_arn": "arn:aws:iam::111122223333:role/x", "external_id": "xy"}
    assert await ordered(owner=customer.id, **role) == {shared}
    assert await ordered(owner=stranger.id) == {number, shared}


async def test_the_report_names_what_one_blocked_sender_could_silence_and_what_to_add(operator, enrol):
    """Two types of sender, and the country is off the list."""
    customer = await enrol(countries=["US", "GB"])
    acc = await account(operator)
    await sender(operator, customer, acc, type="TOLL_FREE")
    report = (await operator.get("/v1/admin/reports/redundancy")).json()["data"]
    mine = {row["country"]: row for row in report if row["tenant"] == customer.id}
    assert (mine["US"]["types"], mine["US"]["add"]) == (["TOLL_FREE"], ["SHORT_CODE", "TEN_DLC"])
    assert mine["GB"]["types"] == []
    assert "LONG_CODE" in mine["GB"]["add"]
    await sender(operator, customer, acc, type="TEN_DLC")
    report = (await operator.get("/v1/admin/reports/redundancy")).json()["data"]
    assert "US" not in {row["country"] for row in report if row["tenant"] == customer.id}


async def thin(operator, customer):
    """What the report says of a tenant: country, types of message and types of sender."""
    report = (await operator.get("/v1/admin/reports/redundancy")).json()["data"]
    return [
        (row["country"], row["message_types"], row["types"]) for row in report if row["tenant"] == customer.id
    ]


async def test_the_report_counts_only_senders_that_a_message_would_be_given_to(operator, enrol):
    """Three senders of three types, and yet one blocked number would silence the codes."""
    customer = await enrol(countries=["GB"])
    used, unused = await account(operator), await account(operator)
    routes = {"routes": [used["id"]]}
    await operator.put(f"/v1/admin/tenants/{customer.id}/routes", json=routes)
    for acc, kind, carried in (
        (used, "LONG_CODE", ["otp"]),
        (unused, "SENDER_ID", ["promotional"]),
        (used, "SHARED", []),
    ):
        value = {"LONG_CODE": "+447700900001"}.get(kind, "ACME")
        await sender(operator, customer, acc, type=kind, value=value, country="GB", message_types=carried)
    assert await thin(operator, customer) == [
        ("GB", ["otp"], ["LONG_CODE"]),
        ("GB", ["transactional", "promotional"], []),
    ]


async def test_the_report_asks_for_two_types_for_what_the_senders_carry_and_no_more(operator, enrol):
    """Who has codes sent has no need of senders for offers."""
    customer = await enrol(countries=["US"])
    acc = await account(operator)
    for kind in ("SHORT_CODE", "TEN_DLC"):
        await sender(operator, customer, acc, type=kind, message_types=["otp"])
    assert await thin(operator, customer) == []
    await operator.post(f"/v1/admin/routes/{acc['id']}/disable", json={"reason": "billing"})
    assert await thin(operator, customer) == [("US", ["otp"], [])]


async def test_explain_takes_the_body_of_a_send(customer):
    """And refuses what a send would be refused for."""
    answer = await customer.api.post("/v1/messages/explain", json={"to": "+12065550100", "body": "Hello"})
    assert (answer.status_code, answer.json()["candidates"]) == (200, [])
    wrong = await customer.api.post("/v1/messages/explain", json={"to": "+12065550100", "bdoy": "x"})
    assert wrong.status_code == 422


async def test_a_plans_default_from_names_what_a_sends_from_may_name(operator, customer, enrol):
    """By number, sender id in any case, id or pool; not another tenant's."""
    acc = await account(operator)
    number = await sender(operator, customer, acc)
    brand = await sender(operator, customer, acc, type="SENDER_ID", value="ACME", country="GB")
    foreign = await sender(operator, await enrol(), acc)
    body = {"name": "codes", "message_types": ["otp"], "senders": [number["id"]], "allow_mixed": True}
    pool = (await operator.post(f"/v1/admin/tenants/{customer.id}/pools", json=body)).json()
    home = f"/v1/admin/tenants/{customer.id}"
    for named in (number["value"], number["id"], brand["id"], "ACME", "acme", pool["id"]):
        taken = await operator.patch(home, json={"plan": {"default_from": named}})
        assert (taken.status_code, taken.json()["plan"]["default_from"]) == (200, named), taken.text
    for named in (foreign["value"], foreign["id"], encode("idn", new_uuid()), "idn_", "ACM"):
        refused = await operator.patch(home, json={"plan": {"default_from": named}})
        assert refused.status_code == 422, (named, refused.text)
        fault = refused.json()["errors"][0]
        assert (fault["field"], fault["code"]) == ("/plan/default_from", "unknown_sender")


async def test_mixing_promotional_and_other_messages_takes_the_operators_word(operator, customer):
    """Who stops the offers would stop the codes, too; what was allowed is shown and audited."""
    acc = await account(operator)
    facts = {"type": "SHORT_CODE", "value": "12345", "message_types": ["promotional", "otp"]}
    facts["arn"] = f"arn:{uuid4().hex}"
    body = {"account": acc["id"], "country": "US"} | facts
    answer = await operator.post(f"/v1/admin/tenants/{customer.id}/senders", json=body)
    problem = answer.json()
    assert (answer.status_code, problem["errors"][0]["code"]) == (422, "mixed_use"), answer.text
    assert problem["errors"][0]["field"] == "/message_types"
    assert '"allow_mixed": true' in problem["detail"]
    made = await sender(operator, customer, acc, **facts, allow_mixed=True)
    assert (made["allow_mixed"], made["warnings"]) == (True, ["mixed_use"])
    assert (await customer.api.get(f"/v1/senders/{made['id']}")).json() == made
    audit = (await operator.get(f"/v1/admin/tenants/{customer.id}/audit")).json()["data"]
    [row] = [row for row in audit if row["action"] == "sender.put" and row["subject"] == made["id"]]
    assert row["detail"]["allow_mixed"] is True


@pytest.mark.parametrize(
    ("types", "warnings"),
    [([], ["mixed_use"]), (["promotional"], []), (["otp", "transactional"], [])],
)
async def test_a_sender_that_does_not_mix_needs_no_word(operator, customer, types, warnings):
    """One without named types may carry everything, so it is shown with the warning."""
    acc = await account(operator)
    made = await sender(operator, customer, acc, message_types=types)
    assert (made["allow_mixed"], made["warnings"]) == (False, warnings)


async def test_a_sender_carries_what_aws_says_and_nothing_else(operator, customer, world):
    """AWS refuses each message of another type; named or not, nobody guesses."""
    acc, told = await account(operator), world.services.carried_types.told
    for arn, types in (("arn:aws:told:1", ("promotional",)), ("arn:aws:told:2", ("otp", "transactional"))):
        told[arn] = types
        made = await sender(operator, customer, acc, arn=arn, standby=True)
        assert made["message_types"] == list(types)
    named = {"arn": "arn:aws:told:2", "message_types": ["otp"], "standby": True}
    assert (await sender(operator, customer, acc, **named))["message_types"] == ["otp"]
    unheard = {"arn": "arn:aws:not:told", "message_types": ["promotional"], "standby": True}
    assert (await sender(operator, customer, acc, **unheard))["message_types"] == ["promotional"]


async def test_a_sender_that_is_to_carry_what_aws_does_not_let_it_is_refused(operator, customer, world):
    """Also where the operator allows the mix: AWS does not."""
    acc = await account(operator)
    world.services.carried_types.told["arn:aws:told:3"] = ("otp", "transactional")
    body = {
        "account": acc["id"],
        "type": "TOLL_FREE",
        "value": "+18005550155",
        "country": "US",
        "arn": "arn:aws:told:3",
        "message_types": ["transactional", "promotional"],
        "allow_mixed": True,
    }
    answer = await operator.post(f"/v1/admin/tenants/{customer.id}/senders", json=body)
    assert answer.status_code == 422, answer.text
    [error] = answer.json()["errors"]
    assert (error["field"], error["code"]) == ("/message_types", "not_carried")
    assert error["detail"].startswith("AWS lets it carry otp and transactional messages only")
