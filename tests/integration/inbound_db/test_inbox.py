"""The inbox in Postgres: each text once, whoever takes it and however often it comes."""

import asyncio
import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from msgspec import structs

from gateway.clock import SystemClock
from gateway.db.transaction import worker_transaction
from gateway.inbound.consenting import Consenting
from gateway.inbound.inbox import MOST_TRIES, Inbox
from gateway.inbound.taking import Taking
from gateway.messages.keys import DataKeys
from gateway.receipts.apply import Stray, apply_batch, stray_of
from gateway.receipts.batch import platform_key
from gateway.receipts.event import InboundText, parse
from tenants.consents import service as consents
from tenants.consents.service import NewConsent
from tenants.optouts.service import Origin, Wish, put_all
from tenants.recipient_turns import take_for_file
from tenants.senders import service as senders
from tenants.senders.service import AccountFacts, SenderFacts
from tests.harness.numbers import us_number
from tests.harness.tenants import SECRET_KEY, accept, enrol, key_of, new_message


def text(person, number, body, *, inbound_id=None, **members):
    """A text as AWS publishes it."""
    event = {
        "originationNumber": person,
        "destinationNumber": number,
        "messageKeyword": body,
        "messageBody": body,
        "inboundMessageId": inbound_id or str(uuid4()),
    }
    parsed = parse(json.dumps(event | members))
    assert isinstance(parsed, InboundText)
    return parsed


async def long_code(engine, scope, number):
    """Give a tenant a long code."""
    async with worker_transaction(engine) as session:
        account = await senders.ensure_account(session, AccountFacts(region="us-east-1"), name=uuid4().hex)
        facts = SenderFacts(
            account_id=account.id,
            type="LONG_CODE",
            value=number,
            country="US",
            arn=f"arn:{uuid4()}",
            parts_per_second=1.0,
        )
        await senders.put_sender(scope, session, facts)


async def wrote(engine, pool, scope, number, person):
    """Have a tenant's message go to a person from a number."""
    digest = (await key_of(engine, scope)).recipient_hash(person)
    [message] = await accept(pool, new_message(scope, recipient_hash=digest, sender_value=number))
    await pool.execute("UPDATE messages SET dispatched_at = now() WHERE id = $1", message.id)


class Box:
    """An inbox with a tenant's number."""

    def __init__(self, engine, database_url, worker_pool, ingest_pool, number, scope) -> None:
        self._ingest, self._pool = ingest_pool, worker_pool
        self.number, self.scope = number, scope
        self.projected = []

        async def project(tenant_id, change):
            self.projected.append((tenant_id, change.list_name, change.listed))

        taking = Taking(DataKeys(worker_pool, SECRET_KEY), listeners=(Consenting(SystemClock()),))
        key = platform_key(SECRET_KEY)
        self.inboxes = [
            Inbox(database_url, engine, taking, project, key=key, clock=SystemClock()) for _ in range(4)
        ]

    async def park(self, *events):
        """Store them as every road does, under the ingest role."""
        async with self._ingest.acquire() as connection:
            strays = [each if isinstance(each, Stray) else stray_of(each) for each in events]
            await apply_batch(
                connection, strays, now=datetime.now(UTC), platform_key=platform_key(SECRET_KEY)
            )

    async def work(self):
        """Let several processes work it off at once."""
        await asyncio.gather(*(each.work() for each in self.inboxes))

    async def rows(self):
        """What was stored of the tenant's."""
        query = "SELECT * FROM inbound_messages WHERE tenant_id = $1 ORDER BY id"
        return await self._pool.fetch(query, self.scope.tenant_id)

    async def parked(self):
        """What is left, by reason."""
        rows = await self._pool.fetch("SELECT reason FROM parked_receipts")
        return sorted(row["reason"] for row in rows)


@pytest.fixture
async def box(worker_engine, database_url, worker_pool, ingest_pool):
    """A tenant with a long code of its own, empty before each test."""
    await worker_pool.execute("DELETE FROM parked_receipts")
    scope, number = await enrol(worker_engine, credit=10), us_number()
    await long_code(worker_engine, scope, number)
    return Box(worker_engine, database_url, worker_pool, ingest_pool, number, scope)


async def test_a_text_that_comes_many_times_is_stored_once(box):
    """Redelivered word for word, over another road in other words, and worked on by four processes."""
    person, same = us_number(), str(uuid4())
    first = text(person, box.number, "alto", inbound_id=same)
    other_road = text(person, box.number, "alto", inbound_id=same, extra="member of another road")
    await box.park(first, first)
    await box.work()
    await box.park(first, other_road)
    await box.work()
    (row,) = await box.rows()
    assert (row["action"], row["lists"]) == ("opt_out", ["all"])
    assert await box.parked() == []
    assert box.projected == [(box.scope.tenant_id, "all", True)]


async def test_two_stops_at_once_make_one_opt_out_and_one_confirmation(box):
    """Texts of one person to one tenant are taken one after another."""
    person = us_number()
    await box.park(*(text(person, box.number, "alto") for _ in range(8)))
    await box.work()
    rows = await box.rows()
    assert len(rows) == 8
    assert sorted(row["reply"] for row in rows) == ["due", *["none"] * 7]


async def test_no_column_holds_a_number_or_a_text_in_the_clear(box, worker_pool):
    """Neither of the row, nor of the order, the event, or the ledger."""
    person = us_number()
    await box.park(text(person, box.number, "Alto por favor"))
    await box.work()
    for table in ("inbound_messages", "inbound_replies", "opt_out_changes", "events", "audit_rows"):
        rows = await worker_pool.fetch(f"SELECT t::text FROM {table} t")
        assert rows, table
        for row in rows:
            assert person[1:] not in row["t"], table
            assert "por favor" not in row["t"], table


async def test_a_text_for_nobody_and_one_that_makes_no_sense_hold_up_no_other(box):
    """Both stay, for the operator."""
    person = us_number()
    await box.park(
        text(person, us_number(), "Hello"),
        Stray(event_key=b"k" * 32, raw=b"{}", reason="inbound"),
        text(person, box.number, "Hello"),
    )
    await box.work()
    assert len(await box.rows()) == 1
    assert await box.parked() == ["no_such_number", "unreadable"]


async def test_a_text_to_an_erased_tenants_number_is_let_go_of_and_to_a_closed_ones_kept(box, worker_pool):
    """Who was closed may be asked what becomes of it; who was erased may not be heard of again."""
    closed = "UPDATE tenants SET state = 'closed' WHERE id = $1"
    await worker_pool.execute(closed, box.scope.tenant_id)
    await box.park(text(us_number(), box.number, "Hello"))
    await box.work()
    assert await box.parked() == ["no_such_number"]
    await worker_pool.execute("UPDATE tenants SET data_key = '' WHERE id = $1", box.scope.tenant_id)
    await box.park(text(us_number(), box.number, "Hello again"))
    await box.work()
    assert await box.parked() == ["no_such_number"]
    assert await box.rows() == []


async def test_a_text_that_cannot_be_taken_in_is_set_aside_after_several_tries(box, worker_pool):
    """A fault of ours with one text must not turn for ever, nor lose it."""
    poison = text(us_number(), box.number, "Hello")
    await box.park(poison)
    await worker_pool.execute("UPDATE parked_receipts SET body_sealed = '\\x00'")
    for _ in range(MOST_TRIES):
        await box.inboxes[0].work()
    assert await box.parked() == ["not_taken_in"]


@pytest.mark.parametrize("state", ["released"])
async def test_a_number_that_was_given_back_belongs_to_nobody(box, worker_pool, state):
    """Its next owner's texts are not the last one's business."""
    await worker_pool.execute(
        "UPDATE senders SET state = $2 WHERE tenant_id = $1", box.scope.tenant_id, state
    )
    await box.park(text(us_number(), box.number, "Hello"))
    await box.work()
    assert (await box.rows(), await box.parked()) == ([], ["no_such_number"])


async def test_a_tenants_own_account_speaks_for_no_other_tenants_number(box, worker_engine):
    """Whoever owns a topic publishes on it what he likes: a STOP to his rival's number, for one."""
    rival = await enrol(worker_engine)
    forged = structs.replace(stray_of(text(us_number(), box.number, "alto")), owner=rival.tenant_id)
    await box.park(forged)
    await box.work()
    assert (await box.rows(), await box.parked(), box.projected) == ([], ["no_such_number"], [])


async def test_a_tenants_own_account_speaks_for_its_own_number(box):
    """What its people write there comes by no other way."""
    own = structs.replace(stray_of(text(us_number(), box.number, "alto")), owner=box.scope.tenant_id)
    await box.park(own)
    await box.work()
    assert [row["action"] for row in await box.rows()] == ["opt_out"]


@pytest.mark.parametrize("named", [None, "an id of AWS's own reply"])
async def test_a_stop_to_a_shared_number_is_for_who_wrote_last_though_aws_does_not_say(
    box, worker_engine, worker_pool, named
):
    """AWS names no message, or one that is not ours: our own records know who wrote to the person."""
    other, person = await enrol(worker_engine, credit=10), us_number()
    await long_code(worker_engine, other, box.number)
    for scope, to in ((box.scope, person), (other, person), (box.scope, us_number()), (box.scope, person)):
        await wrote(worker_engine, worker_pool, scope, box.number, to)
    await wrote(worker_engine, worker_pool, other, us_number(), person)
    members = {"previousPublishedMessageId": named} if named else {}
    await box.park(text(person, box.number, "alto", **members))
    await box.work()
    assert ([row["action"] for row in await box.rows()], await box.parked()) == (["opt_out"], [])


async def test_a_text_to_a_shared_number_from_whom_nobody_wrote_to_is_kept(box, worker_engine):
    """Nobody is guessed."""
    await long_code(worker_engine, await enrol(worker_engine), box.number)
    await box.park(text(us_number(), box.number, "alto"))
    await box.work()
    assert (await box.rows(), await box.parked()) == ([], ["no_such_number"])


async def test_a_text_and_a_file_of_the_same_person_do_not_wait_for_each_other(
    box, worker_engine, worker_pool
):
    """
    The file held the opt-out that the text wanted, and the text the person whose consent the file wanted.

    Postgres ended one of the two after a second. Now the text is left for the file's end, and no other waits.
    """
    person, other, scope = us_number(), us_number(), box.scope
    key = await key_of(worker_engine, scope)
    async with worker_transaction(worker_engine) as file:
        await take_for_file(scope, file)
        await put_all(scope, file, key, [Wish(number=person, list_name="all")], origin=Origin(source="csv"))
        await box.park(text(person, box.number, "alto"))
        texts = asyncio.create_task(box.work())
        await asyncio.wait({texts}, timeout=0.5)
        wanted = NewConsent(
            number=person, use_case="delivery_notification", message_type="transactional", method="import"
        )
        await consents.take(scope, file, key, wanted, now=datetime.now(UTC))
        await texts
        assert await box.rows() == []
    await box.park(text(other, box.number, "alto"))
    await box.work()
    assert [row["action"] for row in await box.rows()] == ["opt_out", "opt_out"]
    changes = "SELECT source FROM opt_out_changes WHERE tenant_id = $1 ORDER BY source"
    assert [row["source"] for row in await worker_pool.fetch(changes, scope.tenant_id)] == ["csv", "keyword"]
    tries = await worker_pool.fetchval("SELECT count(*) FROM parked_receipts WHERE tries > 0")
    assert tries == 0
