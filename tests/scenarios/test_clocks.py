"""
Machines whose clocks are five minutes off and step back while messages stand in line (row 24).

The API's machine is behind, the workers' and the dispatcher's are ahead, so that by their own clocks every
message would be long over before it was accepted. Then the machines step back, and so does Redis.
"""

import contextlib
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import httpx
import pytest

from tenants.ids import encode
from tests.harness.clients import new_clients
from tests.harness.envelopes import signed_envelope
from tests.harness.ledger import faults
from tests.harness.receipts import event
from tests.harness.roads import poster_of
from tests.harness.sink import running_sink
from tests.harness.waiting import until

pytestmark = pytest.mark.scenario

OFF_S = 300.0
LIFE_S = 240
"""Less than the clocks are off, and more than the scenario takes on a slow machine."""
MESSAGES = 40
RATE = 10
"""Message parts a second: most of the messages stand in line when the clocks step."""
STALL_S = 1.0
OVER_WITHIN_S = 60.0


async def skewed(fleet, *, broken="", over_within_s=OVER_WITHIN_S):
    """Send through machines with wrong clocks, which step back on the way; whatever went wrong."""
    behind, ahead = (fleet.folder / f"clock-{side}" for side in ("behind", "ahead"))
    behind.write_text(str(-OFF_S))
    ahead.write_text(str(OFF_S))
    await fleet.start("api", broken=broken, SCENARIO_CLOCK=str(behind))
    await fleet.start("workers", broken=broken, SCENARIO_CLOCK=str(ahead))
    clients = await new_clients(fleet, parts_per_second=RATE)
    async with running_sink() as sink:
        api = httpx.AsyncClient(
            base_url=fleet.api_url, headers={"Authorization": f"Bearer {clients.token}"}, trust_env=False
        )
        async with api:
            asked = {"url": f"{sink.url}/hook", "events": ["message.delivered"]}
            made = (await api.post("/v1/webhook-endpoints", json=asked)).json()
        await clients.send(MESSAGES, types=("transactional",), ttl_seconds=LIFE_S)
        await fleet.start("dispatcher", broken=broken, SCENARIO_CLOCK=str(ahead))

        async def half_way():
            return await _carried(fleet, clients, MESSAGES // 4) or await _all_final(fleet, clients)

        await until(half_way, within_s=OVER_WITHIN_S)
        ahead.write_text(str(-OFF_S))
        await _step_redis_back(fleet)
        stepped_ms = _now_ms()
        with contextlib.suppress(TimeoutError):
            await until(lambda: _all_final(fleet, clients), within_s=over_within_s)
        found = await _not_delivered(fleet, clients)
        found += _stalls(await _carried(fleet, clients, 0), stepped_ms)
        told = await sink.wait_for("/hook", MESSAGES, within_s=OVER_WITHIN_S) if not found else []
        for post in told:
            post.verified(made["secret"])  # it refuses a timestamp that is five minutes off
    return found + await faults(fleet.database, of_tenant=clients.tenant_id)


async def _step_redis_back(fleet):
    """Have the lanes see a Redis whose clock is five minutes behind what it was a moment ago."""
    for key in await fleet.redis.command("KEYS", "*:epoch"):
        await fleet.redis.command("HINCRBY", key, "shift", round(-OFF_S * 1_000_000))


def _now_ms():
    return datetime.now(UTC).timestamp() * 1000


async def _carried(fleet, clients, at_least):
    """When AWS took the tenant's messages (ms), once they are so many."""
    rows = await fleet.database.fetch("SELECT id FROM messages WHERE tenant_id = $1", clients.tenant_id)
    ours = {encode("msg", row["id"]) for row in rows}
    took = [line["accepted_ms"] for line in fleet.truth() if line["context"].get("tg_m") in ours]
    return took if len(took) >= at_least else []


async def _all_final(fleet, clients):
    return await fleet.database.fetchval(
        "SELECT count(final_at) >= $2 FROM messages WHERE tenant_id = $1", clients.tenant_id, MESSAGES
    )


async def _not_delivered(fleet, clients):
    rows = await fleet.database.fetch(
        "SELECT status, count(*) FROM messages WHERE tenant_id = $1 GROUP BY status", clients.tenant_id
    )
    return [f"{row['count']} are {row['status']}" for row in rows if row["status"] != "delivered"]


def _stalls(carried_ms, stepped_ms):
    """The longest pause after the step, where it is beyond what it may be and beyond this machine's own."""
    gaps = [(later, later - earlier) for earlier, later in pairwise(carried_ms)]
    before = max((gap for later, gap in gaps if later <= stepped_ms), default=0)
    after = max((gap for later, gap in gaps if later > stepped_ms), default=0)
    longest = max(STALL_S * 1000, 3 * before)
    return [f"nothing left for {after} ms"] if after > longest else []


async def test_wrong_clocks_end_no_life_early_and_stall_no_lane(fleet):
    """Row 24: all are delivered and told, and a step back of every clock costs the lanes no second."""
    assert await skewed(fleet) == []


async def test_a_build_that_goes_by_its_machines_clock_is_found_out(fleet):
    """The checker of row 24: what was accepted has expired on arrival."""
    assert await skewed(fleet, broken="machines_own_clock") != []


async def test_lanes_that_believe_a_clock_that_steps_back_are_found_out(fleet):
    """The checker of row 24: nothing leaves for as long as the clock went back."""
    assert await skewed(fleet, broken="lanes_by_the_wall", over_within_s=MESSAGES / RATE + 4) != []


@pytest.mark.parametrize(("off_s", "status"), [(-290, 200), (290, 200), (310, 403)])
async def test_a_signature_may_be_five_minutes_off_on_a_machine_whose_clock_is_wrong(fleet, off_s, status):
    """SNS's clock may differ by five minutes from Postgres's, whatever the API's machine says."""
    wrong = fleet.folder / "clock-wrong"
    wrong.write_text(str(-OFF_S))
    await fleet.start("api", SCENARIO_CLOCK=str(wrong))
    await new_clients(fleet)
    poster = await poster_of(fleet)
    at = datetime.now(UTC) + timedelta(seconds=off_s)
    text = event("DELIVERED", provider_message_id=f"aws-{off_s}")
    body = signed_envelope(fleet.emulator, poster._topic_arn, text, at=at)
    async with httpx.AsyncClient(base_url=fleet.api_url, timeout=60, trust_env=False) as client:
        assert (await client.post("/v1/ingest/sns", content=body)).status_code == status
