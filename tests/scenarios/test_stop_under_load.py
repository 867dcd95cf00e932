"""
STOP while sends pour in: a second after the opt-out's commit nothing leaves for that person any more.

The tenant sends batches to a crowd without a pause, among it the same few people again and again, faster
than its number may carry, so that a line stands. Then these few write STOP. When a text left is when the
dispatcher handed it to the socket, by its own note: how long a busy carrier then takes to read it is not the
gateway's. When a STOP was committed is when a look at Postgres first shows it.

In the long form a thousand sends a second go to the tenant:

    SCENARIO_STOP_BATCHES=2 SCENARIO_STOP_BATCH_SIZE=1000 SCENARIO_STOP_RATE=1000
"""

import asyncio
import os
import time
from uuid import uuid4

import pytest

from tenants.ids import decode, encode
from tests.harness.departures import departures
from tests.harness.fleet import Fleet
from tests.harness.talker import CARRIED_PER_S, PEOPLE, Talker, talker
from tests.harness.waiting import until

pytestmark = pytest.mark.scenario

IN_FORCE_WITHIN_MS = 1000
AT_ONCE = int(os.environ.get("SCENARIO_STOP_BATCHES", "2"))
"""Batches under way at once."""
RATE = float(os.environ.get("SCENARIO_STOP_RATE", str(CARRIED_PER_S)))
"""Accepted sends a second that there must be while the STOPs are said and watched."""
IN_LINE = 20 * CARRIED_PER_S
"""Messages that wait when the first STOP is said: for twenty seconds, longer than slow commits take."""
WATCHED_S = 3.0


async def stopped_under_load(fleet: Fleet, *, broken: str = "") -> tuple[list[float], Talker, float]:
    """Return how late each too late text was (ms after the commit), the tenant, and its sends per second."""
    notes = fleet.folder / f"departures-{uuid4().hex}"
    await fleet.start("dispatcher", broken=broken, SCENARIO_DEPARTURES=str(notes))
    async with talker(fleet) as tenant:
        enough = asyncio.Event()
        sending = [asyncio.create_task(tenant.send(enough)) for _ in range(AT_ONCE)]
        await until(lambda: _has_a_line(fleet, tenant), within_s=60)
        began, accepted = time.monotonic(), tenant.accepted
        for person in tenant.people:
            await fleet.emulate("inbound", {"from": person, "to": tenant.number, "body": "Stop"})
        committed_ms = await until(lambda: _all_committed(fleet, tenant), within_s=60)
        await asyncio.sleep(WATCHED_S)
        rate = (tenant.accepted - accepted) / (time.monotonic() - began)
        enough.set()
        await asyncio.gather(*sending)
        await asyncio.sleep(WATCHED_S)
        await fleet.kill("dispatcher")
        return await _too_late(fleet, tenant, committed_ms, departures(notes)), tenant, rate


async def _has_a_line(fleet: Fleet, tenant: Talker) -> bool:
    """Tell whether each of the people got something, and much more waits."""
    reached = {line["destination"] for line in fleet.truth()}
    waiting = await fleet.database.fetchval(
        "SELECT count(*) FROM dispatch_queue WHERE tenant_id = $1", decode("ten", tenant.id)
    )
    return reached.issuperset(tenant.people) and waiting >= IN_LINE


async def _all_committed(fleet: Fleet, tenant: Talker) -> float:
    """Return an instant (Unix ms) at which each opt-out was committed, once all of them are; else 0."""
    found = await fleet.database.fetchval(
        "SELECT count(DISTINCT recipient_hash) FROM opt_outs WHERE tenant_id = $1", decode("ten", tenant.id)
    )
    return time.time() * 1000 if found >= PEOPLE else 0.0


async def _too_late(fleet: Fleet, tenant: Talker, committed_ms: float, left: dict[str, float]) -> list[float]:
    answered = "SELECT reply_message_id FROM inbound_messages WHERE tenant_id = $1 AND reply = 'sent'"
    rows = await fleet.database.fetch(answered, decode("ten", tenant.id))
    replies = {encode("msg", row["reply_message_id"]) for row in rows}
    to_people = [line["context"]["tg_m"] for line in fleet.truth() if line["destination"] in tenant.people]
    after = [left[message] - committed_ms for message in to_people if message not in replies]
    assert after, "the people got something before they said STOP"
    return [ms for ms in after if ms > IN_FORCE_WITHIN_MS]


async def test_nothing_leaves_a_second_after_the_stop_is_committed(fleet):
    """Neither what stands in line, nor what comes since; and each STOP is confirmed once."""
    late, tenant, rate = await stopped_under_load(fleet)
    assert late == []
    assert tenant.refused == {"opted_out"}
    tenant_id = decode("ten", tenant.id)
    replies = await fleet.database.fetch(
        "SELECT reply, count(*) FROM inbound_messages WHERE tenant_id = $1 GROUP BY reply", tenant_id
    )
    assert [(row["reply"], row["count"]) for row in replies] == [("sent", PEOPLE)]
    stopped = "SELECT count(*) FROM messages WHERE tenant_id = $1 AND reason_code = 'opted_out'"
    in_line = await fleet.database.fetchval(stopped, tenant_id)
    assert in_line > 0, "nobody waited in line, so nothing was shown"
    assert rate > RATE


async def test_a_build_that_judges_opt_outs_at_the_accept_alone_is_found_out(fleet):
    """What stands in line leaves there, long after the person has said no."""
    late, _, _ = await stopped_under_load(fleet, broken="opt_outs_judged_at_the_accept_alone")
    assert late
