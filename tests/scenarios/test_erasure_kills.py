"""A scheduler that dies while it erases a tenant: the next one goes on, and takes nothing of others."""

import asyncio
import math
import os
import signal
from dataclasses import dataclass

import httpx
import pytest

from gateway.admission.projection import tenant_prefix
from gateway.faultpoints import FaultPoint
from gateway.messages.reconcile import every_difference
from tenants.ids import encode
from tests.harness.child import ERASED_AT_ONCE
from tests.harness.clients import new_clients
from tests.harness.numbers import us_number
from tests.harness.roads import LOST, life, operate, poster_of
from tests.harness.waiting import eventually, until

KILLS = int(os.environ.get("SCENARIO_KILLS", "1"))
MESSAGES = ERASED_AT_ONCE + 1
"""Two batches."""
NOTES = ("ledger_transfers", "monthly_fees")
"""Of the plan, too, which takes what was written beside the amounts."""
BOOKS = ("balances", *NOTES)
PLAN = "SELECT name FROM tollgate_erasure_plan() ORDER BY place"
OWN_ROUND = "insight_marks"
"""Hours that another round of the scheduler notes, to count them again; they name nobody."""
NAMES_SOMEBODY = {
    "messages": "to_sealed <> '' OR recipient_hash <> '' OR body_sealed IS NOT NULL OR carrier IS NOT NULL",
    "receipts": "detail <> '{}'",
    "audit_rows": r"subject <> 'erased' AND subject NOT LIKE 'ten\_%'",
    "ledger_transfers": "subject_id = id AND note <> 'erased'",
    "monthly_fees": "note <> 'erased' OR waived_why <> 'erased'",
}
"""What must not be left in rows that stay for the books; of all other tables no row may."""

pytestmark = pytest.mark.scenario


@dataclass
class Departure:
    """A tenant that left and was asked to be erased, with a neighbour, while no scheduler ran."""

    fleet: object
    tenant_id: object
    plan: list
    """The tables of the plan, in its order."""
    before: dict
    """The tenant's rows by table."""
    books: dict
    neighbours: dict
    """The rows of each neighbour by table."""

    @property
    def path(self):
        """Of the erasure, below the operator's."""
        return f"/tenants/{encode('ten', self.tenant_id)}/erase"

    async def dies_at(self, point, *, nth=1, broken=""):
        """Let a scheduler find the tenant, and die there; nobody may believe then that it is done."""
        doomed = await self.fleet.start("workers", fault=f"{point}:kill:{nth}", broken=broken)
        assert await doomed.ended() == -signal.SIGKILL, doomed.wrote[-2000:]

    async def is_running(self):
        """Whether there is more to do, by the operator's API."""
        return (await operate(self.fleet, "GET", self.path))["state"] == "running"

    def batches_to(self, table):
        """How many batches come before the first of a table: what it has, and one that finds nothing more."""
        earlier = self.plan[: self.plan.index(table)]
        return sum(math.ceil(len(self.before.get(each, ())) / ERASED_AT_ONCE) + 1 for each in earlier)

    async def done(self, *, broken=""):
        """Let a scheduler that lives come to the end; return all that is not as it must be then."""
        await self.fleet.start("workers", broken=broken)
        return await self.judged()

    async def judged(self):
        """Wait for the word that it is done, and look whether it is true."""

        async def over():
            return not await self.is_running()

        await eventually(over)
        found = [f"{table}: {rows} rows left" for table, rows in (await self._left()).items() if rows]
        if await books_of(self.fleet, self.tenant_id) != self.books:
            found.append("the books have changed")
        for each, rows in self.neighbours.items():
            if await rows_of(self.fleet, each, self.plan) != rows:
                found.append("rows of a neighbour have changed")
        told = (await operate(self.fleet, "GET", self.path))["rows"]
        counted = {
            table: len(rows) for table, rows in self.before.items() if table not in (OWN_ROUND, *NOTES)
        } | {"ledger_transfers": 1}
        if {table: rows for table, rows in told.items() if table != OWN_ROUND} != counted:
            found.append(f"{told} is told, but it was {counted}")
        differences = await every_difference(self.fleet.database)
        return found + [str(each) for each in differences if each.tenant_id == self.tenant_id]

    async def _left(self):
        """How many rows say something that they must not say any more, by table."""
        found = {}
        for table in self.plan:
            if table != OWN_ROUND:
                which = f"tenant_id = $1 AND ({NAMES_SOMEBODY.get(table, 'true')})"
                query = f"SELECT count(*) FROM {table} WHERE {which}"
                found[table] = await self.fleet.database.fetchval(query, self.tenant_id)
        return found


async def rows_of(fleet, tenant_id, tables):
    """A tenant's rows by table, each as one text; tables without any are left out."""
    found = {}
    for table in tables:
        if table != OWN_ROUND:
            query = f"SELECT t::text FROM {table} t WHERE tenant_id = $1 ORDER BY 1"
            found[table] = [row[0] for row in await fleet.database.fetch(query, tenant_id)]
    return {table: rows for table, rows in found.items() if rows}


async def books_of(fleet, tenant_id):
    """A tenant's books, without what was written beside the amounts."""
    found = {}
    for table in BOOKS:
        query = f"SELECT to_jsonb(t) - 'note' - 'waived_why' FROM {table} t WHERE tenant_id = $1 ORDER BY 1"
        found[table] = [row[0] for row in await fleet.database.fetch(query, tenant_id)]
    return found


async def used(fleet, count):
    """Tenants with messages that arrived, with somebody who wants none, and no word of AWS to come."""
    tenants = await asyncio.gather(*(new_clients(fleet) for _ in range(count)))
    await fleet.emulate("faults", LOST)
    await fleet.start("dispatcher")
    await asyncio.gather(*(each.send(MESSAGES) for each in tenants))
    ids = [each.tenant_id for each in tenants]

    async def all_sent():
        query = "SELECT id FROM messages WHERE status = 'sent' AND tenant_id = ANY($1::uuid[])"
        rows = await fleet.database.fetch(query, ids)
        return rows if len(rows) == count * MESSAGES else []

    taken = await until(all_sent)
    poster = await poster_of(fleet)
    await poster.post_all([text for row in taken for text in life(row["id"], ("SENT", "DELIVERED"))])
    for each in tenants:
        headers = {"Authorization": f"Bearer {each.token}"}
        async with httpx.AsyncClient(base_url=fleet.api_url, headers=headers, trust_env=False) as api:
            assert (await api.put(f"/v1/opt-outs/{us_number()}")).is_success
        noted = {"amount": "1.00", "note": "for Jane Doe"}
        await operate(fleet, "POST", f"/tenants/{encode('ten', each.tenant_id)}/credits", noted)
    return ids


async def departed(fleet, *, neighbours):
    """Ask for an erasure that no scheduler has seen yet."""
    tenant_id, *others = await used(fleet, 1 + neighbours)
    await fleet.kill("workers", "dispatcher")
    plan = [row["name"] for row in await fleet.database.fetch(PLAN)]
    path = f"/tenants/{encode('ten', tenant_id)}"
    await operate(fleet, "POST", f"{path}/close")
    assert (await operate(fleet, "POST", f"{path}/erase"))["state"] == "running"
    return Departure(
        fleet=fleet,
        tenant_id=tenant_id,
        plan=plan,
        before=await rows_of(fleet, tenant_id, plan),
        books=await books_of(fleet, tenant_id),
        neighbours={each: await rows_of(fleet, each, plan) for each in others},
    )


async def key_of(fleet, tenant_id):
    """What stands where a tenant's wrapped key stood."""
    return await fleet.database.fetchval("SELECT data_key FROM tenants WHERE id = $1", tenant_id)


async def test_an_erasure_is_finished_by_whoever_comes_after_a_death(fleet):
    """
    Before the first batch, between two of one table, after the last, and before the word that it is done.

    The key goes first, with the request; the rows' counts are those that they had, whoever took them.
    """
    gone = await departed(fleet, neighbours=1)
    assert await key_of(fleet, gone.tenant_id) == b""
    for _ in range(KILLS):
        await gone.dies_at(FaultPoint.ERASURE_BEGUN)
        assert await rows_of(fleet, gone.tenant_id, gone.plan) == gone.before
    await gone.dies_at(FaultPoint.ERASURE_MIDWAY, nth=gone.batches_to("messages") + 1)
    unread = "SELECT count(*) FROM messages WHERE tenant_id = $1 AND to_sealed <> ''"
    assert await fleet.database.fetchval(unread, gone.tenant_id) == MESSAGES - ERASED_AT_ONCE
    for point in (FaultPoint.ERASURE_MIDWAY, FaultPoint.ERASURE_ROWS_GONE, FaultPoint.ERASURE_IN_COMMIT):
        for _ in range(KILLS):
            await gone.dies_at(point)
            assert await gone.is_running()
    assert await gone.done() == []

    async def forgotten():
        return not await fleet.redis.command("KEYS", f"{tenant_prefix(gone.tenant_id)}*")

    await until(forgotten)
    [neighbour_id] = gone.neighbours
    assert await key_of(fleet, neighbour_id)
    assert await fleet.redis.command("KEYS", f"{tenant_prefix(neighbour_id)}*")


async def test_an_erasure_that_is_called_done_before_its_rows_are_gone_is_found_out(fleet):
    """The checker on a build that writes it down first: what a death leaves then, nobody looks for."""
    gone = await departed(fleet, neighbours=0)
    await gone.dies_at(FaultPoint.ERASURE_BEGUN, broken="erased_before_its_rows")
    found = await gone.done(broken="erased_before_its_rows")
    assert any(each.startswith("messages: ") for each in found), found
