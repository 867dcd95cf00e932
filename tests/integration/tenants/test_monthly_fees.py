"""Leases in the ledger: once a month, by the plan's policy, and never below zero."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.clock import FixedClock
from gateway.db.transaction import worker_transaction
from gateway.messages.leases import Leases
from tenants.accounts.plan import Fees, Plan
from tenants.credits import books, service
from tenants.credits.monthly_fees import lease_of
from tenants.credits.pricing import PriceLine, book_of
from tenants.scope import TenantScope
from tenants.senders import service as senders
from tenants.senders.service import AccountFacts, SenderFacts

NOW = datetime(2026, 11, 21, tzinfo=UTC)
CSV = "country,channel,sell_usd,cost_usd,credits,item\n*,sms,0.25,0.2,24,part\nUS,sms,3.00,2.00,5,lease\n"


async def tenant_with_a_number(
    worker: AsyncEngine, make_tenant, *, credit: int, **plan: object
) -> TenantScope:
    """A tenant of a book of its own that leases one number."""
    name = uuid4().hex[:12]
    scope: TenantScope = await make_tenant(plan=Plan(price_book=name, **plan))
    async with worker_transaction(worker) as session:
        await books.import_book(session, name, CSV, NOW)
        account = await senders.ensure_account(session, AccountFacts(region="us-east-1"))
        facts = SenderFacts(
            account_id=account.id,
            type="LONG_CODE",
            value="+12065550100",
            country="US",
            arn=f"arn:aws:sms-voice:us-east-1:123456789012:phone-number/phone-{name}",
            parts_per_second=1.0,
        )
        await senders.put_sender(scope, session, facts)
        if credit:
            await service.top_up(scope, session, amount=credit)
    return scope


async def one_round(worker: AsyncEngine) -> None:
    """What the scheduler does."""
    leases = Leases(worker, FixedClock(NOW))
    await leases.write_down()
    await leases.post()


async def fees_of(worker: AsyncEngine, scope: TenantScope) -> list[int]:
    """What was charged."""
    async with worker_transaction(worker) as session:
        return [
            entry.charged
            for entry in await service.ledger_page(scope, session, limit=10)
            if entry.kind == "fee"
        ]


@pytest.mark.parametrize(
    ("policy", "charged"), [("pass", [2_000_000]), ("mark_up", [3_000_000]), ("absorb", [])]
)
async def test_a_lease_is_charged_once_a_month_by_the_plans_policy(
    worker, make_tenant, policy, charged
) -> None:
    """However many schedulers run, however often."""
    scope = await tenant_with_a_number(worker, make_tenant, credit=10_000_000, fees=Fees(lease=policy))
    await asyncio.gather(*(one_round(worker) for _ in range(4)))
    await one_round(worker)
    assert await fees_of(worker, scope) == charged
    async with worker_transaction(worker) as session:
        assert (await service.balance(scope, session)).available == 10_000_000 - sum(charged)


async def test_a_lease_above_the_balance_waits_for_the_next_top_up(worker, make_tenant) -> None:
    """Never below zero, never forgotten."""
    scope = await tenant_with_a_number(worker, make_tenant, credit=1_999_999)
    await one_round(worker)
    assert await fees_of(worker, scope) == []
    async with worker_transaction(worker) as session:
        await service.top_up(scope, session, amount=1)
    await one_round(worker)
    await one_round(worker)
    assert await fees_of(worker, scope) == [2_000_000]
    async with worker_transaction(worker) as session:
        assert (await service.balance(scope, session)).available == 0
        posted = await session.scalar(
            text("SELECT sum(available + held) FROM ledger_transfers WHERE tenant_id = :id"),
            {"id": scope.tenant_id},
        )
    assert posted == 0


def test_a_credit_plan_pays_its_leases_in_credits_and_unpriced_senders_pay_none() -> None:
    """In the unit of the balance; a book without a lease asks for none."""
    lease = PriceLine(
        country="US",
        channel="sms",
        sell_micros=3,
        cost_micros=2,
        credits=5,
        item="lease",
        sender_type="TOLL_FREE",
    )
    assert lease_of(Plan(pricing="credits"), book_of([lease]), country="US", type_="TOLL_FREE") == 5
    assert lease_of(Plan(), book_of([lease]), country="US", type_="LONG_CODE") == 0
