"""The operator's own webhook endpoints: all that a tenant's have, and nothing in common with theirs."""

import secrets
from datetime import datetime, timedelta

import pytest
from msgspec import Struct

from gateway.db.transaction import worker_transaction
from gateway.webhooks.announcements import announce
from tenants.endpoints.service import get, live_secrets
from tenants.ids import decode, encode, new_uuid
from tenants.inbox.service import PLATFORM
from tenants.scope import TenantScope

OWN = TenantScope(tenant_id=PLATFORM)
BASE = "/v1/admin/webhook-endpoints"
BY_TENANTS = "/v1/webhook-endpoints"
OF_ONE = (
    ("GET", "{endpoint}", None),
    ("PATCH", "{endpoint}", {"description": "mine"}),
    ("PATCH", "{endpoint}", {"state": "disabled"}),
    ("POST", "{endpoint}/rotate-secret", None),
    ("POST", "{endpoint}/test", None),
    ("POST", "{endpoint}/replay", {"since": "recently"}),
    ("GET", "{endpoint}/deliveries", None),
    ("GET", "{endpoint}/deliveries/{delivery}", None),
    ("POST", "{endpoint}/deliveries/{delivery}/retry", None),
    ("DELETE", "{endpoint}", None),
)
"""Every route that names an endpoint."""


class Said(Struct):
    """Data of an event of these tests."""

    mark: str


@pytest.fixture
async def add(operator):
    """Return a function that adds an endpoint of the operator's, which goes with the test: all share him."""
    made = []

    async def one(events=("alarm.cleared",)):
        answer = await operator.post(BASE, json={"url": "https://ops.example/hook", "events": [*events]})
        assert answer.status_code == 201, answer.text
        made.append(f"{BASE}/{answer.json()['id']}")
        return answer.json()

    yield one
    for home in made:
        assert (await operator.delete(home)).status_code in {204, 404}


@pytest.fixture
async def hook(add):
    """An endpoint of the operator's."""
    return await add()


@pytest.fixture
def home(hook):
    """Its path."""
    return f"{BASE}/{hook['id']}"


def recently(world):
    """A moment ago, as a body says it."""
    return (world.services.clock.now() - timedelta(hours=1)).isoformat()


def filled(world, body):
    """A body with the instant in it that it speaks of."""
    return body | {"since": recently(world)} if body and body.get("since") == "recently" else body


async def tell(engines, event_type="alarm.raised"):
    """Tell the operator something; the mark to know it by."""
    mark = secrets.token_hex(8)
    async with worker_transaction(engines["operator"]) as session:
        await announce(OWN, session, event_type, Said(mark))
    return mark


async def owed(database, hook, mark):
    """The deliveries of what bears the mark to an endpoint."""
    return await database.fetch(
        "SELECT d.* FROM webhook_deliveries d JOIN events e ON e.id = d.event_id"
        " WHERE d.endpoint_id = $1 AND e.data ->> 'mark' = $2",
        decode("wh", hook["id"]),
        mark,
    )


async def test_an_endpoint_is_read_and_changed_in_every_part(operator, hook, home) -> None:
    """What a PATCH does not name stays; one with a state alone, or with nothing, is a PATCH too."""
    shown = {name: value for name, value in hook.items() if name != "secret"}
    assert (await operator.get(home)).json() == shown
    for change in (
        {"url": "https://ops.example/other"},
        {"events": ["alarm.raised", "credits.low"]},
        {"events": []},
        {"description": "billing"},
        {},
        {"state": "disabled"},
        {"state": "enabled", "description": ""},
    ):
        answer = await operator.patch(home, json=change)
        reason = "disabled by the operator" if change.get("state") == "disabled" else None
        shown |= change | {"disabled_reason": reason}
        assert (answer.status_code, answer.json()) == (200, shown), change
        assert (await operator.get(home)).json() == shown


async def test_a_rotated_secret_overlaps_the_one_before_by_a_day(
    operator, hook, home, world, engines
) -> None:
    """The receiver changes over without losing a post; asked twice by one key, it is rotated once."""
    answers = [
        await operator.post(f"{home}/rotate-secret", headers={"Idempotency-Key": hook["id"]})
        for _ in range(2)
    ]
    assert [each.status_code for each in answers] == [200, 200]
    rotated = answers[0].json()
    assert answers[1].json() == rotated
    until = datetime.fromisoformat(rotated["old_secret_until"])
    key = await world.services.data_keys.of(PLATFORM)
    async with worker_transaction(engines["operator"]) as session:
        endpoint = await get(OWN, session, decode("wh", hook["id"]))
    both, one = [rotated["secret"], hook["secret"]], [rotated["secret"]]
    assert live_secrets(endpoint, key, now=until - timedelta(seconds=1)) == both
    assert live_secrets(endpoint, key, now=until + timedelta(seconds=1)) == one
    now = world.services.clock.now()
    assert timedelta(hours=23) < until - now <= timedelta(hours=24)
    assert "secret" not in (await operator.get(home)).json()


async def test_a_test_event_is_owed_listed_read_and_retried(operator, hook, home) -> None:
    """Whatever the endpoint subscribed to; by the same key it is owed once, and all of it is audited."""
    keyed = {"Idempotency-Key": hook["id"]}
    tested = [await operator.post(f"{home}/test", headers=keyed) for _ in range(2)]
    delivery = tested[0].json()
    assert (tested[0].status_code, delivery["event_type"]) == (202, "webhook_endpoint.test")
    assert tested[1].json() == delivery
    listed = (await operator.get(f"{home}/deliveries", params={"limit": 1})).json()
    assert [(each["id"], each["state"]) for each in listed["data"]] == [(delivery["id"], "pending")]
    assert listed["next_cursor"] is None
    one = f"{home}/deliveries/{delivery['id']}"
    shown = (await operator.get(one)).json()
    assert (shown["event_id"], shown["attempts_made"]) == (delivery["event_id"], [])
    again = await operator.post(f"{one}/retry")
    assert (again.status_code, again.json()["state"]) == (202, "pending")
    trail = (await operator.get("/v1/admin/audit", params={"limit": 100})).json()["data"]
    subjects = {hook["id"], delivery["id"]}
    done = {(each["actor"], each["action"]) for each in trail if each["subject"] in subjects}
    assert done == {
        ("operator", "webhook_endpoint.created"),
        ("operator", "webhook_endpoint.tested"),
        ("operator", "webhook_delivery.retried"),
    }


async def test_what_was_told_is_listed_with_a_cursor(operator, add, engines, database) -> None:
    """A page ends where it was asked to, and the next begins there."""
    hook = await add(["alarm.raised"])
    deliveries = f"{BASE}/{hook['id']}/deliveries"
    marks = [await tell(engines) for _ in range(3)]
    first = (await operator.get(deliveries, params={"limit": 2})).json()
    rest = (await operator.get(deliveries, params={"limit": 2, "after": first["next_cursor"]})).json()
    assert (len(first["data"]), len(rest["data"]), rest["next_cursor"]) == (2, 1, None)
    stored = sorted([(await owed(database, hook, mark))[0]["id"] for mark in marks], reverse=True)
    assert [each["id"] for each in first["data"] + rest["data"]] == [encode("del", each) for each in stored]


async def test_a_window_is_replayed_to_an_endpoint_that_came_late(
    operator, add, customer, engines, world, database
) -> None:
    """Once, however often it is asked for; of the named types, and nothing that a tenant was told."""
    mark = await tell(engines)
    async with worker_transaction(engines["operator"]) as session:
        foreign = secrets.token_hex(8)
        await announce(customer.scope, session, "alarm.raised", Said(foreign))
    hook = await add(["alarm.raised", "alarm.cleared"])
    replay = f"{BASE}/{hook['id']}/replay"
    window = {"since": recently(world)}
    narrow = await operator.post(replay, json=window | {"types": ["alarm.cleared"]})
    assert narrow.status_code == 202, narrow.text
    assert await owed(database, hook, mark) == []
    done = await operator.post(replay, json=window | {"types": ["alarm.raised"], "only": "undelivered"})
    assert done.json()["owed"] >= 1
    (delivery,) = await owed(database, hook, mark)
    assert (delivery["tenant_id"], delivery["state"]) == (PLATFORM, "pending")
    assert (await operator.post(replay, json=window)).status_code == 202
    assert len(await owed(database, hook, mark)) == 1
    assert await owed(database, hook, foreign) == []


async def test_a_disabled_endpoint_is_told_nothing_again(operator, home, world) -> None:
    """Enable it first."""
    delivery = (await operator.post(f"{home}/test")).json()["id"]
    await operator.patch(home, json={"state": "disabled"})
    for path, body in (
        ("test", None),
        ("replay", {"since": recently(world)}),
        (f"deliveries/{delivery}/retry", None),
    ):
        answer = await operator.post(f"{home}/{path}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "webhook_endpoint_disabled"), path


@pytest.mark.parametrize(("owner", "caller"), [("tenant", "operator"), ("operator", "tenant")])
async def test_a_tenants_ids_are_nothing_to_the_operators_routes_nor_his_to_a_tenants(
    operator, customer, hook, world, owner, caller
) -> None:
    """Answered as what never was, with every method, and left as it is."""
    sides = {"tenant": (customer.api, BY_TENANTS), "operator": (operator, BASE)}
    (theirs, at_home), (mine, here) = sides[owner], sides[caller]
    endpoint = hook["id"]
    if owner == "tenant":
        endpoint = (await theirs.post(at_home, json={"url": "https://a.example/"})).json()["id"]
    delivery = (await theirs.post(f"{at_home}/{endpoint}/test")).json()["id"]
    before = [(await theirs.get(f"{at_home}/{endpoint}{rest}")).json() for rest in ("", "/deliveries")]
    foreign = {"endpoint": endpoint, "delivery": delivery}
    absent = {"endpoint": encode("wh", new_uuid()), "delivery": encode("del", new_uuid())}
    for method, path, body in OF_ONE:
        told = []
        for ids in (foreign, absent):
            answer = await mine.request(method, f"{here}/{path.format(**ids)}", json=filled(world, body))
            assert answer.status_code == 404, (method, path, answer.text)
            told.append({name: value for name, value in answer.json().items() if name != "instance"})
        assert told[0] == told[1], (method, path)
        answer = await mine.request(
            method, f"{here}/{path.format(endpoint='x', delivery='x')}", json=filled(world, body)
        )
        assert answer.status_code == 404, (method, path)
    for rest, was in zip(("", "/deliveries"), before, strict=True):
        assert (await theirs.get(f"{at_home}/{endpoint}{rest}")).json() == was


async def test_a_delivery_is_found_under_its_own_endpoint_alone(operator, add, customer) -> None:
    """Neither a tenant's nor one to another endpoint of the operator's."""
    hook, other = await add(), await add()
    at_tenants = f"{BY_TENANTS}/{(await customer.api.post(BY_TENANTS, json={'url': 'https://a.example/'})).json()['id']}"
    for elsewhere in (
        (await operator.post(f"{BASE}/{other['id']}/test")).json()["id"],
        (await customer.api.post(f"{at_tenants}/test")).json()["id"],
    ):
        path = f"{BASE}/{hook['id']}/deliveries/{elsewhere}"
        for answer in (await operator.get(path), await operator.post(f"{path}/retry")):
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    own = (await operator.post(f"{BASE}/{hook['id']}/test")).json()["id"]
    for answer in (
        await customer.api.get(f"{at_tenants}/deliveries/{own}"),
        await customer.api.post(f"{at_tenants}/deliveries/{own}/retry"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("", {"events": ["message.sent"]}, "/events/0"),
        ("", {"events": ["alarm.raised", "webhook_endpoint.test"]}, "/events/1"),
        ("", {"events": None}, "/events"),
        ("", {"url": "http://127.0.0.1/x"}, "/url"),
        ("", {"url": "https://u@ops.example"}, "/url"),
        ("", {"url": None}, "/url"),
        ("", {"description": "x" * 501}, "/description"),
        ("", {"state": "paused"}, "/state"),
        ("", {"secret": "whsec_mine"}, "/secret"),
        ("/replay", {}, "/since"),
        ("/replay", {"since": "2020-01-01T00:00:00Z"}, "/since"),
        ("/replay", {"since": "2999-01-01T00:00:00Z"}, "/since"),
        ("/replay", {"since": "2026-01-01T00:00:00"}, "/since"),
        ("/replay", {"since": "yesterday"}, "/since"),
        ("/replay", {"since": "recently", "only": "some"}, "/only"),
        ("/replay", {"since": "recently", "types": ["message.sent"]}, "/types/0"),
        ("/replay", {"since": "recently", "limit": 3}, "/limit"),
    ],
)
async def test_bad_input_is_refused_by_field_and_changes_nothing(
    operator, hook, home, world, path, body, field
) -> None:
    """Tenants' events are none of the operator's, and a webhook is no way into its network."""
    method = "POST" if path else "PATCH"
    answer = await operator.request(method, f"{home}{path}", json=filled(world, body))
    assert answer.status_code == 422, answer.text
    assert field in answer.json()["errors"][0]["field"]
    shown = {name: value for name, value in hook.items() if name != "secret"}
    assert (await operator.get(home)).json() == shown
    assert (await operator.get(f"{home}/deliveries")).json()["data"] == []


@pytest.mark.parametrize("text", [r"a\u0000b", r"a\ud800b"])
async def test_what_is_no_text_is_refused(operator, home, text) -> None:
    """Postgres cannot keep it, so it must end at the edge."""
    for name in ("description", "url", "state"):
        answer = await operator.patch(
            home, content=f'{{"{name}": "{text}"}}', headers={"Content-Type": "application/json"}
        )
        assert answer.status_code in {400, 422}, (name, answer.text)
