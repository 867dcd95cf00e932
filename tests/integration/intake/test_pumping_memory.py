"""Holds outlive a Redis that forgets, and unusual countries are found in what was counted."""

from datetime import UTC, date, datetime, timedelta

import pytest

from gateway.clock import FixedClock
from gateway.intake.pumping_watch import PumpingWatch
from gateway.wiring.policies import create_reader
from tests.harness.tenants import enrol
from tests.harness.traffic import burst

ATTACK = burst(12_065_559_000, 40)


async def _attacked(stack) -> tuple[object, dict]:
    customer = await stack.customer(plan={"pumping": {"mode": "enforce"}, "requests_per_second": 1000})
    for number in ATTACK:
        answer = await customer.send(to=number, body="Your code", type="otp")
        if answer.status_code != 202:
            return customer, answer.json()
    raise AssertionError("the burst was not stopped")


@pytest.fixture
async def attacked(stack):
    """A customer one of whose blocks is held, and the refusal."""
    return await _attacked(stack)


async def test_a_hold_survives_a_redis_that_forgets_everything(stack, attacked) -> None:
    """A flush must not be the pumper's way on: the first send after it is refused as the last before it."""
    customer, before = attacked
    assert before["code"] == "pumping_suspected"
    await stack.shared.redis.flushdb()
    shown = (await customer.live.get("/v1/protect/blocks")).json()["data"]
    assert [each["enforced"] for each in shown] == [True]
    after = (await customer.send(to=ATTACK[-1], body="Your code", type="otp")).json()
    assert (after["code"], after["detail"]) == ("pumping_suspected", before["detail"])


async def test_a_lifted_hold_does_not_come_back(stack, attacked) -> None:
    """Neither from Redis nor from Postgres."""
    customer, _ = attacked
    [block] = (await customer.live.get("/v1/protect/blocks")).json()["data"]
    assert (await customer.live.delete(f"/v1/protect/blocks/{block['id']}")).status_code == 204
    await stack.shared.redis.flushdb()
    assert (await customer.send(to=ATTACK[-1], body="Your code", type="otp")).status_code == 202
    assert (await customer.live.delete(f"/v1/protect/blocks/{block['id']}")).status_code == 404


async def test_a_hold_that_has_ended_is_not_given_back_and_is_deleted(stack, attacked, database) -> None:
    """It expires in Postgres by the instant at which it does in Redis."""
    customer, _ = attacked
    await database.execute(
        "UPDATE pumping_holds SET until = now() - interval '1 s' WHERE tenant_id = $1", customer.uuid
    )
    await stack.shared.redis.flushdb()
    assert (await customer.send(to=ATTACK[-1], body="Your code", type="otp")).status_code == 202
    await PumpingWatch(stack.shared.pool, FixedClock(datetime.now(UTC))).forget()
    assert (
        await database.fetchval("SELECT count(*) FROM pumping_holds WHERE tenant_id = $1", customer.uuid) == 0
    )


async def _usage(database, tenant_id, country: str, day: date, messages: int) -> None:
    await database.execute(
        "INSERT INTO usage_days (tenant_id, day, country, channel, type, template_id, sender, unit, messages,"
        " parts, charged, cost_micros) VALUES ($1, $2, $3, 'sms', 'otp', gen_random_uuid(), 'x', 'micros',"
        " $4, $4, 0, 0)",
        tenant_id, day, country, messages,
    )  # fmt: skip


async def test_a_country_that_is_suddenly_a_tenth_of_the_traffic_is_watched_until_it_is_not(
    stack, database, worker_engine
) -> None:
    """The policy moves with each change, so that every process judges by it; and with no other round."""
    scope, today = await enrol(worker_engine), datetime.now(UTC).date()
    await _usage(database, scope.tenant_id, "US", today - timedelta(days=10), 9_000)
    await _usage(database, scope.tenant_id, "US", today, 400)
    await _usage(database, scope.tenant_id, "LV", today, 200)
    watch, reader = PumpingWatch(stack.shared.pool, stack.shared.clock), create_reader(stack.shared)
    versions = [(await reader.snapshot(scope.tenant_id)).version]
    assert await watch.look() == 1
    assert await watch.look() == 0
    snapshot = await reader.snapshot(scope.tenant_id)
    assert snapshot.suspicions == {"LV": 1}
    versions.append(snapshot.version)
    await _usage(database, scope.tenant_id, "LV", today - timedelta(days=5), 4_000)
    assert await watch.look() == 1
    snapshot = await reader.snapshot(scope.tenant_id)
    versions.append(snapshot.version)
    assert snapshot.suspicions == {}
    assert versions == sorted(set(versions))
