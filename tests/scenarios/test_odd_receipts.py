"""
Authentic events that are unknown, foreign or malformed, among good ones, over every road (row 22).

Each is acknowledged once it is kept, counted, and holds nothing up: no process dies of it, nothing is posted
or received again because of it, and every good event beside it does its work.
"""

import asyncio
import os
import random

import httpx
import pytest

from tests.harness.clients import new_clients
from tests.harness.ledger import faults
from tests.harness.odd_receipts import odd_receipts
from tests.harness.queues import running_moto
from tests.harness.roads import LIFE, deliver, life, not_once, operate, poster_of, reading_queue, sent
from tests.harness.waiting import eventually

pytestmark = pytest.mark.scenario

ODD = int(os.environ.get("SCENARIO_ODD_RECEIPTS", "150"))
"""On each of the three roads."""
MESSAGES = 6
BUILDS = int(os.environ.get("SCENARIO_BUILDS", "1"))
"""How many of the broken builds of one checker are tried."""
SEED = int(os.environ.get("SCENARIO_SEED", "22"))
KEPT = "SELECT count(*) FROM parked_receipts WHERE reason IN ('no_message', 'unreadable', 'unstorable')"


@pytest.fixture(scope="module")
def moto_url():
    """A moto server of this module."""
    with running_moto() as url:
        yield url


async def odd_among_good(fleet, moto_url, *, broken=""):
    """Bring odd and good events over a queue, SNS and Firehose; whatever went wrong."""
    clients = await new_clients(fleet)
    [account, *_] = (await operate(fleet, "GET", "/aws-accounts"))["data"]
    key = (await operate(fleet, "POST", "/firehose-keys", {"account": account["id"]}))["access_key"]
    async with reading_queue(fleet, moto_url, max_receives=3) as queue:
        ids = await sent(fleet, clients, MESSAGES)
        api = await fleet.ensure("api", broken=broken)
        workers = await fleet.start("workers", broken=broken, TOLLGATE_QUEUE_HIDDEN_S="2")
        poster = await poster_of(fleet)
        before, counted = await fleet.database.fetchval(KEPT), await _counted(fleet)
        odd = odd_receipts(3 * ODD, sound=ids[0], seed=SEED)
        roads = [odd[n::3] for n in range(3)]
        for number, road in enumerate(roads):
            road += [text for each in ids[number::3] for text in life(each)]
            random.Random(SEED).shuffle(road)
        posting = asyncio.create_task(poster.post_all(roads[0]))
        delivered, _ = await asyncio.gather(deliver(fleet, key, roads[2]), queue.send(*roads[1]))

        async def is_over():
            refused = set(poster.answers) - {200, 503}
            return refused or (posting.done() and await queue.left() == 0)

        await eventually(is_over, within_s=120)
        posting.cancel()
        await asyncio.gather(posting, return_exceptions=True)
        left, dead = await queue.left(), await queue.dead()
    kept = await fleet.database.fetchval(KEPT) - before
    found = await not_once(fleet, ids, events=len(LIFE))
    found += [] if (api.running, workers.running) == (True, True) else ["a process died"]
    found += [] if set(poster.answers) <= {200, 503} else [f"SNS was answered {set(poster.answers)}"]
    found += [] if delivered == 200 else [f"Firehose was answered {delivered}"]
    found += [] if (left, dead) == (0, 0) else [f"{left} stay in the queue, {dead} are dead"]
    found += [] if kept == len(odd) else [f"{kept} of {len(odd)} are kept"]
    # Firehose's and SNS's are counted by the API; the queue's by the workers, who offer no page.
    parked = await _counted(fleet) - counted
    found += [] if parked == 2 * ODD else [f"{parked} of {2 * ODD} are counted"]
    return found + await faults(fleet.database, of_tenant=clients.tenant_id)


async def _counted(fleet):
    """The parked events that the API's metric counts."""
    async with httpx.AsyncClient(base_url=fleet.api_url, timeout=60, trust_env=False) as client:
        page = (await client.get("/metrics")).text
    lines = [line for line in page.splitlines() if line.startswith("tollgate_receipts_parked_total{")]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


async def test_odd_events_are_kept_counted_and_hold_nothing_up(fleet, moto_url):
    """Row 22: 2xx after the commit, a place in quarantine each, never a crash loop."""
    assert await odd_among_good(fleet, moto_url) == []


@pytest.mark.parametrize("broken", ["odd_receipts_raise", "strays_are_forgotten"][:BUILDS])
async def test_builds_that_choke_on_odd_events_or_forget_them_are_found_out(fleet, moto_url, broken):
    """The checker of row 22: one answers 500 for ever, the other says 200 for what it threw away."""
    assert await odd_among_good(fleet, moto_url, broken=broken) != []
