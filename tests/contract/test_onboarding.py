"""`/v1/onboarding`, from the first answer to approval, and who may see it."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from gateway.carrier.provision.ports import ProvisionRequest
from gateway.db.transaction import worker_transaction
from tests.harness.statements import counted
from tests.harness.stored import message
from tests.harness.waiting import until
from tests.unit.tenants.onboarding_answers import COMPLETE

MOST_ASKED = 8
"""Statements for a page: the onboardings, their tenants and what is known of these, all of them together."""


async def answered(customer, **changes):
    """Answer everything."""
    given = {name: value for name, value in (COMPLETE | changes).items() if value is not None}
    return await customer.api.patch("/v1/onboarding", json=given)


async def test_before_the_first_answer_everything_is_left(customer) -> None:
    """The page that an invitation leads to."""
    shown = (await customer.api.get("/v1/onboarding")).json()
    assert (shown["version"], shown["next"], shown["registrant"]) == (0, "profile", None)
    assert [step["state"] for step in shown["steps"]] == ["open"] * 7 + ["blocked"] * 4
    assert shown["model"]["number"] == 2


async def test_answers_are_kept_one_by_one_and_the_next_step_moves(customer) -> None:
    """A flow resumes wherever it was left."""
    for name, value in COMPLETE.items():
        answer = await customer.api.patch("/v1/onboarding", json={name: value})
        assert answer.status_code == 200, answer.text
    shown = (await customer.api.get("/v1/onboarding")).json()
    assert (shown["version"], shown["next"], shown["registrant"]) == (7, "registrations", "tenant")
    assert shown["answers"]["profile"]["brand"] == "Acme"


async def test_the_same_answer_again_changes_nothing(customer) -> None:
    """A browser that sends a form twice."""
    first = (await answered(customer)).json()
    assert (await answered(customer)).json() == first


async def test_an_answer_to_what_somebody_changed_meanwhile_is_not_stored(customer) -> None:
    """Two browsers, or the tenant and the operator."""
    shown = (await answered(customer)).json()
    legal = {"hosted": False, "terms_url": "https://a.example/t", "privacy_url": "https://a.example/p"}
    stale = {"version": shown["version"] - 1, "legal": legal}
    refused = await customer.api.patch("/v1/onboarding", json=stale)
    assert (refused.status_code, refused.json()["code"]) == (409, "answers_changed")
    assert (await customer.api.get("/v1/onboarding")).json()["answers"]["legal"]["hosted"] is True


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"profile": COMPLETE["profile"] | {"website": "acme"}}, "/profile/website"),
        ({"reach": {"countries": ["ZZ"], "messages_per_month": 1}}, "/reach/countries/0"),
        ({"senders": {"choices": [{"country": "US", "type": "SENDER_ID"}]}}, "/senders/choices/0/type"),
        ({"senders": {"choices": [{"country": "GB", "type": "SENDER_ID"}]}}, "/senders/choices/0/value"),
        ({"use_cases": {"programmes": []}}, "/use_cases/programmes"),
        ({"opt_in": {"mode": "fax", "wording": "x" * 50}}, "/opt_in/mode"),
    ],
)
async def test_a_bad_answer_names_its_field_and_stores_nothing(customer, body: dict, field: str) -> None:
    """Nothing half-done."""
    refused = await customer.api.patch("/v1/onboarding", json=body)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field), refused.text
    assert (await customer.api.get("/v1/onboarding")).json()["version"] == 0


@pytest.mark.parametrize(
    ("country", "value", "code", "says"),
    [
        ("GB", None, "required", "Name the sender id that recipients see"),
        ("GB", "AB", "sender_id_form", "3 to 11 letters"),
        ("GB", "12345", "sender_id_numeric", "add the brand"),
        ("GB", "OTP", "sender_id_no_brand", "ANYCO-OTP"),
        ("IN", "ACMEBANK", "sender_id_india", "choose six"),
    ],
)
async def test_a_sender_id_that_no_carrier_takes_is_refused_when_it_is_chosen(
    customer, country: str, value: str | None, code: str, says: str
) -> None:
    """Else it would be approved, registered and refused weeks later."""
    choice = {"country": country, "type": "SENDER_ID"} | ({} if value is None else {"value": value})
    refused = await customer.api.patch("/v1/onboarding", json={"senders": {"choices": [choice]}})
    fault = refused.json()["errors"][0]
    assert (refused.status_code, fault["field"], fault["code"]) == (422, "/senders/choices/0/value", code)
    assert says in fault["detail"]


async def test_approval_is_asked_for_given_and_taken_back_by_a_change(customer, operator) -> None:
    """What carriers were told and what is true do not drift apart."""
    path = f"/v1/admin/tenants/{customer.id}/onboarding"
    early = await customer.api.post("/v1/onboarding/submit")
    assert (early.status_code, early.json()["code"]) == (409, "onboarding_not_ready")
    assert "profile" in early.json()["detail"]
    await answered(customer)
    asked = (await customer.api.post("/v1/onboarding/submit")).json()
    assert (asked["asked_at"] is not None, asked["next"]) == (True, "registrations")
    tasks = (await operator.get("/v1/admin/inbox", params={"kind": "onboarding.review"})).json()["data"]
    assert customer.id in {task["subject"] for task in tasks}
    approved = (await operator.post(f"{path}/approve")).json()
    assert approved["approved_at"] is not None
    tenant = (await operator.get(f"/v1/admin/tenants/{customer.id}")).json()
    assert (sorted(tenant["countries"]), tenant["plan"]["brands"]) == (["GB", "US"], ["Acme"])
    changed = (
        await customer.api.patch(
            "/v1/onboarding",
            json={"legal": COMPLETE["legal"] | {"hosted": True, "terms_url": "https://a.example/t"}},
        )
    ).json()
    assert (changed["asked_at"], changed["approved_at"]) == (None, None)


async def test_the_operator_sends_back_and_answers_on_behalf(customer, operator) -> None:
    """Both are audited as the operator's."""
    path = f"/v1/admin/tenants/{customer.id}/onboarding"
    assert (await operator.patch(path, json=COMPLETE)).status_code == 200
    await customer.api.post("/v1/onboarding/submit")
    back = (await operator.post(f"{path}/send-back", json={"why": "Name a support address."})).json()
    step = next(step for step in back["steps"] if step["name"] == "registrations")
    assert (back["asked_at"], step["state"], "support address" in step["detail"]) == (None, "open", True)
    rows = (await customer.api.get("/v1/audit")).json()["data"]
    assert {row["actor"] for row in rows if row["action"] == "onboarding.answered"} == {"operator"}


async def test_what_has_to_change_is_told_until_the_tenant_asks_again(customer, operator) -> None:
    """Who was asked for two things would not know the second any more after the first."""
    await answered(customer)
    await customer.api.post("/v1/onboarding/submit")
    wish = {"why": "Name another brand, and a support address."}
    await operator.post(f"/v1/admin/tenants/{customer.id}/onboarding/send-back", json=wish)

    def wished(shown):
        return wish["why"] in next(row["detail"] for row in shown["steps"] if row["name"] == "registrations")

    changed = await answered(customer, profile=COMPLETE["profile"] | {"brand": "Another"})
    assert wished(changed.json())
    assert not wished((await customer.api.post("/v1/onboarding/submit")).json())


async def test_answers_that_changed_since_they_were_read_are_not_approved_unseen(customer, operator) -> None:
    """Another company's brand could come between the operator's look and its click."""
    path = f"/v1/admin/tenants/{customer.id}/onboarding"
    await answered(customer)
    seen = (await customer.api.post("/v1/onboarding/submit")).json()["version"]
    await answered(customer, profile=COMPLETE["profile"] | {"brand": "Another"})
    refused = await operator.post(f"{path}/approve", json={"version": seen})
    assert (refused.status_code, refused.json()["code"]) == (409, "answers_changed")
    assert (await operator.post(f"{path}/approve", json={"version": seen + 1})).is_success


async def test_what_was_sent_back_may_be_approved_after_all(customer, operator) -> None:
    """The tenant cannot ask again for what is approved: the old wish must not stand there for ever."""
    path = f"/v1/admin/tenants/{customer.id}/onboarding"
    await answered(customer)
    await customer.api.post("/v1/onboarding/submit")
    await operator.post(f"{path}/send-back", json={"why": "Name a support address."})
    approved = (await operator.post(f"{path}/approve")).json()
    step = next(step for step in approved["steps"] if step["name"] == "registrations")
    assert "toll-free number for United States" in step["detail"], step


async def test_neither_brand_is_the_operators_to_decide(customer, operator) -> None:
    """The task opens by itself and closes with the decision."""
    path = f"/v1/admin/tenants/{customer.id}/onboarding"
    unclear = {"brand_seen": "neither", "opt_in_through": "tenant", "opt_in_shared": False}
    shown = (await answered(customer, relationship=unclear)).json()
    assert (shown["next"], shown["registrant"]) == ("relationship", None)
    kind = {"kind": "onboarding.relationship"}
    tasks = (await operator.get("/v1/admin/inbox", params=kind)).json()["data"]
    assert customer.id in {task["subject"] for task in tasks}
    decided = (await operator.post(f"{path}/decide", json={"registrant": "operator"})).json()
    assert (decided["registrant"], decided["next"]) == ("operator", "registrations")
    tasks = (await operator.get("/v1/admin/inbox", params=kind)).json()["data"]
    assert customer.id not in {task["subject"] for task in tasks}


async def test_answers_that_changed_since_they_were_read_are_not_sent_back_unseen(customer, operator) -> None:
    """What was to change may just have been changed."""
    path = f"/v1/admin/tenants/{customer.id}/onboarding"
    await answered(customer)
    seen = (await customer.api.post("/v1/onboarding/submit")).json()["version"]
    await answered(customer, profile=COMPLETE["profile"] | {"brand": "Another"})
    await customer.api.post("/v1/onboarding/submit")
    refused = await operator.post(f"{path}/send-back", json={"why": "Name another brand.", "version": seen})
    assert (refused.status_code, refused.json()["code"]) == (409, "answers_changed")
    assert (await operator.get(path)).json()["asked_at"] is not None


async def test_a_relationship_that_changed_since_it_was_read_is_not_decided_on(customer, operator) -> None:
    """Whose data goes to carriers would be decided for another relationship than the one that was read."""
    path = f"/v1/admin/tenants/{customer.id}/onboarding"
    unclear = {"brand_seen": "neither", "opt_in_through": "tenant", "opt_in_shared": False}
    seen = (await answered(customer, relationship=unclear)).json()["version"]
    await answered(customer, relationship=unclear | {"opt_in_through": "operator"})
    refused = await operator.post(f"{path}/decide", json={"registrant": "tenant", "version": seen})
    assert (refused.status_code, refused.json()["code"]) == (409, "answers_changed")
    decided = await operator.post(f"{path}/decide", json={"registrant": "tenant", "version": seen + 1})
    assert decided.json()["registrant"] == "tenant"


async def test_another_answer_takes_the_decision_on_the_relationship_back(customer, operator) -> None:
    """The operator decided on what it knew then; the task opens again."""
    path = f"/v1/admin/tenants/{customer.id}/onboarding"
    unclear = {"brand_seen": "neither", "opt_in_through": "tenant", "opt_in_shared": False}
    await answered(customer, relationship=unclear)
    await operator.post(f"{path}/decide", json={"registrant": "tenant"})
    changed = (await answered(customer, relationship=unclear | {"brand_seen": "operator"})).json()
    assert (changed["next"], changed["registrant"]) == ("relationship", None)
    await answered(customer, relationship=unclear | {"opt_in_shared": True, "brand_seen": "operator"})
    tasks = (await operator.get("/v1/admin/inbox", params={"kind": "onboarding.relationship"})).json()["data"]
    (task,) = [task for task in tasks if task["subject"] == customer.id]
    assert "must not be handed to the tenant" in task["summary"], "as the relationship stands now"
    assert task["summary"].startswith(changed["tenant_name"])


async def test_nothing_is_got_or_live_before_its_turn(customer) -> None:
    """Leases begin with the one, charges with the other."""
    await answered(customer)
    for way in ("provision", "go-live"):
        refused = await customer.api.post(f"/v1/onboarding/{way}")
        assert (refused.status_code, refused.json()["code"]) == (409, "onboarding_not_ready"), refused.text


async def test_another_tenant_sees_nothing_of_it(enrol) -> None:
    """Names, numbers and addresses of people stand in the answers."""
    one, other = await enrol(), await enrol()
    await answered(one)
    assert (await other.api.get("/v1/onboarding")).json()["answers"]["profile"] is None


async def test_the_operator_lists_who_is_on_the_way(enrol, operator) -> None:
    """A hundred at a time, each with whose turn it is."""
    customers = [await enrol() for _ in range(3)]
    for customer in customers:
        await answered(customer)
    listed: dict[str, str] = {}
    after = None
    while True:
        page = (await operator.get("/v1/admin/onboardings", params={"after": after} if after else {})).json()
        listed |= {each["tenant_id"]: each["next"] for each in page["data"]}
        after = page["next_cursor"]
        if after is None:
            break
    assert {listed[each.id] for each in customers} == {"registrations"}


async def test_approval_publishes_the_hosted_pages_that_the_answers_give(customer, operator, nobody) -> None:
    """Registrations name their addresses; nobody should have to type everything again."""
    await answered(customer)
    assert (await nobody.get(f"/p/{customer.slug}/terms")).status_code == 404
    assert (await operator.post(f"/v1/admin/tenants/{customer.id}/onboarding/approve")).is_success
    settings = (await customer.api.get("/v1/hosted-pages")).json()["settings"]
    assert (settings["brand"], settings["legal_name"]) == ("Acme", "Acme Incorporated")
    assert settings["support_email"] == COMPLETE["profile"]["support"]["email"]
    assert [each["use_case"] for each in settings["programmes"]] == ["delivery_notification"]
    assert settings["allowed_origins"] == ["https://acme.example"]
    assert "Acme Incorporated" in (await nobody.get(f"/p/{customer.slug}/privacy")).text


@pytest.mark.parametrize("hosted", [True, False])
async def test_approval_replaces_no_pages_and_publishes_none_unasked(customer, operator, hosted) -> None:
    """What the tenant wrote itself is what its recipients agreed to."""
    own = {"hosted": False, "terms_url": "https://a.example/t", "privacy_url": "https://a.example/p"}
    await answered(customer, legal={"hosted": True} if hosted else own)
    if hosted:
        page = {
            "brand": "Acme Shop",
            "legal_name": "Acme Incorporated",
            "website": "https://acme.example",
            "support_email": "care@acme.example",
            "support_phone": "+18885550142",
            "programmes": [{"use_case": "x", "type": "otp", "name": "Codes", "purpose": "codes"}],
        }
        assert (await customer.api.put("/v1/hosted-pages", json=page)).is_success
    assert (await operator.post(f"/v1/admin/tenants/{customer.id}/onboarding/approve")).is_success
    shown = await customer.api.get("/v1/hosted-pages")
    assert (shown.json()["settings"]["brand"] == "Acme Shop") if hosted else (shown.status_code == 404)


async def test_what_is_live_is_not_sent_back(customer, operator, database) -> None:
    """Its answers change no more, so it could do nothing, and its registrations would stand still."""
    await answered(customer)
    home = f"/v1/admin/tenants/{customer.id}/onboarding"
    assert (await operator.post(f"{home}/approve")).is_success
    query = "UPDATE onboardings SET live_at = now() WHERE tenant_id = $1"
    await database.execute(query, customer.scope.tenant_id)
    refused = await operator.post(f"{home}/send-back", json={"why": "Name a support desk."})
    assert (refused.status_code, refused.json()["code"]) == (409, "onboarding_not_ready")
    assert (await operator.get(home)).json()["approved_at"] is not None


async def test_a_test_key_neither_leases_at_aws_nor_lets_live_keys_send(
    customer, operator, world, make_key
) -> None:
    """The key of a build server costs nothing and changes nothing that is live."""
    await answered(customer)
    assert (await operator.post(f"/v1/admin/tenants/{customer.id}/onboarding/approve")).is_success
    async with world.client(await make_key(customer.id, mode="test")) as sandbox:
        for way in ("provision", "go-live"):
            refused = await sandbox.post(f"/v1/onboarding/{way}")
            assert (refused.status_code, refused.json()["code"]) == (403, "live_key_required"), refused.text
    assert world.provisioner.requests == []
    assert (await customer.api.post("/v1/onboarding/provision")).is_success
    assert len(world.provisioner.requests) == 1


@pytest.fixture
async def ready(customer, operator, world, engines):
    """A tenant of a country that shared routes alone reach, with nothing left to do but to go live."""
    reach = COMPLETE["reach"] | {"countries": ["KR"]}
    assert (await answered(customer, reach=reach, senders=None)).is_success
    home = f"/v1/admin/tenants/{customer.id}"
    shown = (await operator.post(f"{home}/onboarding/approve")).json()
    assert (shown["next"], await step(customer, "provisioning")) == ("provisioning", "waiting")
    account = (
        await operator.put(f"/v1/admin/aws-accounts/{uuid4().hex}", json={"region": "us-east-1"})
    ).json()
    wanted = {"account": account["id"], "type": "SHARED", "value": "SHARED", "country": "KR", "arn": "arn:x"}
    assert (await operator.post(f"{home}/senders", json=wanted)).is_success
    assert await step(customer, "provisioning") == "waiting"
    assert (await operator.patch(f"{home}/plan", json={"shared_routes": True})).is_success
    assert await step(customer, "provisioning") == "waiting"
    opened = {"region": "us-east-1", "shared_routes": True}
    assert (await operator.put(f"/v1/admin/aws-accounts/{account['name']}", json=opened)).is_success
    assert await step(customer, "provisioning") == "done"
    key = await world.services.data_keys.of(customer.scope.tenant_id)
    async with worker_transaction(engines["operator"]) as session:
        session.add(message(customer.scope.tenant_id, key, test=True, status="delivered"))
    return customer


async def step(customer, name):
    """The state of a step."""
    steps = (await customer.api.get("/v1/onboarding")).json()["steps"]
    return next(each["state"] for each in steps if each["name"] == name)


async def test_a_country_of_shared_routes_goes_live_once_the_operator_has_opened_them(ready, world) -> None:
    """There is no sender to choose and none to lease; what its receipts come by is made all the same."""
    assert (await ready.api.post("/v1/onboarding/provision")).is_success
    assert world.provisioner.requests == [ProvisionRequest()]
    live = await ready.api.post("/v1/onboarding/go-live")
    assert (live.status_code, live.json()["next"]) == (200, None), live.text


async def test_a_page_of_onboardings_is_read_at_once_and_says_what_each_says_by_itself(
    ready, enrol, operator, world
) -> None:
    """However many stand on it, Postgres is asked as often; nobody's facts are another's."""
    answering, beginning = await enrol(), await enrol()
    await answered(answering)
    await answered(beginning, senders=None, legal=None)
    shown: dict[str, Any] = {}
    query: dict[str, Any] = {"limit": 100}
    while query is not None:
        with counted(world.services.operator_engine) as asked:
            page = (await operator.get("/v1/admin/onboardings", params=query)).json()
        assert len(asked) <= MOST_ASKED, asked
        shown |= {each["tenant_id"]: each for each in page["data"]}
        query = query | {"after": page["next_cursor"]} if page["next_cursor"] else None
    for customer in (ready, answering, beginning):
        path = f"/v1/admin/tenants/{customer.id}/onboarding"
        assert shown[customer.id] == (await operator.get(path)).json()
    assert {shown[each.id]["next"] for each in (answering, beginning)} == {"registrations", "senders"}


@pytest.mark.parametrize("by", ["tenant", "operator"])
async def test_nothing_goes_live_on_an_approval_that_is_just_taken_back(
    ready, operator, engines, database, by
) -> None:
    """What was read before somebody answered anew is no approval of the new answer."""
    home = f"/v1/admin/tenants/{ready.id}/onboarding"
    ways = {"tenant": (ready.api, "/v1/onboarding/go-live"), "operator": (operator, f"{home}/go-live")}
    client, path = ways[by]
    async with worker_transaction(engines["operator"]) as session:
        query = text("UPDATE onboardings SET approved_at = NULL, asked_at = NULL WHERE tenant_id = :tenant")
        await session.execute(query, {"tenant": ready.scope.tenant_id})
        going = asyncio.create_task(client.post(path))

        async def waits() -> bool:
            asked = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
            return await database.fetchval(f"{asked} AND query ILIKE '%onboardings%')")

        assert await until(waits, within_s=10)
    refused = await going
    assert (refused.status_code, refused.json()["code"]) == (409, "onboarding_not_ready"), refused.text
    assert await step(ready, "live") != "done"
