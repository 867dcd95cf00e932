"""
kill -9 of each process of `tollgate dev` in the middle of its work.

A run sends 300 messages per killed process; KILL_SCENARIO_SENDS=1000 is the full size. An attempt without
an answer waits 2 s instead of 90 (TOLLGATE_UNKNOWN_WAIT_S), or each run would take minutes; a mark's lease
stays at its 30 s, which is why killing the dispatcher takes the longest.
"""

import asyncio
import contextlib
import itertools
import os
import signal

import asyncpg
import httpx
import pytest

from tenants.ids import decode, encode
from tests.harness.dev import PARTS, running_dev
from tests.harness.ledger import faults
from tests.harness.numbers import us_number
from tests.harness.verdict import StoredMessage, broken_promises
from tests.harness.waiting import eventually, until

SENDS = int(os.environ.get("KILL_SCENARIO_SENDS", "300"))
CLIENTS = 16
SETTLED_WITHIN_S = 90
ACCEPTED_WITHIN_S = 60
TYPES = ("otp", "transactional", "promotional")


@pytest.fixture(scope="module")
async def dev(tmp_path_factory):
    """One tree for all scenarios: each starts from what the one before left."""
    async with running_dev(tmp_path_factory.mktemp("dev") / "data") as dev:
        async with httpx.AsyncClient(base_url=dev.facts["AWS emulator"]) as client:
            await client.post(
                "/_emulator/carriers", json={"*": {"outcomes": {"DELIVERED": 0.9, "UNREACHABLE": 0.1}}}
            )
        yield dev


async def customer(dev):
    """A live tenant; returns its id and a key."""
    headers = {"Authorization": f"Bearer {dev.facts['Operator key']}"}
    async with httpx.AsyncClient(base_url=dev.facts["API"], headers=headers, timeout=30) as operator:

        async def operate(path, body):
            answer = await operator.post(f"/v1/admin/tenants{path}", json=body)
            assert answer.is_success, answer.text
            return answer.json()

        slug = f"kill-{os.urandom(5).hex()}"
        tenant = await operate("", {"name": "Kill", "slug": slug, "model": 2, "countries": ["US"]})
        await operate(f"/{tenant['id']}/credits", {"amount": "1000.00"})
        sender = {"country": "US", "type": "TOLL_FREE", "parts_per_second": 1000}
        senders = [sender, sender | {"message_types": ["promotional"]}]
        await operate(f"/{tenant['id']}/provision", {"senders": senders, "dedicated_pool": False})
        key = await operate(f"/{tenant['id']}/api-keys", {"mode": "live"})
    return tenant["id"], key["secret"]


class Clients:
    """Impatient clients: whatever is not a clear answer is asked again with the same key."""

    def __init__(self, dev, token):
        self._dev = dev
        self._headers = {"Authorization": f"Bearer {token}"}
        self._numbers = itertools.count()
        self.accepted = {}

    async def run(self):
        """Send everything, and every tenth key once more after its 202."""
        async with httpx.AsyncClient(headers=self._headers, timeout=10) as client:
            await asyncio.gather(*(self._client(client) for _ in range(CLIENTS)))

    async def _client(self, client):
        while (number := next(self._numbers)) < SENDS:
            body = {"to": us_number(), "body": f"Message {number}", "type": TYPES[number % 3]}
            for _ in range(2 if number % 10 == 0 else 1):
                await self._send(client, f"key-{number}", body)

    async def _send(self, client, key, body):
        async with asyncio.timeout(ACCEPTED_WITHIN_S):
            while True:
                answer = await self._ask(client, key, body)
                if answer is not None and answer.status_code == 202:
                    self.accepted.setdefault(key, []).append(answer.json()["id"])
                    return
                assert answer is None or answer.status_code >= 500, answer.text
                await asyncio.sleep(0.1)

    async def _ask(self, client, key, body):
        """Return the answer, or None where the connection gave none."""
        headers = {"Idempotency-Key": key}
        try:
            return await client.post(f"{self._dev.facts['API']}/v1/messages", json=body, headers=headers)
        except httpx.TransportError:
            return None


@pytest.mark.scenario
@pytest.mark.parametrize("part", [*PARTS, "supervisor"])
async def test_a_kill_of_one_process_breaks_no_promise(dev, part):
    """Every 202 ends in a final state, no text twice but flagged resends, the ledger sums to zero."""
    tenant_id, token = await customer(dev)
    clients = Clients(dev, token)
    sending = asyncio.create_task(clients.run())
    await until(lambda: _is(len(clients.accepted) >= SENDS // 3), within_s=ACCEPTED_WITHIN_S)
    await dev.kill(part)
    await sending
    assert len(clients.accepted) == SENDS

    async with asyncpg.create_pool(dev.facts["Postgres"], min_size=1, max_size=2) as database:
        stored = await settled(database, tenant_id)
        carried = await carried_for(dev, {message.id for message in stored})
        assert broken_promises(clients.accepted, stored, carried) == []
        assert await faults(database) == []
    status, said = await dev.run("reconcile")
    assert status == 0, said


@pytest.mark.scenario
async def test_a_dispatcher_that_is_told_to_stop_leaves_nothing_unknown(dev):
    """A deployment in the middle of the work: what is on the wire is answered and recorded first."""
    async with httpx.AsyncClient(base_url=dev.facts["AWS emulator"]) as client:
        await client.post(
            "/_emulator/faults", json={"actions": {"SendTextMessage": {"latency_after_ms": 200}}}
        )
    tenant_id, token = await customer(dev)
    clients = Clients(dev, token)
    sending = asyncio.create_task(clients.run())
    for share in (4, 2):
        await until(
            lambda share=share: _is(len(clients.accepted) >= SENDS // share), within_s=ACCEPTED_WITHIN_S
        )
        await dev.signal("dispatcher", signal.SIGTERM)
    await sending
    async with asyncpg.create_pool(dev.facts["Postgres"], min_size=1, max_size=2) as database:
        stored = await settled(database, tenant_id)
        carried = await carried_for(dev, {message.id for message in stored})
        assert broken_promises(clients.accepted, stored, carried) == []
        assert [message.id for message in stored if message.resend_of_unknown] == []
        reasons = await database.fetch("SELECT DISTINCT status, reason_code, reason_detail FROM messages")
        assert {message.status for message in stored} <= {"delivered", "undelivered"}, reasons


async def settled(database, tenant_id):
    """The tenant's messages once all are final, or as they are when the time is over."""

    async def all_final():
        return not await database.fetchval(
            "SELECT count(*) FROM messages WHERE tenant_id = $1 AND final_at IS NULL",
            decode("ten", tenant_id),
        )

    # After the deadline the verdict names each message that is still open.
    with contextlib.suppress(TimeoutError):
        await eventually(all_final, within_s=SETTLED_WITHIN_S)
    rows = await database.fetch(
        "SELECT id, status, resend_of_unknown FROM messages WHERE tenant_id = $1", decode("ten", tenant_id)
    )
    return [StoredMessage(encode("msg", row["id"]), row["status"], row["resend_of_unknown"]) for row in rows]


async def carried_for(dev, ids):
    """The message id of every text that the emulated AWS accepted for these messages."""
    async with httpx.AsyncClient(base_url=dev.facts["AWS emulator"], timeout=30) as client:
        answer = await client.get("/_emulator/messages", params={"limit": 100_000})
    named = [message["context"].get("tg_m") for message in answer.json()["data"]]
    return [each for each in named if each in ids]


async def _is(value):
    return value
