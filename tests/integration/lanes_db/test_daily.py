"""A day's counters follow what Postgres knows: given back by receipts, there again after a loss."""

from uuid import uuid4

import pytest
from msgspec import structs

from gateway.db.transaction import worker_transaction
from gateway.lanes.daily import DailyCounts
from gateway.lanes.lanes import Lanes, key_prefix
from gateway.lanes.rebuild import rebuild
from gateway.lanes.scripts import RedisScripts, connect
from tenants.ids import encode
from tenants.senders import service
from tenants.senders.quotas import CampaignFacts, QuotaChange, change_quota
from tenants.senders.service import AccountFacts, SenderFacts
from tests.harness.tenants import accept, enrol, new_message

CAMPAIGN = CampaignFacts(campaign_id="C1", brand_id="B1", use_case="MARKETING", vetting_score=1)


@pytest.fixture
async def sent(worker_pool, worker_engine, database):
    """Three messages of two parts that left today: by T-Mobile, by another, and by nobody knows whom."""
    scope = await enrol(worker_engine, credit=100)
    async with worker_transaction(worker_engine) as session:
        account = await service.ensure_account(session, AccountFacts(region="us-east-1"), name=uuid4().hex)
        facts = SenderFacts(
            account_id=account.id,
            type="TEN_DLC",
            value="+12065550100",
            country="US",
            arn=f"arn:aws:sms-voice:us-east-1:1:phone-number/{uuid4().hex}",
            parts_per_second=1.0,
        )
        sender = await service.put_sender(scope, session, facts)
        change = QuotaChange(parts_per_day=500, campaign=CAMPAIGN)
        await change_quota(scope, session, sender.id, change)
    likeness = {"account_id": account.id, "sender_id": sender.id, "country": "US", "parts": 2}
    made = [structs.replace(new_message(scope), **likeness) for _ in range(3)]
    await accept(worker_pool, *made)
    for message, carrier in zip(made, ("T-Mobile USA, Inc.", "Verizon Wireless", None), strict=True):
        await database.execute(
            "UPDATE messages SET dispatched_at = now(), carrier = $2 WHERE id = $1", message.id, carrier
        )
    return account.id, sender.id


async def counters(client, route):
    """What Redis counts, by kind and cap."""
    found = {}
    for kind in ("d", "x"):
        prefix = f"{key_prefix(route)}:{kind}:"
        async for name in client.scan_iter(match=f"{prefix}*"):
            cap = name.decode().removeprefix(prefix).rpartition(":")[0]
            found[kind, cap] = int(await client.get(name))
    return found


def expected(sender_id):
    """All parts count; those of another carrier are given back to the campaign and the brand."""
    campaign, brand = "pt:c:C1", "pt:b:B1"
    return {
        ("d", f"s:{sender_id.hex}"): 6,
        ("d", campaign): 6,
        ("x", campaign): 2,
        ("d", brand): 6,
        ("x", brand): 2,
    }


async def test_parts_that_went_to_other_carriers_are_given_back(sent, worker_pool, redis_url):
    """T-Mobile does not count what Verizon carried."""
    account_id, sender_id = sent
    async with connect(redis_url) as client:
        counts = DailyCounts(worker_pool, Lanes(RedisScripts(client)))
        assert await counts.restore() >= 5
        assert await counters(client, encode("acc", account_id)) == expected(sender_id)
        assert await counts.restore(account_id) == 0


async def test_a_rebuild_knows_what_left_today_before_it_lets_anything_go(sent, worker_pool, redis_url):
    """Else each FLUSHALL would give a campaign another day."""
    account_id, sender_id = sent
    route = encode("acc", account_id)
    async with connect(redis_url) as client:
        await rebuild(Lanes(RedisScripts(client)), worker_pool, route)
        assert await counters(client, route) == expected(sender_id)


async def test_what_was_granted_and_is_not_yet_in_postgres_stays_counted(sent, worker_pool, redis_url):
    """Counters only rise."""
    account_id, sender_id = sent
    async with connect(redis_url) as client:
        counts, route = DailyCounts(worker_pool, Lanes(RedisScripts(client))), encode("acc", account_id)
        await counts.restore(account_id)
        [name] = [n async for n in client.scan_iter(match=f"{key_prefix(route)}:d:s:{sender_id.hex}:*")]
        await client.set(name, 40)
        await counts.restore(account_id)
        assert int(await client.get(name)) == 40
