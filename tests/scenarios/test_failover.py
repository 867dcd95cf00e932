"""
Two AWS accounts in two Regions: what goes wrong in one is carried by the other.

The witness is the emulator's list of what it took, in either Region. Each rule is also shown to fail on a
gateway that is broken in just this way.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest

from gateway.dispatch import failover, rerouting
from tenants.ids import encode
from tests.harness.ledger import agreeing_books
from tests.harness.numbers import us_number
from tests.harness.stack import US, Stack, running_stack
from tests.harness.verdict import StoredMessage, broken_promises
from tests.harness.waiting import until
from tests.harness.web import free_listener, url_of

ABROAD = UUID("ffffffff-ffff-7fff-bfff-ffffffffffff")
"""After every account that is made later, so that the default one stays the first."""
AT_ONCE = 2
"""Texts that a number at one in twenty seconds sends before anybody has seen that the others wait."""
ALL_DELIVERED = {"*": {"outcomes": {"DELIVERED": 1.0}}}


class Road:
    """The way to an emulator, which can be closed: whoever calls is refused the connection."""

    def __init__(self, url: str) -> None:
        self._port = int(url.rpartition(":")[2])
        self._listener = free_listener()
        self._open: set[asyncio.StreamWriter] = set()
        self.url = url_of(self._listener)

    async def open(self) -> None:
        """Let callers through."""
        self._server = await asyncio.start_server(self._pass, sock=self._listener)

    async def close(self) -> None:
        """Refuse whoever comes, and cut off whoever is there."""
        self._server.close()
        for writer in self._open:
            writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        self._open |= {writer, back}
        with contextlib.suppress(OSError):
            await asyncio.gather(_copy(reader, back), _copy(there, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()


class TwoRegions:
    """A gateway between two emulated AWS accounts."""

    def __init__(self, stack: Stack, road: Road) -> None:
        self.stack = stack
        self.road = road

    async def customer(self, *, mps=1000):
        """A tenant with a number in each account, home first."""
        customer = await self.stack.customer(senders=[US | {"parts_per_second": mps}])
        home = f"/v1/admin/tenants/{customer.id}"
        body = {"account": encode("acc", ABROAD), "senders": [US], "dedicated_pool": False}
        await self.stack.operate("post", f"{home}/provision", body)
        accounts = (await self.stack.operate("get", "/v1/admin/aws-accounts"))["data"]
        await self.stack.operate("put", f"{home}/routes", {"routes": [each["id"] for each in accounts]})
        return customer


@pytest.fixture
async def regions(database_url, redis_url, emulator) -> AsyncIterator[TwoRegions]:
    """A gateway whose second account is known from its start."""
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        """
        INSERT INTO aws_accounts (id, name, region, endpoint_url, sends_per_second)
        VALUES ($1, 'abroad', 'eu-west-1', $2, 1000)
        ON CONFLICT (id) DO UPDATE SET topic_arn = NULL, subscription_arn = NULL
        """,
        ABROAD,
        emulator.base_url,
    )
    await connection.execute("DELETE FROM health_states")
    await connection.execute(
        "DELETE FROM health_tallies"
    )  # what the test before lost is no fault of this one's
    await connection.close()
    road = Road(emulator.base_url)
    await road.open()
    changes = {"aws_endpoint_url": road.url, "unknown_wait_s": 1.0, "fail_over_after": 2}
    async with running_stack(database_url, redis_url, emulator, **changes) as stack:
        await stack.emulate("carriers", ALL_DELIVERED)
        await stack.emulate("faults", {"actions": {}})
        async with agreeing_books(stack.database):
            yield TwoRegions(stack, road)
    await road.close()


async def accepted(customer, count=1, **members):
    """Send texts; returns the recipient of each message."""
    answers = [await customer.send(to=us_number(), body="Hello", **members) for _ in range(count)]
    assert {answer.status_code for answer in answers} == {202}, answers[0].text
    return {answer.json()["id"]: answer.json()["to"] for answer in answers}


async def test_a_region_that_is_down_is_left_and_its_messages_arrive_by_the_other_once(regions):
    """The history names both senders; a tenant who looks sees why."""
    customer = await regions.customer()
    first = await accepted(customer)
    await customer.final(next(iter(first)))
    await regions.road.close()
    sent = await accepted(customer, 5)
    for message_id, recipient in sent.items():
        message = await customer.final(message_id)
        assert (message["status"], message["provider"]["region"]) == ("delivered", "eu-west-1")
        assert len(await regions.stack.carried(to=recipient)) == 1
        steps = (await customer.live.get(f"/v1/messages/{message_id}/events")).json()["data"]
        [moved] = [step for step in steps if step["type"] == "message.rerouted"]
        assert moved["detail"]["rerouted"]["blame"] == "region"
        assert moved["detail"]["rerouted"]["to"]["region"] == "eu-west-1"


async def twice_taken(regions, customer, *, receipts_after_ms):
    """Send while each answer of home is lost after it took the text; return what was promised and broken."""
    lost = {"SendTextMessage": {"drop_after_accept_rate": 1.0}}
    await regions.stack.emulate("faults", {"actions": lost, "receipts": {"delay_ms": receipts_after_ms}})
    sent = await accepted(customer, 20)
    for message_id in sent:
        await customer.final(message_id)

    async def nothing_left():
        query = "SELECT count(*) FROM dispatch_queue WHERE tenant_id = $1"
        return await regions.stack.database.fetchval(query, customer.uuid) == 0

    await until(nothing_left)
    texts = []
    for message_id, recipient in sent.items():
        texts += [message_id] * len(await regions.stack.carried(to=recipient))
    stored = [
        StoredMessage(id=each, status=message["status"], resend_of_unknown=message["resend_of_unknown"])
        for each in sent
        for message in [await customer.message(each)]
    ]
    return broken_promises({each: [each] for each in sent}, stored, texts)


SOON_MS, LATE_MS = 0, 500
"""Before an unknown outcome is decided; late ones let a second call be made that ought not to be."""


@pytest.mark.parametrize("receipts_after_ms", [SOON_MS, LATE_MS])
async def test_what_aws_may_have_taken_is_never_carried_by_the_other(regions, receipts_after_ms):
    """An answer that was lost says nothing; the receipt does."""
    customer = await regions.customer()
    assert await twice_taken(regions, customer, receipts_after_ms=receipts_after_ms) == []


async def test_a_gateway_that_fails_over_unknown_outcomes_is_noticed(regions, monkeypatch):
    """The broken build: unknown taken for refused. The witnesses convict it."""
    honest = failover.failure_of

    def broken(result, *, moved):
        if type(result).__name__ == "Unknown":
            return failover.Failure(blame="account", code="unknown", definite=True)
        return honest(result, moved=moved)

    monkeypatch.setattr(rerouting, "failure_of", broken)
    assert await _sends_twice(regions)


async def _sends_twice(regions, tries=3):
    """Whether a text goes out twice; a receipt may outrun the broken build, so it tries again."""
    for _ in range(tries):
        found = await twice_taken(regions, await regions.customer(), receipts_after_ms=LATE_MS)
        if any(" times, flagged: " in fault for fault in found):
            return True
    return False


async def twenty_in_line(regions, customer):
    """Send twenty texts, most of which have to wait; returns the recipient of each."""
    waiting = await accepted(customer, 20)

    async def in_line():
        query = "SELECT count(*) FROM dispatch_queue WHERE tenant_id = $1 AND state = 'queued'"
        return await regions.stack.database.fetchval(query, customer.uuid) >= len(waiting) // 2

    await until(in_line)
    return waiting


async def test_what_waits_leaves_by_the_routes_that_its_tenant_has_now(regions):
    """An account that is taken off the list carries nothing of it, however long the line before it is."""
    customer = await regions.customer(mps=0.05)
    waiting = await twenty_in_line(regions, customer)
    routes = {"routes": [encode("acc", ABROAD)]}
    await regions.stack.operate("put", f"/v1/admin/tenants/{customer.id}/routes", routes)
    finals = await asyncio.gather(*(customer.final(each) for each in waiting))
    assert {message["status"] for message in finals} == {"delivered"}
    at_home = [message for message in finals if message["provider"]["region"] != "eu-west-1"]
    assert len(at_home) <= AT_ONCE
    for recipient in waiting.values():
        assert len(await regions.stack.carried(to=recipient)) == 1


async def test_a_swap_moves_the_queue_and_the_next_send(regions):
    """A thousand messages behind a blocked number do not wait for it, and none is sent twice."""
    stack, customer = regions.stack, await regions.customer(mps=0.05)
    home = f"/v1/admin/tenants/{customer.id}/senders"
    rows = (await stack.operate("get", home))["data"]
    slow, standby = sorted(rows, key=lambda row: row["parts_per_second"])
    waiting = await twenty_in_line(regions, customer)
    body = {"standby": standby["id"], "reason": "blocked"}
    await stack.operate("post", f"{home}/{slow['id']}/swap", body)
    after = await accepted(customer, 3)
    finals = await asyncio.gather(*(customer.final(each) for each in (*waiting, *after)))
    assert {message["status"] for message in finals} == {"delivered"}
    assert standby["value"] in {message["from"] for message in finals[: len(waiting)]}
    assert {message["from"] for message in finals[len(waiting) :]} == {standby["value"]}
    for recipient in (*waiting.values(), *after.values()):
        assert len(await stack.carried(to=recipient)) == 1
