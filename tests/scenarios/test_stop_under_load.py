"""
STOP while sends pour in: a second after the opt-out's commit nothing leaves for that person any more.

The tenant sends batches to a crowd without a pause, among it the same few people again and again, faster than
its number may carry, so that a line stands. Then these few write STOP. What left is read from the carrier's
own log, what was committed when from Postgres.
"""

import asyncio
import os
import time

import pytest

from tenants.ids import decode, encode
from tests.harness.fleet import Fleet
from tests.harness.talker import CARRIED_PER_S, PEOPLE, Talker, talker
from tests.harness.waiting import until

pytestmark = pytest.mark.scenario

IN_FORCE_WITHIN_MS = 1000
AT_ONCE = int(os.environ.get("SCENARIO_STOP_BATCHES", "2"))
"""Batches under way at once; 8 make a thousand sends a second on a quiet machine."""
IN_LINE = 150
"""Messages that wait when the first STOP is said."""
WATCHED_S = 3.0


async def stopped_under_load(fleet: Fleet, *, broken: str = "") -> tuple[list[int], Talker, float]:
    """Return how late each too late text was (ms after the commit), the tenant, and its sends per second."""
    await fleet.start("dispatcher", broken=broken)
    async with talker(fleet) as tenant:
        enough = asyncio.Event()
        sending = [asyncio.create_task(tenant.send(enough)) for _ in range(AT_ONCE)]
        began = time.monotonic()
        await until(lambda: _has_a_line(fleet, tenant), within_s=60)
        for person in tenant.people:
            await fleet.emulate("inbound", {"from": person, "to": tenant.number, "body": "Stop"})
        committed = await until(lambda: _commits(fleet, tenant), within_s=30)
        await asyncio.sleep(WATCHED_S)
        enough.set()
        await asyncio.gather(*sending)
        rate = tenant.accepted / (time.monotonic() - began)
        await asyncio.sleep(WATCHED_S)
        await fleet.kill("dispatcher")
        return await _too_late(fleet, tenant, committed), tenant, rate


async def _has_a_line(fleet: Fleet, tenant: Talker) -> bool:
    """Tell whether each of the people got something, and much more waits."""
    reached = {line["destination"] for line in fleet.truth()}
    waiting = await fleet.database.fetchval(
        "SELECT count(*) FROM dispatch_queue WHERE tenant_id = $1", decode("ten", tenant.id)
    )
    return reached.issuperset(tenant.people) and waiting >= IN_LINE


async def _commits(fleet: Fleet, tenant: Talker) -> dict[str, int]:
    """Return when each opt-out was committed at the latest (Unix ms), once all of them are."""
    listed = await tenant.api.get("/v1/opt-outs/changes")
    lines = listed.json()["data"]
    now_ms = int(time.time() * 1000)
    return {line["number"]: now_ms for line in lines} if len(lines) == PEOPLE else {}


async def _too_late(fleet: Fleet, tenant: Talker, committed: dict[str, int]) -> list[int]:
    rows = await fleet.database.fetch("SELECT reply_message_id FROM inbound_messages WHERE reply = 'sent'")
    replies = {encode("msg", row["reply_message_id"]) for row in rows}
    after = [
        line["accepted_ms"] - committed[line["destination"]]
        for line in fleet.truth()
        if line["destination"] in committed and line["context"].get("tg_m") not in replies
    ]
    assert after, "the people got something before they said STOP"
    return [ms for ms in after if ms > IN_FORCE_WITHIN_MS]


async def test_nothing_leaves_a_second_after_the_stop_is_committed(fleet):
    """Neither what stands in line, nor what comes since; and each STOP is confirmed once."""
    late, tenant, rate = await stopped_under_load(fleet)
    assert late == []
    assert tenant.refused == {"opted_out"}
    replies = await fleet.database.fetch(
        "SELECT reply, count(*) FROM inbound_messages GROUP BY reply HAVING count(*) > 0"
    )
    assert [(row["reply"], row["count"]) for row in replies] == [("sent", PEOPLE)]
    in_line = await fleet.database.fetchval("SELECT count(*) FROM messages WHERE reason_code = 'opted_out'")
    assert in_line > 0, "nobody waited in line, so nothing was shown"
    assert rate > CARRIED_PER_S


async def test_a_build_that_judges_opt_outs_at_the_accept_alone_is_found_out(fleet):
    """What stands in line leaves there, long after the person has said no."""
    late, _, _ = await stopped_under_load(fleet, broken="opt_outs_judged_at_the_accept_alone")
    assert late
