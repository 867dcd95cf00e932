"""The operator's own alarms: over all tenants, told to its own webhooks; and how often AWS throttles."""

import secrets
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from gateway.clock import FixedClock, SystemClock
from gateway.db.transaction import worker_transaction
from gateway.insight.throttling import throttles
from gateway.insight.watch import AlarmWatch
from gateway.routing.tally import CallTally
from tenants.endpoints.service import get, live_secrets
from tenants.ids import decode
from tenants.inbox.service import PLATFORM
from tenants.scope import TenantScope
from tenants.senders import service as senders
from tenants.senders.service import AccountFacts, SenderFacts
from tests.harness.numbers import us_number
from tests.harness.stored import put

ALL = TenantScope(tenant_id=PLATFORM)
NOBODYS_COUNTRY = "AQ"
"""No other test sends there, so that these alarms see nothing of theirs."""
STEP = timedelta(minutes=2)


def alarm(**changes):
    """A platform-wide alarm; its name is its own, for all tests share the operator."""
    terms = {
        "name": f"failures {secrets.token_hex(4)}",
        "metric": "failure_rate",
        "raise_at": 0.2,
        "clear_at": 0.1,
        "minimum_messages": 10,
        "rounds_to_raise": 2,
        "rounds_to_clear": 2,
    }
    return terms | changes


@pytest.fixture
async def far_off():
    """An instant that no other test counts calls at: health is counted in fives of seconds."""
    days = secrets.randbelow(30_000)
    return datetime(2030, 1, 1, tzinfo=UTC) + timedelta(days=days)


async def ended(world, customer, status, number):
    """Messages of now that ended so, in a country of this file's."""
    now = SystemClock().now()
    for _ in range(number):
        await put(world, customer, status=status, country=NOBODYS_COUNTRY, dispatched_at=now, final_at=now)


async def route_of(engines, customer):
    """A sender of the tenant's and the account behind it, as calls are counted for them."""
    async with worker_transaction(engines["operator"]) as session:
        account = await senders.ensure_account(session, AccountFacts(region="us-east-1"), name=uuid4().hex)
        facts = SenderFacts(
            account_id=account.id,
            type="LONG_CODE",
            value=us_number(),
            country="US",
            arn=f"arn:{uuid4()}",
            parts_per_second=1.0,
        )
        sender = await senders.put_sender(customer.scope, session, facts)
        return sender.id, account.id


async def test_trouble_of_several_tenants_together_is_told_to_the_operator_alone(
    customer, stranger, operator, world, engines, database
) -> None:
    """Five failures of each are nothing; of all they are a fault of the platform's. Told once each way."""
    hook = await operator.post("/v1/admin/webhook-endpoints", json={"url": "https://ops.example/alarms"})
    assert hook.status_code == 201, hook.text
    made = await operator.post("/v1/admin/alarms", json=alarm(country=NOBODYS_COUNTRY))
    assert made.status_code == 201, made.text
    home = f"/v1/admin/alarms/{made.json()['id']}"
    clock = FixedClock(SystemClock().now() + timedelta(seconds=1))
    watch = AlarmWatch(engines["operator"], clock)

    async def looked(times):
        for _ in range(times):
            clock.advance(STEP * 3)
            await watch.look()
        return (await operator.get(home)).json()["raised"]

    try:
        for each in (customer, stranger):
            await ended(world, each, "failed", 5)
        assert await looked(1) is False
        assert await looked(1) is True
        assert await looked(2) is True
        for each in (customer, stranger):
            await ended(world, each, "delivered", 50)
        assert await looked(2) is False
        told = await database.fetch(
            """
            SELECT e.type, d.tenant_id FROM webhook_deliveries d JOIN events e ON e.id = d.event_id
            WHERE d.endpoint_id = $1 AND e.data->>'id' = $2 ORDER BY e.id
            """,
            decode("wh", hook.json()["id"]),
            made.json()["id"],
        )
        assert [tuple(row) for row in told] == [("alarm.raised", PLATFORM), ("alarm.cleared", PLATFORM)]
        for each in (customer, stranger):
            query = "SELECT count(*) FROM events WHERE tenant_id = $1 AND type LIKE 'alarm.%'"
            assert await database.fetchval(query, each.scope.tenant_id) == 0
    finally:
        await operator.delete(f"/v1/admin/webhook-endpoints/{hook.json()['id']}")
        await operator.delete(home)


async def test_the_operators_secret_is_sealed_and_opens_for_the_sender(operator, world, engines) -> None:
    """The operator has no row with a key: who posts must come to the same key as who stored."""
    hook = (await operator.post("/v1/admin/webhook-endpoints", json={"url": "https://ops.example/x"})).json()
    home = f"/v1/admin/webhook-endpoints/{hook['id']}"
    off = await operator.patch(home, json={"state": "disabled"})
    assert (off.json()["state"], off.json()["disabled_reason"]) == ("disabled", "disabled by the operator")
    assert (await operator.patch(home, json={"state": "enabled"})).json()["state"] == "enabled"
    async with worker_transaction(engines["operator"]) as session:
        endpoint = await get(ALL, session, decode("wh", hook["id"]))
        key = await world.services.data_keys.of(PLATFORM)
        assert live_secrets(endpoint, key, now=SystemClock().now()) == [hook["secret"]]
        assert hook["secret"].encode() not in endpoint.secret_sealed
    listed = (await operator.get("/v1/admin/webhook-endpoints", params={"limit": 100})).json()["data"]
    assert hook["id"] in {each["id"] for each in listed}
    assert (await operator.delete(home)).status_code == 204
    assert (await operator.delete(home)).status_code == 404


async def test_throttles_are_counted_by_route_for_the_operator_and_by_sender_for_a_tenant(
    customer, stranger, engines, far_off
) -> None:
    """A call is counted for its sender and for its route: the operator must not count it twice."""
    clock = FixedClock(far_off)
    tally = CallTally(engines["pool"], clock)
    subjects = await route_of(engines, customer)
    for result, calls in (("answered", 30), ("throttled", 10)):
        for _ in range(calls):
            tally.count(subjects, result)
    await tally.flush()
    span = {"since": far_off - STEP, "before": far_off + STEP}
    async with worker_transaction(engines["operator"]) as session:
        for scope, value, of in ((ALL, 0.25, 40), (customer.scope, 0.25, 40), (stranger.scope, 0.0, 0)):
            found = await throttles(scope, session, **span)
            assert (found.value, found.of) == (value, of)


async def test_a_throttle_alarm_is_raised_by_throttled_calls(customer, engines) -> None:
    """AWS's limits are met before anybody's messages fail, so it is worth knowing by itself."""
    made = await customer.api.post(
        "/v1/alarms", json=alarm(metric="throttle_rate", rounds_to_raise=1, raise_at=0.5, clear_at=0.2)
    )
    assert made.status_code == 201, made.text
    subjects = await route_of(engines, customer)
    clock = FixedClock(SystemClock().now())
    tally = CallTally(engines["pool"], clock)
    for _ in range(20):
        tally.count(subjects, "throttled")
    await tally.flush()
    clock.advance(STEP * 3)
    await AlarmWatch(engines["operator"], clock).look()
    found = (await customer.api.get(f"/v1/alarms/{made.json()['id']}")).json()
    assert (found["raised"], found["value"]) == (True, 1.0)


async def test_what_cannot_be_measured_over_all_tenants_is_refused_by_field(operator) -> None:
    """An alarm that never rings is worse than none."""
    for changes, field in (
        ({"metric": "throttle_rate", "country": "US"}, "/country"),
        ({"metric": "throttle_rate", "type": "otp"}, "/type"),
        ({"against": "baseline"}, "/against"),
        ({"metric": "spend_pace"}, "/metric"),
        ({"window_seconds": 7200}, "/window_seconds"),
    ):
        answer = await operator.post("/v1/admin/alarms", json=alarm(**changes))
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), changes


async def test_a_platform_alarm_is_switched_off_and_deleted_and_no_tenants(customer, operator) -> None:
    """A tenant neither sees nor reaches it."""
    made = (await operator.post("/v1/admin/alarms", json=alarm(country=NOBODYS_COUNTRY))).json()
    home = f"/v1/admin/alarms/{made['id']}"
    assert (await customer.api.get(f"/v1/alarms/{made['id']}")).status_code == 404
    assert (await operator.patch(home, json={"enabled": False})).json()["enabled"] is False
    listed = (await operator.get("/v1/admin/alarms", params={"limit": 100})).json()["data"]
    assert made["id"] in {each["id"] for each in listed}
    assert (await operator.delete(home)).status_code == 204
    assert (await operator.get(home)).status_code == 404
