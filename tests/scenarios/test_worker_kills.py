"""Schedulers and webhook senders that die at a named point: whoever comes next finds what they left."""

import contextlib
import json
import os
import signal

import httpx
import pytest

from gateway.faultpoints import FaultPoint
from gateway.receipts.batch import platform_key
from tenants.ids import decode
from tests.harness.clients import TYPES, new_clients
from tests.harness.conviction import convicted
from tests.harness.judging import judge
from tests.harness.receipts import event
from tests.harness.sink import running_sink
from tests.harness.waiting import eventually, until

KILLS = int(os.environ.get("SCENARIO_KILLS", "1"))
SENDS = 12

pytestmark = pytest.mark.scenario


async def scheduler_killed_at(fleet, *points, broken="", throttled=0.3, failing=0.3, types=TYPES):
    """Let shares of the calls be throttled or fail, and kill the scheduler that sees to them; the verdict."""
    clients = await new_clients(fleet)
    shares = {"throttle_rate": throttled, "error_rate": failing}
    await fleet.emulate("faults", {"actions": {"SendTextMessage": shares}})
    await fleet.start("dispatcher")
    for point in points:
        for _ in range(KILLS):
            doomed = await fleet.start("workers", fault=f"{point}:kill", broken=broken)
            await clients.send(SENDS, types=types)
            assert await doomed.ended() == -signal.SIGKILL, doomed.wrote[-2000:]
    await fleet.emulate("faults", {})
    await fleet.start("workers", broken=broken)
    return await judge(fleet, clients)


async def test_a_scheduler_may_die_between_any_two_steps(fleet):
    """What it had queued is pushed, what it had settled is settled, and nothing twice."""
    verdict = await scheduler_killed_at(
        fleet, FaultPoint.RELAY_BEFORE_PUSH, FaultPoint.RELAY_AFTER_PUSH, FaultPoint.UNKNOWN_IN_COMMIT
    )
    twice = [m.id for m in verdict.stored if verdict.sends[m.id] > 1]
    assert (verdict.broken, twice) == ([], [])


async def test_a_scheduler_that_resends_without_waiting_is_found_out(fleet):
    """The checker on a build that resends whatever is in doubt, as it is of every call here."""

    async def scenario():
        point, broken = FaultPoint.RELAY_AFTER_PUSH, "unknown_is_resent_at_once"
        verdict = await scheduler_killed_at(
            fleet, point, broken=broken, throttled=0.0, failing=1.0, types=("promotional",)
        )
        return verdict.broken

    assert await convicted(fleet, scenario, "promotional and was resent")


async def test_a_sweep_of_expired_messages_may_die(fleet):
    """Nothing is half closed: the message is expired, its hold released, and it is never sent."""
    clients = await new_clients(fleet)
    await clients.send(SENDS)
    past = "UPDATE messages SET expires_at = now() - interval '1 second' WHERE tenant_id = $1"
    await fleet.database.execute(past, clients.tenant_id)
    doomed = await fleet.start("workers", fault=f"{FaultPoint.EXPIRY_IN_COMMIT}:kill")
    assert await doomed.ended() == -signal.SIGKILL, doomed.wrote[-2000:]
    await fleet.start("workers")
    verdict = await judge(fleet, clients)
    assert (verdict.broken, {m.status for m in verdict.stored}, verdict.sends) == ([], {"expired"}, {})


async def test_a_sweep_of_parked_receipts_may_die(fleet):
    """A receipt that found its message late is applied once."""
    clients = await new_clients(fleet)
    await fleet.emulate("faults", {"receipts": {"lose_rate": 1.0}})
    await fleet.start("dispatcher")
    await clients.send(1)
    named = "SELECT provider_message_id FROM messages WHERE tenant_id = $1"
    aws_id = await until(lambda: fleet.database.fetchval(named, clients.tenant_id))
    raw, key = json.dumps(event("DELIVERED", provider_message_id=aws_id)).encode(), os.urandom(32)
    await fleet.database.execute(
        "INSERT INTO parked_receipts (event_key, provider_message_id, reason, body_sealed) "
        "VALUES ($1, $2, 'no_message', $3)",
        key,
        aws_id,
        platform_key(fleet.settings.secret_key).seal(raw, context=key),
    )
    doomed = await fleet.start("workers", fault=f"{FaultPoint.PARKED_IN_COMMIT}:kill")
    assert await doomed.ended() == -signal.SIGKILL, doomed.wrote[-2000:]
    await fleet.start("workers")
    assert (await judge(fleet, clients)).but_delivered_once() == []
    parked = "SELECT count(*) FROM parked_receipts WHERE provider_message_id = $1"
    assert await fleet.database.fetchval(parked, aws_id) == 0


class Hearer:
    """What a receiver was told, each post verified once and soon: a signature is good for five minutes."""

    def __init__(self, sink, secret):
        self._sink, self._secret, self._read = sink, secret, 0
        self.told = set()

    def listen(self):
        """Read what came since the last time; return all that was told."""
        fresh = self._sink.posts[self._read :]
        self._read += len(fresh)
        self.told |= {post.verified(self._secret)["data"]["id"] for post in fresh}
        return self.told


async def sender_killed_at(fleet, *points, broken="", within_s=60.0):
    """Kill webhook senders at their points; the state of each delivery that nobody was told of."""
    clients = await new_clients(fleet)
    async with running_sink() as sink:
        headers = {"Authorization": f"Bearer {clients.token}"}
        async with httpx.AsyncClient(base_url=fleet.api_url, headers=headers, trust_env=False) as client:
            body = {"url": sink.url, "events": ["message.delivered"]}
            made = await client.post("/v1/webhook-endpoints", json=body)
            assert made.status_code == 201, made.text
        hearer = Hearer(sink, made.json()["secret"])
        await fleet.start("dispatcher")
        for point in points:
            for _ in range(KILLS):
                doomed = await fleet.start("workers", fault=f"{point}:kill", broken=broken)
                await clients.send(SENDS)
                assert await doomed.ended() == -signal.SIGKILL, doomed.wrote[-2000:]
                hearer.listen()
        await fleet.start("workers", broken=broken)
        assert (await judge(fleet, clients)).but_delivered_once() == []
        accepted = {ids[0] for ids in clients.accepted.values()}

        async def all_told():
            return accepted <= hearer.listen()

        with contextlib.suppress(TimeoutError):
            await eventually(all_told, within_s=within_s + len(accepted) / 10)
        return await _listed(fleet, accepted - hearer.told)


async def _listed(fleet, untold):
    """What Postgres says of the deliveries of messages that nobody was told of."""
    rows = await fleet.database.fetch(
        "SELECT e.message_id, d.state, d.attempts, d.next_attempt_at, d.error, w.holding, w.paused_until"
        " FROM unnest($1::uuid[]) AS m (id) LEFT JOIN events e ON e.message_id = m.id"
        " AND e.type = 'message.delivered' LEFT JOIN webhook_deliveries d ON d.event_id = e.id"
        " LEFT JOIN webhook_endpoints w ON w.id = d.endpoint_id",
        [decode("msg", each) for each in untold],
    )
    return [dict(row) for row in rows]


async def test_every_event_is_posted_whoever_dies(fleet):
    """Before the post, after it, or in the middle of recording it: at least once."""
    points = (FaultPoint.WEBHOOKS_AFTER_LEASE, FaultPoint.WEBHOOKS_AFTER_POST, FaultPoint.WEBHOOKS_IN_COMMIT)
    assert await sender_killed_at(fleet, *points) == []


async def test_an_event_that_is_written_off_too_early_is_found_out(fleet):
    """The checker on a build that calls an event delivered when a sender has taken it."""
    lost = await sender_killed_at(
        fleet, FaultPoint.WEBHOOKS_AFTER_LEASE, broken="delivered_when_leased", within_s=8
    )
    assert lost
