"""A quota that changes while messages wait: somebody hears of it and tells their lanes."""

import asyncio
from collections.abc import AsyncIterator, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec import structs
from structlog.testing import capture_logs

from gateway.clock import SystemClock
from gateway.db.transaction import worker_transaction
from gateway.intake.reader import SnapshotReader
from gateway.intake.terms import TermsFollower
from gateway.lanes.errors import RedisUnavailable
from gateway.lanes.lanes import Lanes
from gateway.lanes.queues import Queues
from gateway.lanes.rebuild import rebuild
from gateway.lanes.scripts import RedisScripts, connect
from tenants.errors import NotFound
from tenants.ids import encode
from tenants.senders import service, store
from tenants.senders.quotas import QuotaChange, change_quota
from tenants.senders.service import AccountFacts, SenderFacts
from tests.harness.tenants import accept, enrol, new_message
from tests.harness.waiting import until


class Waiting:
    """A tenant's sender with a message in its lane, at one part a second."""

    def __init__(self, scope, sender_id, route, lanes, engine) -> None:
        self.scope, self.sender_id, self.route = scope, sender_id, route
        self.lanes, self.engine = lanes, engine

    async def us_per_part(self) -> float:
        """What the lane's gate costs now."""
        channel = (self.sender_id, "US")
        return (await Queues(self.lanes).gates(self.route, [channel]))[channel].us

    async def costs(self, us: float) -> bool:
        """Whether that is what the lane's gate costs now."""
        return await self.us_per_part() == pytest.approx(us)

    async def set_rate(self, rate: float) -> None:
        """Commit another quota, which notifies."""
        async with worker_transaction(self.engine) as session:
            await change_quota(self.scope, session, self.sender_id, QuotaChange(parts_per_second=rate))


@pytest.fixture
async def lanes(redis_url):
    async with connect(redis_url) as client:
        yield Lanes(RedisScripts(client))


@pytest.fixture
async def waiting(lanes, worker_engine, worker_pool) -> Waiting:
    scope = await enrol(worker_engine, credit=10)
    async with worker_transaction(worker_engine) as session:
        account = await service.ensure_account(session, AccountFacts(region="us-east-1"), name=uuid4().hex)
        facts = SenderFacts(
            account_id=account.id,
            type="LONG_CODE",
            value="+12065550100",
            country="US",
            arn=f"arn:aws:sms-voice:us-east-1:1:phone-number/{uuid4().hex}",
            parts_per_second=1.0,
        )
        sender = await service.put_sender(scope, session, facts)
    route = encode("acc", account.id)
    await rebuild(lanes, worker_pool, route)
    message = new_message(scope, route=route)
    entry = structs.replace(message.entry, identity=sender.id, country="US", identity_rate=1.0, version=0)
    message = structs.replace(message, entry=entry, sender_id=sender.id, account_id=account.id)
    await accept(worker_pool, message)
    assert await lanes.push([entry]) == []
    return Waiting(scope, sender.id, route, lanes, worker_engine)


@pytest.fixture
def follower(lanes, worker_pool, app_engine, worker_engine, database_url) -> TermsFollower:
    reader = SnapshotReader(app_engine, worker_engine, "secret key of the tests", SystemClock())
    return TermsFollower(database_url, worker_pool, lanes, reader.snapshot)


@asynccontextmanager
async def following(follower: TermsFollower) -> AsyncIterator[Callable[[UUID], None]]:
    """Follow the notices that the test gives, one by one; the role must outlive them."""

    def notice(tenant_id: UUID) -> None:
        follower._noticed(None, 0, "", str(tenant_id))

    running = asyncio.create_task(follower._follow_changes())
    try:
        yield notice
        assert not running.done()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def failing_once(follower: TermsFollower, monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """Let Postgres be away at the first read; returns whose that was, once it has been."""
    sound, failed = follower._read, list[UUID]()

    async def read(tenant_id: UUID):
        if not failed:
            failed.append(tenant_id)
            raise ConnectionRefusedError
        return await sound(tenant_id)

    monkeypatch.setattr(follower, "_read", read)
    return failed


async def happened(lines: list[MutableMapping[str, Any]], event: str) -> bool:
    """Whether the log has such an event."""
    return any(line["event"] == event for line in lines)


async def test_a_changed_quota_reaches_what_is_queued_within_a_moment(waiting, follower):
    """The notice of the commit is enough; nothing has to be sent."""
    assert await waiting.us_per_part() == pytest.approx(1_030_000)
    running = asyncio.create_task(follower.run())
    try:

        async def is_raised() -> bool:
            await waiting.set_rate(50.0)  # again until the listener is there to hear it
            return await waiting.us_per_part() == pytest.approx(20_000)

        await until(is_raised)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_change_nobody_heard_of_is_followed_in_the_round(waiting, follower):
    """A scheduler that was down during the change."""
    await waiting.set_rate(40.0)
    assert await follower.follow_all() >= 1
    assert await waiting.us_per_part() == pytest.approx(25_000)


async def test_what_changed_while_nobody_listened_is_followed_once_somebody_does(waiting, follower):
    """The connection was lost, and with it the notice; the round is half a minute away."""
    await waiting.set_rate(20.0)
    running = asyncio.create_task(follower.run())
    try:
        await until(lambda: waiting.costs(50_000), within_s=10)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_tenant_that_is_gone_stops_nobody(waiting, lanes, worker_pool, database_url):
    """Its messages wait for their expiry; the others' terms are told all the same."""
    seen: list[UUID] = []

    async def read(tenant_id: UUID):
        seen.append(tenant_id)
        raise NotFound("tenant")

    follower = TermsFollower(database_url, worker_pool, lanes, read)
    assert await follower.follow_all() == len(seen) >= 1
    assert waiting.scope.tenant_id in seen


async def test_what_nobody_foresaw_of_one_tenant_is_no_other_tenants_trouble(waiting, follower, monkeypatch):
    """It ended the role for everybody; now it is an error in the log, and the next tenant is told."""
    broken, sound = uuid4(), follower._read

    async def read(tenant_id: UUID):
        if tenant_id == broken:
            raise OverflowError("no period is so long")
        return await sound(tenant_id)

    monkeypatch.setattr(follower, "_read", read)
    await waiting.set_rate(20.0)
    with capture_logs() as lines:
        async with following(follower) as notice:
            notice(broken)
            await until(lambda: happened(lines, "terms_broken"))
            notice(waiting.scope.tenant_id)
            await until(lambda: waiting.costs(50_000))
    told = [line for line in lines if line["event"] == "terms_broken"]
    assert [(line["log_level"], line["tenant_id"]) for line in told] == [("error", str(broken))]


async def test_the_round_goes_on_after_a_tenant_whose_terms_are_broken(
    waiting, lanes, worker_engine, worker_pool, database_url
):
    """Every tenant is looked at, and again in the next round."""
    other = await enrol(worker_engine, credit=10)
    await accept(worker_pool, new_message(other, route=waiting.route))
    seen: list[UUID] = []

    async def read(tenant_id: UUID):
        seen.append(tenant_id)
        raise ValueError("no lane is called so")

    follower = TermsFollower(database_url, worker_pool, lanes, read)
    with capture_logs() as lines:
        assert await follower.follow_all() == len(seen)
    assert {other.tenant_id, waiting.scope.tenant_id} <= set(seen)
    assert {line["tenant_id"] for line in lines if line["event"] == "terms_broken"} == set(map(str, seen))


async def test_a_stored_rate_beyond_all_measure_is_told(waiting, follower):
    """One from before there were bounds; the lanes keep the slowest that they can."""
    async with worker_transaction(waiting.engine) as session:
        row = await store.sender(waiting.scope, session, waiting.sender_id)
        row.parts_per_second = 1e-320
    await follower.follow(waiting.scope.tenant_id)
    assert await waiting.us_per_part() == pytest.approx(1_030_000 * 30 * 86_400)


async def test_a_redis_that_is_away_is_told_later(waiting, follower, lanes, monkeypatch):
    """The round comes again; until then the old terms hold."""

    async def away(_terms) -> None:
        raise RedisUnavailable("away")

    await waiting.set_rate(10.0)
    with monkeypatch.context() as broken:
        broken.setattr(lanes, "agree", away)
        await follower.follow(waiting.scope.tenant_id)
    assert await waiting.us_per_part() == pytest.approx(1_030_000)
    await follower.follow(waiting.scope.tenant_id)
    assert await waiting.us_per_part() == pytest.approx(103_000)


async def test_a_notice_while_postgres_was_away_is_not_the_last(waiting, follower, monkeypatch):
    """A follower that dies of one failed read would leave every later change to the round."""
    failed = failing_once(follower, monkeypatch)
    running = asyncio.create_task(follower.run())
    try:

        async def is_raised() -> bool:
            await waiting.set_rate(25.0)
            return await waiting.us_per_part() == pytest.approx(40_000)

        await until(is_raised)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert failed


async def test_a_tenant_that_could_not_be_read_is_read_again_without_another_notice(
    waiting, follower, monkeypatch
):
    """Its notice was the only one; until the round came, half a minute later, the old terms held."""
    failed = failing_once(follower, monkeypatch)
    await waiting.set_rate(25.0)
    async with following(follower) as notice:
        notice(waiting.scope.tenant_id)
        await until(lambda: waiting.costs(40_000), within_s=10)
    assert failed == [waiting.scope.tenant_id]
