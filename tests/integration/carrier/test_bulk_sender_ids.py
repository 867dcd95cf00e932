"""One sender id in 160 countries against the emulated AWS: paced, past failures, resumed, asked for again."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import uuid4

import aiohttp
import pytest

from gateway.carrier.control import CONTROL_PER_SECOND, control_of
from gateway.carrier.pace import Pace
from gateway.carrier.session import open_session
from gateway.clock import SystemClock
from gateway.db.transaction import worker_transaction
from gateway.faultpoints import FaultInjected, FaultPoint, arm, counted
from gateway.registrations.bulk_sender_ids import LEASE, BulkSenderIds
from gateway.registrations.sender_id_drift import drift_of
from tenants.countries.facts import by_iso
from tenants.errors import InvalidInput
from tenants.registrations import bulk_sender_ids as bulk
from tenants.registrations.bulk_sender_ids import BulkWish
from tenants.senders import service as senders
from tenants.senders import store as sender_store
from tenants.senders.service import AccountFacts
from tests.harness.tenants import enrol

ALL = ("otp", "transactional", "promotional")
MISCODED = frozenset({"TV", "XK"})
"""AWS's table, which the emulator keeps as published, has them under other codes."""
FREE = tuple(
    sorted(iso for iso, facts in by_iso().items() if facts.sender_id == "yes" and iso not in MISCODED)
)


class Seconds:
    """A clock that moves only when somebody sleeps."""

    def __init__(self):
        self.now_s = 0.0

    def read(self):
        """Return the time in seconds."""
        return self.now_s

    async def sleep(self, seconds):
        """Let the time pass at once."""
        self.now_s += seconds


class MovedClock(SystemClock):
    """The system's clock, set forward by what a test asks."""

    ahead = timedelta()

    def now(self):
        """Return the moved time."""
        return super().now() + self.ahead


class Bulk:
    """What a test does as the operator and as the scheduler."""

    def __init__(self, engine, emulator, account):
        self.engine, self.emulator, self.account = engine, emulator, account
        self.clock, self.seconds = MovedClock(), Seconds()
        self.value = f"AC{uuid4().hex[:6].upper()}"
        self.open = control_of(open_session(), self._pace)
        self.runner = BulkSenderIds(engine, self.open, self.clock)

    def _pace(self, _):
        return Pace(CONTROL_PER_SECOND, seconds=self.seconds.read, sleep=self.seconds.sleep)

    async def ask(self, scope, countries, types=ALL):
        """Order the sender id."""
        wish = BulkWish(value=self.value, countries=tuple(countries), message_types=types)
        async with worker_transaction(self.engine) as session:
            await bulk.ask_for(scope, session, wish, now=self.clock.now())

    async def rows(self, scope):
        """Return each country's row."""
        async with worker_transaction(self.engine) as session:
            return {row.country: row for row in await bulk.asked(scope, session, self.value)}

    async def senders(self, scope):
        """Return the tenant's senders by country."""
        async with worker_transaction(self.engine) as session:
            found = await sender_store.senders(scope, session, limit=1000)
        assert len({row.country for row in found}) == len(found)
        return {row.country: row for row in found}

    async def control(self, action, **members):
        """Call AWS as the account's owner."""
        async with self.open(self.account) as control:
            return await control.call(action, **members)

    async def emulate(self, path, body):
        """Tell the emulator how to behave."""
        url = f"{self.emulator.base_url}/_emulator/{path}"
        async with aiohttp.ClientSession() as http, http.post(url, json=body) as answer:
            assert answer.ok, await answer.text()

    async def calls(self):
        """How often a sender id was requested so far."""
        url = f"{self.emulator.base_url}/_emulator/stats"
        async with aiohttp.ClientSession() as http, http.get(url) as answer:
            return (await answer.json())["actions"].get("RequestSenderId", 0)


@pytest.fixture
async def desk(worker_engine, emulator):
    """The runner on the emulator, in the account that everyone uses."""
    facts = AccountFacts(region="us-east-1", endpoint_url=emulator.base_url, sends_per_second=500.0)
    async with worker_transaction(worker_engine) as session:
        account = await senders.ensure_account(session, facts)
    return Bulk(worker_engine, emulator, account)


async def test_160_countries_at_one_a_second_and_a_second_run_makes_nothing(desk, worker_engine):
    """F-SID-BULK: past failures, each with its state and price; no duplicate on a re-run."""
    scope = await enrol(worker_engine)
    asked = (*FREE[:158], "US", "JO")
    await desk.ask(scope, asked)
    before = await desk.calls()
    await desk.runner.work()
    rows = await desk.rows(scope)
    assert Counter(row.state for row in rows.values()) == {
        "created": 158,
        "failed": 1,
        "registration_required": 1,
    }
    assert rows["US"].code == "SENDER_ID_NOT_SUPPORTED"
    assert rows["JO"].state == "registration_required"
    assert {rows[each].monthly_usd for each in FREE[:158]} == {"0.00"}
    assert await desk.calls() - before == 159, "Jordan is known to want a registration"
    assert desk.seconds.now_s == pytest.approx(158.0), "the first call waits for nothing"
    assert (await desk.senders(scope)).keys() == set(FREE[:158])
    await desk.ask(scope, asked)
    await desk.runner.work()
    assert await desk.calls() - before == 160, "only what failed is asked for again"
    assert (await desk.senders(scope)).keys() == set(FREE[:158])


async def test_a_sender_id_is_protected_and_tagged(desk, worker_engine):
    """Nobody deletes it by mistake, and the account's owner sees whose it is."""
    scope = await enrol(worker_engine)
    await desk.ask(scope, ["GB"], types=("otp",))
    await desk.runner.work()
    arn = (await desk.rows(scope))["GB"].arn
    shown = await desk.control(
        "describe_sender_ids", SenderIds=[{"SenderId": desk.value, "IsoCountryCode": "GB"}]
    )
    assert shown["SenderIds"][0]["DeletionProtectionEnabled"]
    assert shown["SenderIds"][0]["MessageTypes"] == ["TRANSACTIONAL"]
    tags = (await desk.control("list_tags_for_resource", ResourceArn=arn))["Tags"]
    assert [tag["Key"] for tag in tags] == ["tollgate-tenant"]
    assert (await desk.senders(scope))["GB"].message_types == ["otp"]


@pytest.mark.parametrize("expired", [False, True], ids=["token-known", "token-forgotten"])
async def test_a_death_after_aws_answered_makes_no_duplicate(desk, worker_engine, expired):
    """The next process asks with the same token, or finds what the dead one made."""
    scope = await enrol(worker_engine)
    await desk.ask(scope, FREE[:6])
    with counted():
        arm(f"{FaultPoint.SENDER_ID_REQUESTED}:raise:3")
        with pytest.raises(FaultInjected):
            await desk.runner.work()
    states = Counter(row.state for row in (await desk.rows(scope)).values())
    assert states == {"created": 2, "waiting": 4}
    if expired:
        await desk.emulate("clock", {"advance_seconds": 90_000})
    desk.clock.ahead += LEASE + timedelta(seconds=1)
    await desk.runner.work()
    rows = await desk.rows(scope)
    states = Counter(row.state for row in rows.values())
    assert states == ({"created": 5, "adopted": 1} if expired else {"created": 6})
    assert len(await desk.senders(scope)) == 6
    assert await drift_of(scope, worker_engine, desk.open) == []


async def test_aws_that_is_away_is_asked_again_later(desk, worker_engine):
    """An outage is no failure of a country."""
    scope = await enrol(worker_engine)
    await desk.ask(scope, ["GB"])
    await desk.emulate("faults", {"actions": {"RequestSenderId": {"error_rate": 1.0}}})
    await desk.runner.work()
    await desk.emulate("faults", {})
    row = (await desk.rows(scope))["GB"]
    assert (row.state, row.tries) == ("waiting", 1)
    desk.clock.ahead += timedelta(minutes=1)
    await desk.runner.work()
    assert (await desk.rows(scope))["GB"].state == "created"


async def test_what_is_there_is_adopted_unless_it_is_anothers(desk, worker_engine):
    """Recipients know a sender id as the one who writes."""
    scope, stranger = await enrol(worker_engine), await enrol(worker_engine)
    await desk.control("request_sender_id", SenderId=desk.value, IsoCountryCode="GB")
    await desk.ask(scope, ["GB"])
    await desk.runner.work()
    assert (await desk.rows(scope))["GB"].state == "adopted"
    await desk.ask(stranger, ["GB", "FR"])
    await desk.runner.work()
    rows = await desk.rows(stranger)
    assert (rows["GB"].state, rows["GB"].code) == ("failed", "sender_id_taken")
    assert (await desk.senders(stranger)).keys() == {"FR"}
    assert await drift_of(scope, worker_engine, desk.open) != [], "FR was not this tenant's wish"


async def test_two_tenants_that_ask_at_once_do_not_both_get_it(desk, worker_engine):
    """Both find at AWS what no tenant has yet; whoever is stored first has it, and the other is told."""
    scopes = [await enrol(worker_engine), await enrol(worker_engine)]
    seen = []
    for scope in scopes:
        await desk.ask(scope, ["GB"])
        row = (await desk.rows(scope))["GB"]
        seen.append((row, await desk.runner._ask(row, desk.account)))
    assert [each.created for _, each in seen] == [True, False]
    await asyncio.gather(*(desk.runner._keep(row, each) for row, each in seen))
    rows = [(await desk.rows(scope))["GB"] for scope in scopes]
    assert sorted(row.code or "" for row in rows) == ["", "sender_id_taken"]
    had = [len(await desk.senders(scope)) for scope in scopes]
    assert sorted(had) == [0, 1]
    assert [row.state == "failed" for row in rows] == [count == 0 for count in had]


async def test_drift_names_what_changed_at_aws(desk, worker_engine):
    """F-SID-VERIFY: desired against DescribeSenderIds."""
    scope = await enrol(worker_engine)
    await desk.ask(scope, ["GB", "FR", "SE"])
    await desk.runner.work()
    assert await drift_of(scope, worker_engine, desk.open) == []
    for country in ("GB", "FR"):
        await desk.control(
            "update_sender_id", SenderId=desk.value, IsoCountryCode=country, DeletionProtectionEnabled=False
        )
    await desk.control("release_sender_id", SenderId=desk.value, IsoCountryCode="GB")
    await desk.control("request_sender_id", SenderId=desk.value, IsoCountryCode="NO")
    found = await drift_of(scope, worker_engine, desk.open)
    assert [(each.country, each.kind) for each in found] == [
        ("FR", "unprotected"),
        ("GB", "missing"),
        ("NO", "not_asked_for"),
    ]


@pytest.mark.parametrize(
    ("value", "countries", "field"),
    [("OTP", ["GB"], "/sender_id"), ("12345", ["GB"], "/sender_id"), ("ACME", ["GB", "ZZ"], "/countries")],
)
async def test_what_no_carrier_takes_is_refused_before(desk, worker_engine, value, countries, field):
    """F-SID-VAL: nothing is ordered that cannot be."""
    scope = await enrol(worker_engine)
    desk.value = value
    with pytest.raises(InvalidInput) as refused:
        await desk.ask(scope, countries)
    assert refused.value.field == field
    assert await desk.rows(scope) == {}
