"""Alarms: set by a tenant, judged by the scheduler's round, told to the tenant and to the operator."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

import gateway
from gateway.clock import FixedClock, SystemClock
from gateway.insight import watch as watching
from gateway.insight.metrics import WATCHED
from gateway.insight.watch import SILENT_FOR, AlarmWatch
from tests.harness.stored import put

BLOCKS = {
    "name": "blocked in the US",
    "metric": "block_rate",
    "country": "US",
    "raise_at": 0.2,
    "clear_at": 0.1,
    "minimum_messages": 10,
    "rounds_to_raise": 2,
    "rounds_to_clear": 2,
}
STEP = timedelta(minutes=6)
_COLUMNS = "SELECT column_name FROM information_schema.columns WHERE table_name = 'alarms'"


class Watchman:
    """The scheduler's round, by a clock that the test moves."""

    def __init__(self, engine) -> None:
        self.clock = FixedClock(SystemClock().now() + timedelta(seconds=1))
        self._watch = AlarmWatch(engine, self.clock)

    async def look(self, times: int = 1) -> None:
        """Look that often, each time when the alarm is due again."""
        for _ in range(times):
            self.clock.advance(STEP)
            await self._watch.look()


@pytest.fixture
def watch(engines) -> Watchman:
    """The round."""
    return Watchman(engines["operator"])


async def send(world, customer, *, delivered: int = 0, blocked: int = 0, **more) -> None:
    """Messages of now that ended so."""
    now = SystemClock().now()
    ended = {"dispatched_at": now, "final_at": now + timedelta(seconds=2)} | more
    for _ in range(delivered):
        await put(world, customer, status="delivered", **ended)
    for _ in range(blocked):
        await put(world, customer, status="undelivered", reason_code="spam", **ended)


async def make(customer, **changes) -> str:
    """Set an alarm; return its id."""
    answer = await customer.api.post("/v1/alarms", json=BLOCKS | changes)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def read(customer, alarm_id: str) -> dict:
    """The alarm as it stands."""
    return (await customer.api.get(f"/v1/alarms/{alarm_id}")).json()


async def events(database, customer) -> list:
    """What the tenant was told, in order."""
    rows = await database.fetch(
        "SELECT type, data FROM events WHERE tenant_id = $1 AND type LIKE 'alarm.%' ORDER BY created_at, id",
        customer.scope.tenant_id,
    )
    return [row["type"] for row in rows]


async def tasks(operator, customer, state: str = "open") -> list:
    """What stands in the operator's inbox of the tenant."""
    params = {"tenant": customer.id, "kind": "alarm.raised", "state": state}
    return (await operator.get("/v1/admin/inbox", params=params)).json()["data"]


async def test_trouble_raises_the_alarm_once_and_its_end_clears_it(
    customer, operator, world, watch, database
) -> None:
    """Raised after two looks, told once, in the inbox until it is over."""
    alarm_id = await make(customer)
    await send(world, customer, delivered=15, blocked=5)
    await watch.look()
    assert (await read(customer, alarm_id))["raised"] is False
    await send(world, customer, blocked=5)
    await watch.look(2)
    found = await read(customer, alarm_id)
    assert (found["raised"], found["value"]) == (True, 0.4)
    assert await events(database, customer) == ["alarm.raised"]
    (task,) = await tasks(operator, customer)
    assert (task["subject"], task["detail"]["value"], task["detail"]["limit"]) == (alarm_id, 0.4, 0.2)
    await send(world, customer, delivered=80)
    await watch.look()
    assert (await read(customer, alarm_id))["raised"] is True
    await watch.look()
    assert (await read(customer, alarm_id))["raised"] is False
    assert await events(database, customer) == ["alarm.raised", "alarm.cleared"]
    assert await tasks(operator, customer) == []
    (task,) = await tasks(operator, customer, "resolved")
    assert (task["resolved_by"], task["note"]) == ("gateway", "The figure came back.")


async def test_too_few_messages_say_nothing_and_a_day_of_silence_clears(
    customer, operator, world, watch, database
) -> None:
    """One blocked message of one is no trouble; and a raised alarm does not stand over an empty street."""
    alarm_id = await make(customer, rounds_to_raise=1)
    await send(world, customer, blocked=9)
    await watch.look(3)
    assert (await read(customer, alarm_id))["raised"] is False
    await send(world, customer, blocked=9)
    await watch.look()
    assert (await read(customer, alarm_id))["raised"] is True
    watch.clock.advance(timedelta(hours=2))
    await watch.look()
    assert (await read(customer, alarm_id))["raised"] is True
    watch.clock.advance(SILENT_FOR)
    await watch.look()
    assert (await read(customer, alarm_id))["raised"] is False
    assert await events(database, customer) == ["alarm.raised", "alarm.cleared"]
    (task,) = await tasks(operator, customer, "resolved")
    assert task["note"].startswith("For a day there was nothing to judge it by"), "nobody knows the figure"


async def test_an_alarm_sees_its_tenants_live_messages_of_its_country_only(
    customer, stranger, world, watch
) -> None:
    """Neither the neighbour's trouble nor one's own experiments nor another country's."""
    alarm_id = await make(customer, rounds_to_raise=1)
    await send(world, customer, delivered=20)
    await send(world, stranger, blocked=20)
    await send(world, customer, blocked=20, test=True)
    await send(world, customer, blocked=20, country="GB")
    await watch.look(2)
    found = await read(customer, alarm_id)
    assert (found["raised"], found["value"]) == (False, 0.0)


@pytest.mark.parametrize(
    ("metric", "terms", "trouble"),
    [
        ("failure_rate", {"raise_at": 0.2}, {"status": "failed", "reason_code": "throttled"}),
        ("delivery_rate", {"raise_at": 0.8}, {"status": "undelivered", "reason_code": "unreachable"}),
        ("conversion", {"raise_at": 0.8}, {"status": "delivered", "feedback": "failed"}),
        (
            "pending_rate",
            {"raise_at": 0.2, "overdue_after_seconds": 60},
            {"status": "sent", "final_at": None},
        ),
        ("spend_pace", {"raise_at": 1.0}, {"status": "delivered", "price_estimated": 2_000_000}),
    ],
)
async def test_each_metric_finds_its_own_trouble(customer, world, watch, metric, terms, trouble) -> None:
    """In twenty messages each; what is trouble for one leaves the others' figures where they were."""
    alarm_id = await make(customer, name=metric, metric=metric, rounds_to_raise=1, clear_at=None, **terms)
    quiet = await make(customer)
    await send(world, customer, delivered=10, feedback="received")
    now = SystemClock().now()
    for _ in range(10):
        await put(world, customer, **({"dispatched_at": now, "final_at": now} | trouble))
    watch.clock.advance(timedelta(minutes=10))
    await watch.look()
    found = await read(customer, alarm_id)
    assert found["raised"] is True, found
    assert (await read(customer, quiet))["raised"] is False


async def test_against_a_baseline_what_is_usual_is_no_trouble(customer, world, watch, database) -> None:
    """A country that always blocks a third alarms at twice that, and not before there is a baseline."""
    alarm_id = await make(customer, against="baseline", raise_at=0.2, clear_at=0.1, rounds_to_raise=1)
    await send(world, customer, delivered=10, blocked=5)
    await watch.look()
    assert (await read(customer, alarm_id))["value"] is None
    for back in range(5, 60, 5):
        await database.execute(
            """
            INSERT INTO insight_hours SELECT $1, date_trunc('hour', now()) - make_interval(hours => $2), 'US',
                'otp', 'micros', 90, 90, 90, 0, 0, 60, 30, 0, 0, 0, 0, 30, 0, 0, 580500, 2000, 4000
            """,
            customer.scope.tenant_id,
            back,
        )
    await watch.look()
    found = await read(customer, alarm_id)
    assert (found["raised"], round(found["usual"], 3), round(found["value"], 3)) == (False, 0.333, 0.333)
    await send(world, customer, blocked=15)
    await watch.look()
    assert (await read(customer, alarm_id))["raised"] is True
    listed = await customer.api.get("/v1/insight/baselines", params={"metric": "block_rate"})
    assert listed.json()["data"] == [
        {
            "country": "US", "type": "otp", "weekday": None, "hour": None, "hours": 11,
            "p10": 0.3333, "median": 0.3333, "p90": 0.3333,
        }
    ]  # fmt: skip
    times = await customer.api.get("/v1/insight/baselines", params={"by": "all"})
    assert [(row["country"], row["median"]) for row in times.json()["data"]] == [("US", 4.0)]


async def test_a_pace_of_spending_is_of_one_unit_also_after_the_pricing_changed(
    customer, world, watch, database
) -> None:
    """Three hundred credits an hour are no three hundred dollars, in the window and in the weeks before."""
    terms = {"metric": "spend_pace", "against": "baseline", "raise_at": 2.0, "clear_at": 1.5}
    alarm_id = await make(customer, rounds_to_raise=1, **terms)
    for back in range(5, 60, 5):
        for unit, before, spent in (("micros", back, 10_000_000), ("credits", back + 1, 3_000)):
            await database.execute(
                """
                INSERT INTO insight_hours SELECT $1,
                    date_trunc('hour', now()) - make_interval(hours => $2), 'US', 'otp', $3::text,
                    90, 90, 90, 0, 0, 90, 0, 0, 0, 0, 0, 0, 0, 0, $4::bigint, 2000, 4000
                """,
                customer.scope.tenant_id,
                before,
                unit,
                spent,
            )
    await send(world, customer, delivered=15, price_estimated=1_000_000)
    await send(world, customer, delivered=15, price_estimated=100, unit="credits")
    await watch.look()
    found = await read(customer, alarm_id)
    assert (found["raised"], found["usual"], found["value"]) == (False, 10.0, 15.0)
    listed = await customer.api.get("/v1/insight/baselines", params={"metric": "spend_pace"})
    assert [(row["hours"], row["median"], row["p90"]) for row in listed.json()["data"]] == [(11, 10.0, 10.0)]


async def test_an_alarm_is_its_tenants(customer, stranger, operator) -> None:
    """Nobody else reads, switches or deletes it; the operator may set and delete."""
    alarm_id = await make(customer)
    for method, body in (("GET", None), ("PATCH", {"enabled": False}), ("DELETE", None)):
        answer = await stranger.api.request(method, f"/v1/alarms/{alarm_id}", json=body)
        assert answer.status_code == 404
    assert (await stranger.api.get("/v1/alarms")).json()["data"] == []
    home = f"/v1/admin/tenants/{customer.id}/alarms"
    made = await operator.post(home, json=BLOCKS | {"name": "the operator's"})
    assert made.status_code == 201
    assert [row["name"] for row in (await customer.api.get("/v1/alarms")).json()["data"]] == [
        "the operator's",
        BLOCKS["name"],
    ]
    assert (await operator.delete(f"{home}/{alarm_id}")).status_code == 204
    assert (await customer.api.get(f"/v1/alarms/{alarm_id}")).status_code == 404
    assert len((await operator.get(home)).json()["data"]) == 1


async def test_a_raised_alarm_that_is_switched_off_or_deleted_leaves_the_inbox(
    customer, operator, world, watch
) -> None:
    """Its cause may still be there, and nobody wants to hear of it."""
    await send(world, customer, blocked=20)
    first, second = await make(customer, rounds_to_raise=1), await make(customer, name="2", rounds_to_raise=1)
    await watch.look()
    assert len(await tasks(operator, customer)) == 2
    switched = await customer.api.patch(f"/v1/alarms/{first}", json={"enabled": False})
    assert (switched.json()["enabled"], switched.json()["raised"]) == (False, False)
    assert (await customer.api.delete(f"/v1/alarms/{second}")).status_code == 204
    assert await tasks(operator, customer) == []
    await watch.look(2)
    assert await tasks(operator, customer) == []


async def test_an_alarm_that_cannot_be_judged_keeps_no_other_from_its_turn(
    customer, stranger, watch, world, monkeypatch
) -> None:
    """It was due first in every round, and so no other was ever judged again."""
    sound = watching.measure

    async def measure(scope, *rest, **named):
        if scope.tenant_id == customer.scope.tenant_id:
            raise LookupError("what nobody foresaw")
        return await sound(scope, *rest, **named)

    await make(customer)
    second = await make(stranger)
    await send(world, stranger, delivered=5, blocked=5)
    monkeypatch.setattr(watching, "measure", measure)
    await watch.look(2)
    assert (await read(stranger, second))["raised"] is True


async def test_a_round_judges_all_that_are_due(customer, watch, database) -> None:
    """What was over stood still until the next one, and with it whatever was made last."""
    await make(customer)
    names = [row["column_name"] for row in await database.fetch(_COLUMNS)]
    copied = ", ".join({"id": "tollgate_uuid7()", "name": "'copy ' || n"}.get(each, each) for each in names)
    await database.execute(
        f"INSERT INTO alarms ({', '.join(names)}) SELECT {copied} FROM alarms, generate_series(1, 505) AS n"
        " WHERE tenant_id = $1",
        customer.scope.tenant_id,
    )
    await watch.look()
    left = await database.fetchval(
        "SELECT count(*) FROM alarms WHERE tenant_id = $1 AND judged_at IS NULL", customer.scope.tenant_id
    )
    assert left == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"clear_at": 0.3}, "/clear_at"),
        ({"raise_at": 1.5}, "/raise_at"),
        ({"metric": "delivery_rate", "raise_at": 0.9, "clear_at": 0.8}, "/clear_at"),
        ({"metric": "luck"}, "/metric"),
        ({"window_seconds": 10}, "/window_seconds"),
        ({"country": "usa"}, "/country"),
        ({"treshold": 1}, "/treshold"),
    ],
    ids=str,
)
async def test_an_alarm_that_makes_no_sense_is_refused_by_field(customer, changes, field) -> None:
    """One that clears where it is still raised would never be quiet."""
    answer = await customer.api.post("/v1/alarms", json=BLOCKS | changes)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field


async def test_a_name_is_an_alarms_own(customer) -> None:
    """People speak of alarms by name."""
    await make(customer)
    answer = await customer.api.post("/v1/alarms", json=BLOCKS)
    assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")


async def test_the_summary_adds_up_what_the_hours_hold(customer, stranger, database) -> None:
    """By what one asks for; another tenant's hours are not in it."""
    for tenant in (customer, stranger):
        for back, country in ((1, "US"), (2, "US"), (3, "GB")):
            await database.execute(
                """
                INSERT INTO insight_hours
                SELECT $1, date_trunc('hour', now()) - make_interval(hours => $2), $3,
                    'otp', 'micros', 100, 120, 90, 5, 5, 60, 20, 3, 1, 1, 1, 10, 30, 10, 645000, 2000, 4000
                """,
                tenant.scope.tenant_id,
                back,
                country,
            )
    answer = await customer.api.get("/v1/insight/summary", params={"group_by": "country"})
    rows = {row["country"]: row for row in answer.json()["data"]}
    assert set(rows) == {"US", "GB"}
    assert (rows["US"]["accepted"], rows["US"]["delivered"], rows["US"]["spent"]) == (200, 120, "1.29")
    assert rows["GB"]["rates"] == {
        "delivery_rate": 0.7059, "failure_rate": 0.2941, "block_rate": 0.1176, "conversion": 0.75,
    }  # fmt: skip
    hourly = await customer.api.get("/v1/insight/summary", params={"group_by": "hour,type"})
    assert len(hourly.json()["data"]) == 3
    assert (await customer.api.get("/v1/insight/summary", params={"group_by": "luck"})).status_code == 422


async def test_the_alarm_of_the_page_is_taken(customer) -> None:
    """What the how-to shows is what works, and its metrics are the metrics."""
    page = (Path(gateway.__file__).parent.parent / "docs/how-to/insight.md").read_text(encoding="utf-8")
    shown = re.findall(r"```json\n(.*?)\n```", page, re.DOTALL)
    assert shown
    for body in shown:
        answer = await customer.api.post("/v1/alarms", json=json.loads(body))
        assert answer.status_code == 201, answer.text
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == set(WATCHED)
