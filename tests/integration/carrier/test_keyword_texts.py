"""What AWS answers STOP and HELP with follows the tenants' texts."""

from datetime import UTC, datetime
from uuid import uuid4

import aioboto3
import pytest

from gateway.carrier.control import control_of
from gateway.carrier.keyword_texts import COMPARED_EVERY, RETRIED_AFTER, KeywordTexts
from gateway.carrier.provision.ports import ProvisionRequest, SenderWish
from gateway.carrier.session import open_session
from gateway.clock import FixedClock
from gateway.db.transaction import worker_transaction
from tenants.keywords import service as keywords
from tenants.keywords.texts import DEFAULTS, filled
from tenants.senders import service as senders
from tenants.senders.service import SenderFacts
from tests.harness.numbers import us_number
from tests.harness.tenants import enrol

STOP = "Acme: no more messages will be sent. Reply HELP for help."
HELP = "Acme: call 1-888-555-0142. Msg & data rates may apply. Text STOP to cancel."


@pytest.fixture
async def aws(emulator):
    """AWS, as anybody else in the account could call it."""
    async with aioboto3.Session().client(
        "pinpoint-sms-voice-v2", region_name="us-east-1", endpoint_url=emulator.base_url
    ) as client:
        yield client


class Counted:
    """AWS's control calls, counted by action and number."""

    def __init__(self, opened) -> None:
        self._opened = opened
        self.calls = []

    def __call__(self, account):
        """Open the account."""
        return _Watched(self._opened(account), self.calls)


class _Watched:
    def __init__(self, way, calls) -> None:
        self._way, self._calls = way, calls

    async def __aenter__(self):
        self._control = await self._way.__aenter__()
        return self

    async def __aexit__(self, *ended):
        return await self._way.__aexit__(*ended)

    async def call(self, action, **members):
        self._calls.append((action, members["OriginationIdentity"]))
        return await self._control.call(action, **members)


class Kept:
    """A tenant with a managed number at the emulator, and what keeps the texts in step."""

    def __init__(self, engine, database_url, pool, scope, account_id, arn) -> None:
        self._engine, self._pool, self.scope = engine, pool, scope
        self.account_id, self.arn = account_id, arn
        self.clock = FixedClock(datetime.now(UTC))
        self.opened = Counted(control_of(open_session()))
        self.texts = KeywordTexts(database_url, engine, self.opened, self.clock)

    async def say(self, keyword, text, language=""):
        """Change what a keyword answers, as its tenant does; None takes the text back."""
        async with worker_transaction(self._engine) as session:
            await keywords.put_text(self.scope, session, keyword, language, text)

    async def round(self):
        """Keep the texts in step; what was asked of AWS for this number."""
        self.opened.calls.clear()
        await self.texts.round()
        return [action for action, arn in self.opened.calls if arn == self.arn]

    async def link(self):
        """What is written down of the number."""
        return await self._pool.fetchrow(
            "SELECT * FROM keyword_links WHERE tenant_id = $1 AND arn = $2", self.scope.tenant_id, self.arn
        )

    async def sender(self, arn, kind="LONG_CODE"):
        """Another number of the tenant's."""
        async with worker_transaction(self._engine) as session:
            facts = SenderFacts(
                account_id=self.account_id,
                type=kind,
                value=us_number(),
                country="US",
                arn=arn,
                parts_per_second=1.0,
            )
            return await senders.put_sender(self.scope, session, facts)


async def answers(aws, arn):
    """What AWS answers."""
    shown = await aws.describe_keywords(OriginationIdentity=arn)
    return {each["Keyword"]: each["KeywordMessage"] for each in shown["Keywords"]}


@pytest.fixture
async def kept(worker_engine, worker_pool, database_url, provisioner):
    """A provisioned tenant."""
    scope = await enrol(worker_engine)
    wish = SenderWish(country="US", type="LONG_CODE")
    await provisioner.provision(scope, ProvisionRequest(senders=(wish,), dedicated_pool=False))
    row = await worker_pool.fetchrow(
        "SELECT account_id, arn FROM senders WHERE tenant_id = $1", scope.tenant_id
    )
    return Kept(worker_engine, database_url, worker_pool, scope, row["account_id"], row["arn"])


async def test_a_changed_text_is_told_to_aws_once(kept, aws):
    """Nothing is asked for tenants without texts, and nothing twice; other languages are the gateway's."""
    usual = await answers(aws, kept.arn)
    assert await kept.round() == []
    await kept.say("STOP", STOP)
    await kept.say("HELP", HELP.replace("Acme", "{brand}"))
    await kept.say("STOP", "Acme: ya no recibira mas mensajes.", "es")
    assert await kept.round() == ["describe_keywords", "put_keyword", "put_keyword"]
    assert await answers(aws, kept.arn) == usual | {"STOP": STOP, "HELP": HELP}
    assert await kept.round() == []
    await kept.say("STOP", STOP.replace("no more", "no further"))
    assert await kept.round() == ["describe_keywords", "put_keyword"]
    link = await kept.link()
    assert (link["drift"], link["fault"]) == ([], None)


async def test_what_was_changed_at_aws_is_told_again_and_said(kept, aws):
    """Once a day; somebody at the console, or another tool, may have meant well."""
    await kept.say("STOP", STOP)
    await kept.round()
    await aws.put_keyword(
        OriginationIdentity=kept.arn, Keyword="STOP", KeywordMessage="Something else was written here."
    )
    assert await kept.round() == []
    kept.clock.advance(COMPARED_EVERY)
    assert await kept.round() == ["describe_keywords", "put_keyword"]
    assert (await answers(aws, kept.arn))["STOP"] == STOP
    assert (await kept.link())["drift"] == ["STOP was changed at AWS: told again"]
    kept.clock.advance(COMPARED_EVERY)
    assert await kept.round() == ["describe_keywords"]
    assert (await kept.link())["drift"] == []


async def test_a_text_that_is_taken_back_is_replaced_by_the_usual_one(kept, aws):
    """The old one would go on speaking for the tenant."""
    await kept.say("STOP", STOP)
    await kept.round()
    await kept.say("STOP", None)
    await kept.round()
    assert (await answers(aws, kept.arn))["STOP"] == filled(DEFAULTS["STOP"]["en"], "Acme")
    assert await kept.round() == []


async def test_what_aws_refuses_holds_up_no_other_number_and_is_tried_later(kept, aws):
    """A number that was released behind the gateway's back is the operator's to see."""
    gone = f"arn:aws:sms-voice:us-east-1:123456789012:phone-number/phone-{uuid4().hex}"
    await kept.sender(gone)
    await kept.say("STOP", STOP)
    await kept.round()
    assert (await answers(aws, kept.arn))["STOP"] == STOP
    kept.arn = gone
    assert "AWS refused" in (await kept.link())["fault"]
    assert await kept.round() == []
    kept.clock.advance(RETRIED_AFTER)
    assert await kept.round() == ["describe_keywords"]


async def test_a_number_that_tenants_share_keeps_its_texts(kept, worker_engine, worker_pool, aws):
    """Each would overwrite the other's for ever."""
    await kept.say("STOP", STOP)
    row = await worker_pool.fetchrow("SELECT * FROM senders WHERE tenant_id = $1", kept.scope.tenant_id)
    async with worker_transaction(worker_engine) as session:
        shared = SenderFacts(
            account_id=kept.account_id,
            type=row["type"],
            value=row["value"],
            country="US",
            arn=kept.arn,
            parts_per_second=1.0,
        )
        await senders.put_sender(await enrol(worker_engine), session, shared)
    assert await kept.round() == []


async def test_numbers_that_others_answer_for_are_left_alone(kept, worker_pool, aws):
    """Where the gateway or the network answers, no tenant's text is AWS's."""
    toll_free = await kept.sender(f"arn:{uuid4()}", "TOLL_FREE")
    await kept.say("STOP", STOP)
    await worker_pool.execute(
        """
        INSERT INTO two_way_settings (tenant_id, sender_id, opt_outs, stop_scope)
        SELECT tenant_id, id, 'self_managed', 'everything' FROM senders WHERE tenant_id = $1 AND arn = $2
        """,
        kept.scope.tenant_id,
        kept.arn,
    )
    assert await kept.round() == []
    kept.arn = toll_free.arn
    assert await kept.round() == []
    query = "SELECT count(*) FROM keyword_links WHERE tenant_id = $1"
    assert await worker_pool.fetchval(query, kept.scope.tenant_id) == 0
