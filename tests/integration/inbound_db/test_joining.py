"""A JOIN in Postgres: the opt-in and the consent are one commit, and the ledger says how it came."""

import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from gateway.clock import SystemClock
from gateway.db.transaction import worker_transaction
from gateway.inbound.consenting import Consenting
from gateway.inbound.taking import Taken, Taking
from gateway.messages.keys import DataKeys
from gateway.receipts.event import InboundText, parse
from tenants.consents import service as consents
from tenants.consents.service import NewConsent
from tenants.ids import encode
from tenants.optouts import service as opt_outs
from tenants.senders import service as senders
from tenants.senders.service import AccountFacts, SenderFacts
from tests.harness.numbers import us_number
from tests.harness.tenants import SECRET_KEY, enrol, key_of


class Phone:
    """A person who writes to a tenant's number that carries promotions."""

    def __init__(self, engine, pool, scope, key, number) -> None:
        self.engine, self.scope, self.key = engine, scope, key
        self.number, self.person = number, us_number()
        self.taking = Taking(DataKeys(pool, SECRET_KEY), listeners=(Consenting(SystemClock()),))

    async def writes(self, body, *, inbound_id=None, breaks=False):
        """Take a text of the person's in; `breaks` ends the transaction where its commit would be."""
        told = {
            "originationNumber": self.person,
            "destinationNumber": self.number,
            "messageKeyword": body,
            "messageBody": body,
            "inboundMessageId": inbound_id or str(uuid4()),
        }
        event = parse(json.dumps(told))
        assert isinstance(event, InboundText)
        async with worker_transaction(self.engine) as session:
            taken = await self.taking.take_in(session, event, now=datetime.now(UTC))
            if breaks:
                raise ConnectionResetError
        return taken

    async def told(self, use_case, *, double_opt_in=False):
        """Write down what the tenant says the person agreed to, or is to be asked."""
        wanted = NewConsent(number=self.person, use_case=use_case, message_type="promotional", method="web")
        async with worker_transaction(self.engine) as session:
            await consents.take(
                self.scope, session, self.key, wanted, now=datetime.now(UTC), double_opt_in=double_opt_in
            )

    async def ledger(self):
        """Every line about the person, and where they stand."""
        async with worker_transaction(self.engine) as session:
            lines = await consents.history(self.scope, session, self.key, limit=50, number=self.person)
            stands = await consents.of_number(
                self.scope, session, self.key, self.person, now=datetime.now(UTC)
            )
        return lines, {each.use_case: each.state for each in stands}

    async def words(self, text_hash):
        """What the person was told."""
        async with worker_transaction(self.engine) as session:
            return await consents.words_of(self.scope, session, text_hash)

    async def lists(self):
        """On which opt-out lists the person stands."""
        async with worker_transaction(self.engine) as session:
            return await opt_outs.lists_of(self.scope, session, self.key.recipient_hash(self.person))


@pytest.fixture
async def phone(worker_engine, worker_pool):
    """A person, and a tenant with a self-managed long code for promotions."""
    scope, number = await enrol(worker_engine), us_number()
    async with worker_transaction(worker_engine) as session:
        account = await senders.ensure_account(session, AccountFacts(region="us-east-1"), name=uuid4().hex)
        facts = SenderFacts(
            account_id=account.id,
            type="LONG_CODE",
            value=number,
            country="US",
            arn=f"arn:{uuid4()}",
            parts_per_second=1.0,
            message_types=("promotional",),
        )
        await senders.put_sender(scope, session, facts)
    return Phone(worker_engine, worker_pool, scope, await key_of(worker_engine, scope), number)


async def test_a_join_is_written_down_with_who_how_when_and_the_words(phone):
    """What a carrier's audit asks for."""
    taken = await phone.writes("JOIN please")
    assert isinstance(taken, Taken)
    (line,), stands = await phone.ledger()
    assert stands == {"promotional": "granted"}
    assert (line.number, line.event, line.method, line.message_type, line.actor) == (
        phone.person,
        "granted",
        "keyword",
        "promotional",
        "recipient",
    )
    assert (line.proof.keyword, line.proof.written_to) == ("JOIN", phone.number)
    assert line.proof.evidence == encode("inb", taken.inbound_id)
    assert "Msg & data rates may apply" in await phone.words(line.text_hash)


async def test_a_join_after_a_stop_grants_again_and_takes_off_the_list_in_one_commit(phone):
    """Of a commit that fails neither half may stay: a consent beside a STOP, or an opt-in without proof."""
    await phone.writes("START")
    await phone.writes("STOP")
    assert (await phone.ledger())[1] == {"promotional": "withdrawn"}
    again = str(uuid4())
    with pytest.raises(ConnectionResetError):
        await phone.writes("JOIN", inbound_id=again, breaks=True)
    assert (await phone.ledger())[1] == {"promotional": "withdrawn"}
    assert await phone.lists() == ["all"]
    await phone.writes("JOIN", inbound_id=again)
    lines, stands = await phone.ledger()
    assert stands == {"promotional": "granted"}
    assert await phone.lists() == []
    assert [each.event for each in lines] == ["granted", "withdrawn", "granted"]


async def test_a_join_that_comes_twice_is_written_once(phone):
    """SNS delivers at least once."""
    same = str(uuid4())
    await phone.writes("unstop", inbound_id=same)
    await phone.writes("unstop", inbound_id=same)
    assert len((await phone.ledger())[0]) == 1


async def test_a_stop_ends_what_was_not_confirmed_yet_whatever_its_type(phone, worker_pool):
    """A marketing opt-in is asked for by a transactional number: a STOP there is a no."""
    await worker_pool.execute(
        "UPDATE senders SET message_types = '{transactional}' WHERE tenant_id = $1", phone.scope.tenant_id
    )
    await worker_pool.execute(
        "INSERT INTO two_way_settings (tenant_id, sender_id, opt_outs, stop_scope)"
        " SELECT tenant_id, id, 'self_managed', 'use_case' FROM senders WHERE tenant_id = $1",
        phone.scope.tenant_id,
    )
    await phone.told("marketing", double_opt_in=True)
    await phone.told("receipts")
    await phone.writes("STOP")
    assert await phone.lists() == ["transactional"]
    assert (await phone.ledger())[1] == {"marketing": "withdrawn", "receipts": "granted"}
    await phone.writes("YES")
    assert (await phone.ledger())[1] == {"marketing": "withdrawn", "receipts": "granted"}
