"""Row 23: receivers that are down, silent, slow, endless or elsewhere, beside one that is well."""

import contextlib
import time
from datetime import datetime

import httpx
import pytest

from tests.harness.clients import new_clients
from tests.harness.ill_receivers import HEARD, UNHEARD, running_ill_receivers
from tests.harness.judging import judge
from tests.harness.sink import running_sink
from tests.harness.waiting import eventually

SENDS = 24
DEADLINE_S = 4.0
PLACES = 8
"""Fewer than the posts that one silent receiver would hold."""
LATE_S = 3.5
"""Less than the deadline: a delivery that waited for an ill one's place is later than this."""
MOST_TAKEN = 8 * 1024 * 1024
"""Of an endless body: what the kernel's buffers hold, and 16 KB."""

pytestmark = pytest.mark.scenario


async def told_beside_ill_ones(fleet, broken=""):
    """Tell one receiver that is well and seven that are not of the same messages; what is wrong then."""
    clients = await new_clients(fleet)
    async with running_sink() as sink, running_ill_receivers() as ill:
        urls = {f"{ill.url}{path}": path for path in (*UNHEARD, *HEARD)} | {sink.url + "/well": "/well"}
        headers = {"Authorization": f"Bearer {clients.token}"}
        async with httpx.AsyncClient(base_url=fleet.api_url, headers=headers, trust_env=False) as client:
            for url in urls:
                body = {"url": url, "events": ["message.delivered"]}
                made = await client.post("/v1/webhook-endpoints", json=body)
                assert made.status_code == 201, made.text
        few = {"TOLLGATE_WEBHOOK_IN_FLIGHT": str(PLACES), "TOLLGATE_WEBHOOK_TIMEOUT_S": str(DEADLINE_S)}
        await fleet.start("workers", broken=broken, **few)
        await fleet.start("dispatcher")
        await clients.send(SENDS)
        verdict = await judge(fleet, clients)
        with contextlib.suppress(TimeoutError):
            await sink.wait_for("/well", SENDS, within_s=60)
        with contextlib.suppress(TimeoutError):
            await eventually(lambda: _each_was_tried(fleet, clients, len(urls)), within_s=60)
        rows = await _deliveries(fleet, clients, urls)
        late = _late(sink.of("/well"), made.json()["secret"])
        return [*verdict.but_delivered_once(), *late, *_faults(rows, ill), *await _overlong(fleet, clients)]


async def _each_was_tried(fleet, clients, endpoints):
    tried = await fleet.database.fetchval(
        "SELECT count(DISTINCT endpoint_id) FROM webhook_deliveries WHERE tenant_id = $1 AND attempts > 0",
        clients.tenant_id,
    )
    return tried == endpoints


async def _deliveries(fleet, clients, urls):
    """The deliveries by receiver."""
    rows = await fleet.database.fetch(
        "SELECT w.url, d.state, d.error, d.attempts FROM webhook_deliveries d"
        " JOIN webhook_endpoints w ON w.id = d.endpoint_id WHERE d.tenant_id = $1",
        clients.tenant_id,
    )
    found = {path: [] for path in urls.values()}
    for row in rows:
        found[urls[row["url"]]].append(row)
    return found


def _late(posts, secret):
    """What the receiver that is well heard too late, or never."""
    to_epoch = time.time() - time.monotonic()
    told = {}
    for post in posts:
        body = post.verified(secret)
        delay_s = post.at + to_epoch - datetime.fromisoformat(body["timestamp"]).timestamp()
        told[body["data"]["id"]] = min(delay_s, told.get(body["data"]["id"], delay_s))
    slow = [f"told {delay_s:.1f} s late" for delay_s in told.values() if delay_s > LATE_S]
    return slow + [f"{SENDS - len(told)} were never told"] * (len(told) < SENDS)


def _faults(rows, ill):
    """What is owed to whom, and what was tried."""
    wrong = [f"{path} is owed {len(of)} of {SENDS}" for path, of in rows.items() if len(of) != SENDS]
    for path, error in UNHEARD.items():
        tried = [row for row in rows[path] if row["attempts"]]
        wrong += [f"{path} was called delivered" for row in rows[path] if row["state"] == "delivered"]
        wrong += [f"{path} shows {row['error']}" for row in tried if row["error"] != error]
    for path in HEARD:
        wrong += [f"{path} shows {row['error']}" for row in rows[path] if row["attempts"] and row["error"]]
    if ill.posts["/canary"]:
        wrong.append("a redirect was followed")
    if ill.written["/endless"] > MOST_TAKEN * max(ill.posts["/endless"], 1):
        wrong.append(f"{ill.written['/endless']} bytes were taken from an endless body")
    return wrong


async def _overlong(fleet, clients):
    """Attempts that held a place for longer than the deadline allows."""
    longest = await fleet.database.fetchval(
        "SELECT max(duration_ms) FROM webhook_attempts WHERE tenant_id = $1", clients.tenant_id
    )
    return [f"an attempt lasted {longest} ms"] if longest > (DEADLINE_S + 2) * 1000 else []


async def test_ill_receivers_are_left_in_time_and_are_in_nobodys_way(fleet):
    """Each is owed all, tried within the deadline and shown for what it is; the well one is on time."""
    assert await told_beside_ill_ones(fleet) == []


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("slow_ones_keep_their_places", "late"),
        ("bodies_are_read_whole", "/drip-body shows timeout"),
        ("redirects_are_followed", "a redirect was followed"),
        ("failures_count_as_delivered", "/silent was called delivered"),
    ],
)
async def test_a_sender_that_is_too_patient_or_too_trusting_is_found_out(fleet, broken, said):
    """The checker on builds that break one promise each."""
    found = await told_beside_ill_ones(fleet, broken)
    assert any(said in each for each in found), found
