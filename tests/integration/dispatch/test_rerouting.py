"""Fail-over on Postgres: one transaction, nothing lost, nothing twice, nothing after AWS may have it."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from msgspec import convert, structs

from gateway.carrier.ports import NotSent, Refused, Sent, Unknown
from gateway.db.transaction import worker_transaction
from gateway.dispatch.call import Caller
from gateway.dispatch.mark import mark
from gateway.dispatch.record import Expired, Recorder
from gateway.dispatch.relane_orders import RelaneOrders
from gateway.dispatch.rerouting import Rerouting
from gateway.lanes.entry import DailyCap, LaneEntry
from gateway.messages.content import Media, to_column
from gateway.messages.keys import DataKeys
from gateway.routing import operating
from gateway.routing.health import LEAST_CALLS, Illness
from gateway.routing.lanes import lane_identity, lane_of
from gateway.routing.reading import RoutingReader
from gateway.routing.sticky import sticky
from gateway.routing.tally import CallTally
from tenants.accounts import service as accounts
from tenants.budgets import store
from tenants.budgets.budget import PLATFORM, Budget, counts_of, month_of
from tenants.budgets.service import put_budgets
from tenants.ids import encode, new_uuid
from tenants.scope import TenantScope
from tenants.senders import service
from tenants.senders.models import AwsAccount
from tenants.senders.quotas import QuotaChange, change_quota
from tenants.senders.routing import set_routes
from tenants.senders.service import AccountFacts, SenderFacts
from tests.harness.ledger import faults
from tests.harness.stack import SECRET_KEY
from tests.harness.tenants import accept, enrol, new_message, queue_row, row_of
from tests.integration.dispatch.conftest import UNKNOWN_WAIT

NOT_ACTIVE = NotSent(reason="RESOURCE_NOT_ACTIVE", retry_after_ms=5000, fault="sender")
DENIED = NotSent(reason="AccessDeniedException", retry_after_ms=5000, fault="account")
STS_SAID = "AssumeRole was refused: AccessDenied: User: arn:aws:sts::111122223333:assumed-role/x"
NO_KEYS = NotSent(reason="no_credentials", retry_after_ms=5000, fault="account", detail=STS_SAID)
NO_WAY = NotSent(reason="connect_failed", retry_after_ms=1000)
AFTER = 2


class World:
    """A tenant with two senders at home and one in another account and Region."""

    def __init__(self, pool, engine, clock, ill) -> None:
        self.pool, self.engine, self.clock, self.ill = pool, engine, clock, ill
        self.reader = RoutingReader(engine)
        self.tally = CallTally(pool, clock)
        self.rerouting = Rerouting(
            pool, clock, read_routing=self.reader.of, ill=lambda: self.ill, after=AFTER, tally=self.tally
        )
        self.recorder = Recorder(pool, clock, unknown_wait=UNKNOWN_WAIT, failover=self.rerouting)
        self.orders = RelaneOrders(pool, clock, read_routing=self.reader.of, ill=lambda: self.ill)

    async def build(self) -> None:
        """Enrol the tenant."""
        self.scope = await enrol(self.engine, credit=100)
        async with worker_transaction(self.engine) as session:
            accounts = [
                await service.ensure_account(session, AccountFacts(region=region), name=uuid4().hex)
                for region in ("us-east-1", "eu-west-1")
            ]
            self.home, self.abroad = (account.id for account in accounts)
            self.first, self.second, self.third = [
                await service.put_sender(
                    self.scope,
                    session,
                    SenderFacts(
                        account_id=account,
                        type="LONG_CODE",
                        value=f"+1206555010{number}",
                        country="US",
                        arn=f"arn:aws:sms-voice:{region}:1:phone-number/{uuid4().hex}",
                        parts_per_second=1.0,
                    ),
                )
                for number, (account, region) in enumerate(
                    [(self.home, "us-east-1"), (self.home, "us-east-1"), (self.abroad, "eu-west-1")]
                )
            ]

    async def accepted(self, count=1, **changes):
        """Messages of the first sender."""
        made = []
        for _ in range(count):
            message = new_message(self.scope, type="transactional")
            routing = await self.reader.of(self.scope.tenant_id)
            sender = routing.senders[self.first.id]
            lane = lane_of(sender, message.country, changes.get("channel", "sms"))
            fields = {
                "account_id": self.home,
                "sender_id": self.first.id,
                "sender_value": self.first.value,
                "sender_arn": self.first.arn,
                "route": lane.route,
                "entry": structs.replace(message.entry, **structs.asdict(lane)),
            }
            made.append(structs.replace(message, **(fields | changes)))
        return await accept(self.pool, *made)

    async def record(self, marked, result) -> None:
        """Put a result on record."""
        self.recorder.put(marked, result)
        await self.recorder.drained()


@pytest.fixture
async def world(worker_pool, worker_engine, clock, database):
    """The tenant and the parts around it."""
    await database.execute("DELETE FROM relane_orders; DELETE FROM health_states")
    made = World(worker_pool, worker_engine, clock, {})
    await made.build()
    return made


async def events(database, message_id):
    """What the tenant was told, by type."""
    rows = await database.fetch(
        "SELECT type, sequence, data FROM events WHERE message_id = $1 ORDER BY sequence", message_id
    )
    return [(row["type"], row["sequence"]) for row in rows]


async def test_a_refused_identity_hands_its_message_to_the_next_with_lane_trail_and_event(
    world, database, marked
):
    """Queue row, message row, trail and event say one thing; the hold stays as it is."""
    [message] = await world.accepted()
    [mine] = await marked(message.id)
    await world.record(mine, NOT_ACTIVE)
    row, queue = await row_of(database, message.id), await queue_row(world.pool, message.id)
    assert (row["status"], row["sender_id"], row["sender_arn"]) == (
        "queued",
        world.second.id,
        world.second.arn,
    )
    assert (queue["state"], queue["attempt"], queue["route"]) == ("scheduled", 0, encode("acc", world.home))
    assert queue["lane"]["identity"] == str(world.second.id)
    assert [step["code"] for step in queue["trail"]] == ["RESOURCE_NOT_ACTIVE"]
    assert await events(database, message.id) == [("message.queued", 1), ("message.rerouted", 2)]
    assert await faults(database) == []


async def test_each_sender_has_it_once_and_then_it_waits_with_the_last(world, database, marked):
    """Identity, account, Region; a message does not go round in circles."""
    [message] = await world.accepted()
    seen = []
    for _ in range(4):
        await world.pool.execute(
            "UPDATE dispatch_queue SET state = 'queued' WHERE message_id = $1", message.id
        )
        [mine] = await marked(message.id)
        seen.append(mine.sender_id)
        await world.record(mine, NOT_ACTIVE)
    third = world.third.id
    assert seen == [world.first.id, world.second.id, third, third]
    assert (await row_of(database, message.id))["status"] == "queued"


async def test_a_fault_of_the_account_leaves_the_account(world, database, marked):
    """With its route, its configuration set and its ARN."""
    [message] = await world.accepted()
    [mine] = await marked(message.id)
    await world.record(mine, DENIED)
    row = await row_of(database, message.id)
    assert (row["account_id"], row["sender_id"]) == (world.abroad, world.third.id)
    assert (await queue_row(world.pool, message.id))["route"] == encode("acc", world.abroad)


async def test_what_counts_against_an_accounts_budget_goes_with_the_message(world, database, marked):
    """The tenant's and the operator's: no account is used up by what another carried, and none given back."""
    home, abroad = (f"account:{account}" for account in (world.home, world.abroad))
    operator = TenantScope(tenant_id=PLATFORM)
    caps = [Budget("all", 50), Budget(home, 50), Budget(abroad, 50)]
    async with worker_transaction(world.engine) as session:
        before = await store.caps(operator, session)
        await put_budgets(world.scope, session, caps, now=world.clock.now())
        await put_budgets(operator, session, [*before, *caps[1:]], now=world.clock.now())

    async def used():
        rows = await database.fetch(
            "SELECT tenant_id, name, used FROM spend_counters WHERE name = ANY($1::text[])", [home, abroad]
        )
        return {(row["tenant_id"] == PLATFORM, row["name"]): row["used"] for row in rows if row["used"]}

    month = month_of(datetime.now(UTC))
    names = ("all", home)
    counts = (
        *counts_of(caps, names, owner=world.scope.tenant_id, month=month, amount=3),
        *counts_of(caps[1:], names, owner=PLATFORM, month=month, amount=7),
    )
    [message] = await world.accepted(price_estimated=3, cost_estimated=7, counts=counts)
    assert await used() == {(False, home): 3, (True, home): 7}
    [mine] = await marked(message.id)
    await world.record(mine, DENIED)
    assert (await row_of(database, message.id))["account_id"] == world.abroad
    assert await used() == {(False, abroad): 3, (True, abroad): 7}
    await database.execute("UPDATE dispatch_queue SET state = 'queued' WHERE message_id = $1", message.id)
    [again] = await marked(message.id)
    await world.record(again, Refused(code="blocked", detail="no"))
    assert (await row_of(database, message.id))["status"] == "failed"
    assert await used() == {}
    async with worker_transaction(world.engine) as session:
        await put_budgets(operator, session, before, now=world.clock.now())


async def told_of(database, message_id):
    """The code of each step that the tenant was told of."""
    rows = await database.fetch(
        "SELECT data->'rerouted'->>'code' AS code FROM events"
        " WHERE message_id = $1 AND type = 'message.rerouted' ORDER BY sequence",
        message_id,
    )
    return [row["code"] for row in rows]


async def test_the_tenant_reads_a_code_and_the_operator_what_was_said(world, database, marked):
    """Our accounts, roles and instances are nobody else's business; mending them takes the whole text."""
    [message] = await world.accepted()
    [mine] = await marked(message.id)
    await world.record(mine, NO_KEYS)
    assert await told_of(database, message.id) == ["no_credentials"]
    reason = await database.fetchval("SELECT reason FROM health_states WHERE subject_id = $1", world.home)
    assert reason == f"AWS refused it: no_credentials ({STS_SAID})"


async def test_a_message_that_ends_says_by_a_code_what_it_waited_for(world, database, marked):
    """The detail of its reason is the tenant's to read."""
    [message] = await world.accepted(need={"named": world.first.value})
    [mine] = await marked(message.id)
    await world.record(mine, NO_KEYS)
    await database.execute("UPDATE dispatch_queue SET state = 'queued' WHERE message_id = $1", message.id)
    [again] = await marked(message.id)
    await world.record(again, Expired())
    row = await row_of(database, message.id)
    assert (row["status"], row["reason_code"]) == ("expired", "ttl_expired")
    assert row["reason_detail"].endswith("when it was last tried: no_credentials.")


async def test_a_connection_that_fails_moves_a_message_after_as_many_times_as_are_set(
    world, database, marked
):
    """A second later it may be back."""
    [message] = await world.accepted()
    senders = []
    for _ in range(AFTER):
        await world.pool.execute(
            "UPDATE dispatch_queue SET state = 'queued' WHERE message_id = $1", message.id
        )
        [mine] = await marked(message.id)
        await world.record(mine, NO_WAY)
        senders.append((await row_of(database, message.id))["sender_id"])
    assert senders == [world.first.id, world.third.id]


@pytest.mark.parametrize(
    "result", [Unknown(reason="timeout"), Sent(provider_message_id="aws-1")], ids=["unknown", "sent"]
)
async def test_what_aws_may_have_never_goes_to_another_sender(world, database, marked, result):
    """A second text is worse than a late one."""
    [message] = await world.accepted()
    [mine] = await marked(message.id)
    await world.record(mine, result)
    assert (await row_of(database, message.id))["sender_id"] == world.first.id


async def test_a_receipt_that_came_first_keeps_the_message_where_it_is(world, database, marked):
    """It proves that AWS has the text, whatever the answer of a later call says."""
    [message] = await world.accepted()
    [mine] = await marked(message.id)
    await database.execute("UPDATE messages SET receipt_rank = 1 WHERE id = $1", message.id)
    await world.record(mine, NOT_ACTIVE)
    assert (await row_of(database, message.id))["sender_id"] == world.first.id


async def test_a_second_attempt_is_made_by_the_same_sender_or_not_at_all(world, database, marked):
    """AWS may have taken the first; the person must not get it again from a number they do not know."""
    [message] = await world.accepted()
    await database.execute("UPDATE messages SET resend_of_unknown = true WHERE id = $1", message.id)
    await database.execute("UPDATE dispatch_queue SET attempt = 1 WHERE message_id = $1", message.id)
    [mine] = await marked(message.id)
    await world.record(mine, DENIED)
    assert (await row_of(database, message.id))["sender_id"] == world.first.id
    queue = await queue_row(world.pool, message.id)
    assert (queue["state"], queue["attempt"]) == ("scheduled", 1)


async def test_a_result_that_is_recorded_twice_moves_the_message_once(world, database, marked):
    """The answer to a commit may be lost; the second writing finds its own step and does nothing."""
    [message] = await world.accepted()
    [mine] = await marked(message.id)
    refused = Refused(code="no_originator", detail="none")
    await world.record(mine, refused)
    await world.record(mine, refused)
    row, queue = await row_of(database, message.id), await queue_row(world.pool, message.id)
    assert (row["status"], row["sender_id"], len(queue["trail"])) == ("queued", world.second.id, 1)


async def test_a_refusal_with_no_way_out_is_final_and_names_the_missing_originator(world, database, marked):
    """AWS's NO_ORIGINATION_IDENTITIES_FOUND becomes the tenant's `no_originator`; the hold is released."""
    [message] = await world.accepted(need={"named": world.first.value})
    [mine] = await marked(message.id)
    await world.record(
        mine, NotSent(reason="NO_ORIGINATION_IDENTITIES_FOUND", retry_after_ms=5000, fault="sender")
    )
    row = await row_of(database, message.id)
    assert (row["status"], row["reason_code"]) == ("failed", "no_originator")
    assert await faults(database) == []


async def test_a_sender_named_in_the_request_is_never_replaced(world, database, marked):
    """Who asks for one number gets this one or a reason."""
    [message] = await world.accepted(need={"named": world.first.value})
    [mine] = await marked(message.id)
    await world.record(mine, NOT_ACTIVE)
    row, queue = await row_of(database, message.id), await queue_row(world.pool, message.id)
    assert (row["sender_id"], queue["state"], queue["trail"]) == (world.first.id, "scheduled", [])


async def test_one_refusal_spares_the_messages_behind_it(world, database, marked):
    """The sender is ill at once and its line moves; what has left and what is another's stays."""
    messages = await world.accepted(5)
    [mine] = await marked(messages[0].id)
    [leaving] = await marked(messages[1].id)
    await world.record(mine, NOT_ACTIVE)
    state = await database.fetchrow(
        "SELECT kind, state FROM health_states WHERE subject_id = $1", world.first.id
    )
    assert dict(state) == {"kind": "sender", "state": "unhealthy"}
    assert await world.orders.work() == 3
    rows = [await row_of(database, message.id) for message in messages]
    assert [row["sender_id"] == world.first.id for row in rows] == [False, True, False, False, False]
    await world.record(leaving, Sent(provider_message_id="aws-2"))
    world.clock.advance(timedelta(seconds=6))
    assert await world.orders.work() == 0
    assert await database.fetchval("SELECT count(*) FROM relane_orders") == 0


async def ordered_away(world, database, reason="swapped"):
    """The operator has put the first sender away; the order is worked off to its end."""
    await database.execute(
        "INSERT INTO relane_orders (tenant_id, sender_id, reason) VALUES ($1, $2, $3)",
        world.scope.tenant_id,
        world.first.id,
        reason,
    )
    moved = await world.orders.work()
    world.clock.advance(timedelta(seconds=6))
    await world.orders.work()
    assert await database.fetchval("SELECT count(*) FROM relane_orders") == 0
    return moved


@pytest.mark.parametrize("channel", ["sms", "mms", "voice"])
async def test_an_order_moves_what_waits_in_every_channel_of_the_sender(world, database, channel):
    """Pictures and calls stand in lanes of their own; a lane that was forgotten would wait to its end."""
    await database.execute("UPDATE senders SET channels = '{sms,mms,voice}'")
    [message] = await world.accepted(channel=channel)
    assert await ordered_away(world, database) == 1
    row, queue = await row_of(database, message.id), await queue_row(world.pool, message.id)
    assert (row["sender_id"], queue["state"]) == (world.second.id, "scheduled")
    assert queue["lane"]["identity"] == str(lane_identity(world.second.id, channel))


@pytest.mark.parametrize(("waits_for", "at_once"), [("disabled", True), (None, False)])
async def test_what_rests_after_a_try_is_due_at_once_where_it_goes(world, database, waits_for, at_once):
    """A code that was claimed as its sender was put away would else rest for most of its life."""
    [message] = await world.accepted()
    later = world.clock.now() + timedelta(seconds=30)
    resting = (
        "UPDATE dispatch_queue SET state = 'scheduled', due_at = $2, waits_for = $3 WHERE message_id = $1"
    )
    await database.execute(resting, message.id, later, waits_for)
    assert await ordered_away(world, database) == 1
    assert ((await queue_row(world.pool, message.id))["due_at"] < later) is at_once


async def put_away(world, sender):
    """The operator disables a sender, and its order is worked off; returns how many messages moved."""
    async with worker_transaction(world.engine) as session:
        await operating.leave_sender(world.scope, session, sender.id, reason="swapped", now=world.clock.now())
    world.ill[sender.id] = Illness(state="disabled", reason="swapped")
    return await world.orders.work()


async def take_back(world, sender):
    """The operator uses a sender again."""
    async with worker_transaction(world.engine) as session:
        await operating.return_to_sender(world.scope, session, sender.id)
    del world.ill[sender.id]


async def test_what_a_swap_moved_comes_back_with_the_swap_back(world, database, marked):
    """By the order and, where it was claimed meanwhile, after its try; else it waits by the one put away."""
    await database.execute("UPDATE senders SET state = 'standby' WHERE id = $1", world.third.id)
    waiting, claimed = await world.accepted(2)
    assert await put_away(world, world.first) == 2
    assert (await row_of(database, waiting.id))["sender_id"] == world.second.id
    await take_back(world, world.first)
    await database.execute("UPDATE dispatch_queue SET state = 'queued' WHERE message_id = $1", claimed.id)
    [mark_of_claimed] = await marked(claimed.id)
    assert await put_away(world, world.second) == 1
    await world.record(mark_of_claimed, NotSent(reason="disabled", retry_after_ms=30_000, fault="sender"))
    for message in (waiting, claimed):
        row, queue = await row_of(database, message.id), await queue_row(world.pool, message.id)
        assert (row["sender_id"], queue["state"]) == (world.first.id, "scheduled")


async def test_an_order_leaves_what_waits_for_its_second_attempt_with_its_sender(world, database):
    """The same text from a number that the person does not know may be the second that arrives."""
    [message] = await world.accepted()
    await database.execute("UPDATE messages SET resend_of_unknown = true WHERE id = $1", message.id)
    await database.execute("UPDATE dispatch_queue SET attempt = 1 WHERE message_id = $1", message.id)
    assert await ordered_away(world, database) == 0
    assert (await row_of(database, message.id))["sender_id"] == world.first.id


@pytest.mark.parametrize(
    ("subject", "state", "code"),
    [
        ("sender", "disabled", "disabled"),
        ("route", "disabled", "disabled"),
        ("sender", "unhealthy", "unhealthy"),
    ],
)
async def test_an_order_tells_the_tenant_how_the_sender_stands_and_not_why(
    world, database, subject, state, code
):
    """The operator's own words may name other customers; they stay in the operator's views."""
    [message] = await world.accepted()
    await database.execute(
        "INSERT INTO health_states (subject_id, kind, state, reason, since, hold_seconds)"
        " VALUES ($1, $2, $3, 'a case of fraud', now(), 30)",
        world.home if subject == "route" else world.first.id,
        subject,
        state,
    )
    await ordered_away(world, database, reason="a case of fraud")
    assert await told_of(database, message.id) == [code]


async def test_a_picture_only_goes_to_an_account_in_which_its_file_lies(world, database):
    """Elsewhere it could only be refused for good; here it waits until its sender is back."""
    await database.execute("UPDATE senders SET channels = '{sms,mms}'")
    await database.execute("UPDATE senders SET state = 'standby' WHERE id = $1", world.second.id)
    places = [{world.home}, {world.home, world.abroad}]
    files = [
        Media(id="med_1", content_type="image/png", staged={str(each): "s3://files/1" for each in accounts})
        for accounts in places
    ]
    here, both = [(await world.accepted(channel="mms", content=to_column(file)))[0].id for file in files]
    assert await ordered_away(world, database) == 1
    assert (await row_of(database, here))["sender_id"] == world.first.id
    assert (await row_of(database, both))["sender_id"] == world.third.id


@pytest.fixture
def calling(world, worker_pool, scripted_carrier):
    """A function that takes a marked message as far as its call, with what is ill by now."""
    carrier = scripted_carrier(lambda _: Sent(provider_message_id="aws-1"))

    async def attempt(mine, ill):
        caller = Caller(
            route=mine.route,
            carrier=carrier,
            lanes=None,
            turns=None,
            keys=DataKeys(worker_pool, SECRET_KEY),
            recorder=world.recorder,
            backoff=None,
            clock=world.clock,
            ill=lambda: ill,
            opted_out=None,
        )
        await caller.call(mine, None, time.monotonic())
        assert carrier.sent == []

    return attempt


DISABLED = Illness(state="disabled", reason="blocked by the carrier")
NOWHERE = to_column(Media(id="med_1", content_type="image/png", staged={}))


@pytest.mark.parametrize(
    ("changes", "ill"),
    [({}, "sender"), ({}, "account"), ({"opted_out": True}, None), ({"content": NOWHERE}, None)],
    ids=["sender_disabled", "account_disabled", "opted_out", "file_not_there"],
)
async def test_what_was_kept_back_without_a_call_says_nothing_of_anybodys_health(
    world, database, marked, calling, changes, ill
):
    """Else a disabled number would make its account ill, and what never left would make it well."""
    messages = await world.accepted(LEAST_CALLS + 5, need={"named": world.first.value})
    subject = {"sender": world.first.id, "account": world.home}.get(ill)
    for mine in await marked(*(message.id for message in messages)):
        await calling(structs.replace(mine, **changes), {subject: DISABLED} if subject else {})
    await world.recorder.drained()
    await world.tally.flush()
    counted = "SELECT count(*) FROM health_tallies WHERE subject_id = ANY($1)"
    assert await database.fetchval(counted, [world.first.id, world.home]) == 0


async def test_a_message_that_leaves_a_disabled_sender_makes_nobody_ill(world, database, marked, calling):
    """AWS has refused nothing, and the operator may have enabled the sender meanwhile."""
    [message] = await world.accepted()
    [mine] = await marked(message.id)
    await calling(mine, {world.first.id: DISABLED})
    await world.recorder.drained()
    assert (await row_of(database, message.id))["sender_id"] == world.second.id
    assert await database.fetchval("SELECT count(*) FROM health_states") == 0
    assert await database.fetchval("SELECT count(*) FROM relane_orders") == 0


async def test_two_workers_on_one_order_move_each_message_once(world, database):
    """Any number of schedulers may run."""
    messages = await world.accepted(30)
    await database.execute(
        "INSERT INTO relane_orders (tenant_id, sender_id, reason) VALUES ($1, $2, 'x')",
        world.scope.tenant_id,
        world.first.id,
    )
    moved = await asyncio.gather(*(world.orders.work() for _ in range(4)))
    assert sum(moved) == len(messages)
    for message in messages:
        assert len((await queue_row(world.pool, message.id))["trail"]) == 1


@pytest.mark.parametrize("way", ["order", "refusal"])
async def test_a_sticky_recipients_messages_go_to_one_number(world, database, marked, way):
    """As new ones do: whoever moves them, and however many wait."""
    plan = "UPDATE tenants SET plan = plan || '{\"sticky_sender\": true}' WHERE id = $1"
    await database.execute(plan, world.scope.tenant_id)
    routing = await world.reader.of(world.scope.tenant_id)
    equals = [routing.senders[each.id] for each in (world.second, world.third)]
    hashes = (number.to_bytes(8) for number in range(1000))
    recipient = next(each for each in hashes if sticky(equals, each).id == world.third.id)
    messages = await world.accepted(12, recipient_hash=recipient)
    if way == "order":
        await database.execute(
            "INSERT INTO relane_orders (tenant_id, sender_id, reason) VALUES ($1, $2, 'x')",
            world.scope.tenant_id,
            world.first.id,
        )
        world.ill[world.first.id] = Illness(state="disabled", reason="x")
        await world.orders.work()
    else:
        for mine in await marked(*[message.id for message in messages]):
            await world.record(mine, NOT_ACTIVE)
    rows = [await row_of(database, message.id) for message in messages]
    assert {row["sender_id"] for row in rows} == {world.third.id}


@pytest.mark.parametrize("way", ["order", "refusal"])
async def test_a_sticky_recipients_messages_go_to_the_number_that_it_had_before(world, database, marked, way):
    """It was moved from there when that one was ill; by hash it would see a third one."""
    plan = "UPDATE tenants SET plan = plan || '{\"sticky_sender\": true}' WHERE id = $1"
    await database.execute(plan, world.scope.tenant_id)
    routing = await world.reader.of(world.scope.tenant_id)
    equals = [routing.senders[each.id] for each in (world.second, world.third)]
    hashes = (number.to_bytes(8) for number in range(1000, 2000))
    recipient = next(each for each in hashes if sticky(equals, each).id == world.third.id)
    [before] = await world.accepted(recipient_hash=recipient)
    by_the_second = "UPDATE messages SET sender_id = $2 WHERE id = $1"
    await database.execute(by_the_second, before.id, world.second.id)
    await database.execute("DELETE FROM dispatch_queue WHERE message_id = $1", before.id)
    messages = await world.accepted(2, recipient_hash=recipient)
    if way == "order":
        assert await ordered_away(world, database) == len(messages)
    else:
        for mine in await marked(*[message.id for message in messages]):
            await world.record(mine, NOT_ACTIVE)
    rows = [await row_of(database, message.id) for message in messages]
    assert {row["sender_id"] for row in rows} == {world.second.id}


async def test_an_entry_left_in_the_old_lane_is_not_marked(world, marked, worker_pool, clock):
    """It was charged to the old sender's gates; the new lane has its own."""
    [message] = await world.accepted()
    async with worker_pool.acquire() as connection:
        found = [
            await mark(
                connection,
                [message.id],
                worker=new_uuid(),
                now=clock.now(),
                identities={message.id: identity},
            )
            for identity in (world.second.id, world.first.id)
        ]
    assert [len(each) for each in found] == [0, 1]


async def test_the_moved_lane_is_a_lane_that_redis_takes(world, marked):
    """The relay pushes what stands in the queue row."""
    [message] = await world.accepted()
    [mine] = await marked(message.id)
    await world.record(mine, NOT_ACTIVE)
    entry = convert((await queue_row(world.pool, message.id))["lane"], LaneEntry)
    assert (entry.message_id, entry.identity) == (message.id, world.second.id)


async def test_a_moved_message_leaves_its_old_senders_gates_behind_and_takes_on_the_new_ones(
    world, database, marked
):
    """Else a number would go at its predecessor's rate, and count against its predecessor's day."""
    limits = {world.first.id: (7.0, 70), world.second.id: (2.0, 20)}
    async with worker_transaction(world.engine) as session:
        for sender, (rate, per_day) in limits.items():
            change = QuotaChange(parts_per_second=5.0, countries={"US": rate}, parts_per_day=per_day)
            await change_quota(world.scope, session, sender, change)
    message, behind = await world.accepted(2)
    before = convert((await queue_row(world.pool, message.id))["lane"], LaneEntry)
    assert (before.identity_rate, before.daily_caps[0].parts_per_day) == (7.0, 70)
    [mine] = await marked(message.id)
    await world.record(mine, NOT_ACTIVE)
    await world.orders.work()
    for moved in (message, behind):
        entry = convert((await queue_row(world.pool, moved.id))["lane"], LaneEntry)
        assert (entry.identity, entry.identity_rate) == (world.second.id, 2.0)
        assert entry.daily_caps == (DailyCap(f"s:{world.second.id.hex}", 20),)


async def test_what_waits_for_a_sender_follows_it_to_another_account(world, database, marked):
    """The old account would refuse it till its life ends; what stands in the old line is not sent by it."""
    waiting, other = await world.accepted(2)
    async with worker_transaction(world.engine) as session:
        facts = SenderFacts(
            account_id=world.abroad,
            type="LONG_CODE",
            value=world.first.value,
            country="US",
            arn=world.first.arn,
            parts_per_second=1.0,
        )
        await service.put_sender(world.scope, session, facts)
        await operating.follow_sender(world.scope, session, world.first.id)
    orders = RelaneOrders(
        world.pool, world.clock, read_routing=RoutingReader(world.engine).of, ill=lambda: world.ill
    )
    assert await orders.work() == 2
    row, queue = await row_of(database, waiting.id), await queue_row(world.pool, waiting.id)
    assert (row["sender_id"], row["account_id"]) == (world.first.id, world.abroad)
    assert (queue["route"], [step["code"] for step in queue["trail"]]) == (
        encode("acc", world.abroad),
        ["moved"],
    )
    assert await orders.work() == 0
    await database.execute("UPDATE dispatch_queue SET state = 'queued' WHERE message_id = $1", other.id)
    old = {"identities": {other.id: world.first.id}, "route": encode("acc", world.home)}
    async with world.pool.acquire() as connection:
        assert await mark(connection, [other.id], worker=new_uuid(), now=world.clock.now(), **old) == []


async def routes_set(world, *accounts):
    """The operator sets the tenant's routes; returns orders that nothing read before hides anything from."""
    async with worker_transaction(world.engine) as session:
        await set_routes(world.scope, session, accounts)
        await operating.follow_routes(world.scope, session)
    return RelaneOrders(
        world.pool, world.clock, read_routing=RoutingReader(world.engine).of, ill=lambda: world.ill
    )


async def test_what_waits_leaves_an_account_that_is_taken_out_of_its_tenants_routes(world, database):
    """What waits and what rests after a try; what was meant for later stays so, by the new account."""
    waiting, later = await world.accepted(2)
    due_at = world.clock.now() + timedelta(hours=1)
    scheduled = "UPDATE dispatch_queue SET state = 'scheduled', due_at = $2 WHERE message_id = $1"
    await database.execute(scheduled, later.id, due_at)
    orders = await routes_set(world, world.abroad)
    assert await orders.work() == 2
    for message in (waiting, later):
        row, queue = await row_of(database, message.id), await queue_row(world.pool, message.id)
        assert (row["account_id"], row["sender_id"]) == (world.abroad, world.third.id)
        assert queue["route"] == encode("acc", world.abroad)
        assert await told_of(database, message.id) == ["route_not_allowed"]
    assert (await queue_row(world.pool, later.id))["due_at"] == due_at
    world.clock.advance(timedelta(seconds=6))
    await orders.work()
    assert await database.fetchval("SELECT count(*) FROM relane_orders") == 0


async def test_an_order_leaves_what_is_on_a_route_again_where_it_is(world, database):
    """The list was mended before the order was worked off."""
    [message] = await world.accepted()
    await routes_set(world, world.abroad)
    orders = await routes_set(world, world.abroad, world.home)
    assert await orders.work() == 0
    assert (await row_of(database, message.id))["account_id"] == world.home


@pytest.mark.parametrize("lost", ["taken_off_the_list", "another_tenants_own"])
async def test_what_is_claimed_for_an_account_that_its_tenant_has_lost_does_not_leave_by_it(
    world, database, marked, calling, lost
):
    """Whatever the orders have reached: the mark looks at the routes once more, and nobody is ill for it."""
    [message] = await world.accepted()
    if lost == "taken_off_the_list":
        await routes_set(world, world.abroad)
        await database.execute("DELETE FROM relane_orders")
    else:
        other = await enrol(world.engine)
        owned = "UPDATE aws_accounts SET owner_id = $2 WHERE id = $1"
        await database.execute(owned, world.home, other.tenant_id)
    [mine] = await marked(message.id)
    await calling(mine, {})
    await world.recorder.drained()
    row, queue = await row_of(database, message.id), await queue_row(world.pool, message.id)
    assert (row["account_id"], row["status"], queue["attempt"]) == (world.abroad, "queued", 0)
    assert await told_of(database, message.id) == ["route_not_allowed"]
    assert await database.fetchval("SELECT count(*) FROM health_states") == 0


async def test_what_has_no_other_way_waits_for_its_route_and_says_so(world, database, marked, calling):
    """As with a sender that is put away: the operator may put the account back on the list."""
    [message] = await world.accepted(need={"named": world.first.value})
    orders = await routes_set(world, world.abroad)
    assert await orders.work() == 0
    [mine] = await marked(message.id)
    await calling(mine, {})
    await world.recorder.drained()
    queue = await queue_row(world.pool, message.id)
    assert (queue["state"], queue["waits_for"]) == ("scheduled", "route_not_allowed")
    await routes_set(world, world.home)
    await database.execute("UPDATE dispatch_queue SET state = 'queued' WHERE message_id = $1", message.id)
    [again] = await marked(message.id)
    assert not again.off_route


async def test_a_test_message_is_on_no_route_and_leaves_all_the_same(world, database, marked):
    """The sandbox carries it, whatever the list says."""
    [message] = await accept(world.pool, new_message(world.scope))
    await routes_set(world, world.abroad)
    [mine] = await marked(message.id)
    assert not mine.off_route


@pytest.fixture
async def shared(world):
    """The tenant's shared routes to Spain at home, open by plan and account, and a number beside them."""
    async with worker_transaction(world.engine) as session:
        made, own = [
            await service.put_sender(
                world.scope,
                session,
                SenderFacts(
                    account_id=account,
                    type=type_,
                    value=value,
                    country="ES",
                    arn=f"arn:aws:sms-voice:eu-west-1:1:{uuid4().hex}",
                    parts_per_second=1.0,
                ),
            )
            for account, type_, value in (
                (world.home, "SHARED", "Spain"),
                (world.home, "LONG_CODE", "+34600000001"),
            )
        ]
    await change_shared_routes(world, plan=True, account=True)
    return made, own


async def change_shared_routes(world, **opened):
    """Open or close them in the plan, in the account, or both."""
    async with worker_transaction(world.engine) as session:
        if "plan" in opened:
            await accounts.update_plan(world.scope, session, {"shared_routes": opened["plan"]})
            await operating.follow_routes(world.scope, session)
        if "account" in opened:
            account = await session.get_one(AwsAccount, world.home)
            account.shared_routes = opened["account"]
            await session.flush()
            await operating.follow_account(session, world.home)


async def by_shared_routes(world, made):
    """A message that waits for them."""
    routing = await RoutingReader(world.engine).of(world.scope.tenant_id)
    lane = lane_of(routing.senders[made.id], "ES", "sms")
    message = new_message(world.scope, country="ES")
    fields = {
        "account_id": world.home,
        "sender_id": made.id,
        "sender_value": made.value,
        "sender_arn": made.arn,
        "route": lane.route,
        "entry": structs.replace(message.entry, country="ES", **structs.asdict(lane)),
    }
    [accepted] = await accept(world.pool, structs.replace(message, **fields))
    return accepted


@pytest.mark.parametrize("closed", ["plan", "account"])
async def test_what_waits_leaves_shared_routes_that_are_closed(world, database, shared, closed):
    """Whoever closes them, what waits goes to a sender of the tenant's own in the same account."""
    made, own = shared
    message = await by_shared_routes(world, made)
    await change_shared_routes(world, **{closed: False})
    assert await world.orders.work() == 1
    row = await row_of(database, message.id)
    assert (row["account_id"], row["sender_id"]) == (world.home, own.id)
    assert await told_of(database, message.id) == ["shared_routes_off"]


async def test_shared_routes_that_are_open_again_keep_what_waits(world, database, shared):
    """The plan was mended before the order was worked off."""
    made, _ = shared
    message = await by_shared_routes(world, made)
    for opened in (False, True):
        await change_shared_routes(world, plan=opened)
    assert await world.orders.work() == 0
    assert (await row_of(database, message.id))["sender_id"] == made.id


@pytest.mark.parametrize("closed", ["plan", "account"])
async def test_what_is_claimed_for_closed_shared_routes_waits_and_says_so(
    world, database, marked, calling, shared, closed
):
    """Whatever the orders have reached; nobody is ill for it, and it goes on when they are open again."""
    message = await by_shared_routes(world, shared[0])
    world.ill[shared[1].id] = Illness(state="disabled", reason="blocked")
    [before] = await marked(message.id)
    assert not before.shared_off
    again_in_line = "UPDATE dispatch_queue SET state = 'queued', attempt = 0 WHERE message_id = $1"
    await database.execute(again_in_line, message.id)
    await change_shared_routes(world, **{closed: False})
    await database.execute("DELETE FROM relane_orders")
    [mine] = await marked(message.id)
    await calling(mine, {})
    await world.recorder.drained()
    queue = await queue_row(world.pool, message.id)
    assert (queue["state"], queue["waits_for"], queue["attempt"]) == ("scheduled", "shared_routes_off", 0)
    assert await database.fetchval("SELECT count(*) FROM health_states") == 0
    await change_shared_routes(world, **{closed: True})
    await database.execute(again_in_line, message.id)
    [again] = await marked(message.id)
    assert not again.shared_off


async def test_what_waits_leaves_an_account_that_becomes_another_tenants_own(world, database):
    """The new owner alone is carried by it; what waits of the others goes elsewhere, and not one by one."""
    [message] = await world.accepted()
    owner = await enrol(world.engine)
    async with worker_transaction(world.engine) as session:
        (await session.get_one(AwsAccount, world.home)).owner_id = owner.tenant_id
        await session.flush()
        await operating.follow_account(session, world.home)
    read_routing = RoutingReader(world.engine).of
    orders = RelaneOrders(world.pool, world.clock, read_routing=read_routing, ill=dict)
    assert await orders.work() == 1
    assert (await row_of(database, message.id))["account_id"] == world.abroad
    assert await told_of(database, message.id) == ["route_not_allowed"]
