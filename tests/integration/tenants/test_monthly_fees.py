"""Leases in the ledger: once a month, by the plan's policy, and never below zero."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.clock import FixedClock
from gateway.db.transaction import worker_transaction
from gateway.messages.leases import Leases
from tenants.accounts import service as accounts
from tenants.accounts.plan import Fees, Plan
from tenants.credits import books, fee_months, owed_fees, service
from tenants.credits.monthly_fees import lease_of
from tenants.credits.pricing import PriceLine, book_of
from tenants.credits.registration_fees import post_registration_fee
from tenants.errors import Conflict, InvalidInput, NotFound
from tenants.scope import TenantScope
from tenants.senders import service as senders
from tenants.senders.models import Sender
from tenants.senders.service import AccountFacts, SenderFacts

NOW = datetime(2026, 11, 21, tzinfo=UTC)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
CSV = (
    "country,channel,sell_usd,cost_usd,credits,item\n*,sms,0.25,0.2,24,part\nUS,sms,3.00,2.00,5,lease\n"
    "US,sms,10.00,4.00,50,registration\n"
)


async def tenant_with_a_number(
    worker: AsyncEngine,
    make_tenant,
    *,
    credit: int,
    since: datetime = LONG_AGO,
    priced: datetime = NOW,
    **plan: object,
) -> TenantScope:
    """A tenant of a book of its own that leases one number."""
    name = uuid4().hex[:12]
    scope: TenantScope = await make_tenant(plan=Plan(price_book=name, **plan))
    async with worker_transaction(worker) as session:
        await books.import_book(session, name, CSV, priced)
        account = await senders.ensure_account(session, AccountFacts(region="us-east-1"))
        facts = SenderFacts(
            account_id=account.id,
            type="LONG_CODE",
            value="+12065550100",
            country="US",
            arn=f"arn:aws:sms-voice:us-east-1:123456789012:phone-number/phone-{name}",
            parts_per_second=1.0,
        )
        sender = await senders.put_sender(scope, session, facts)
        sender.created_at = since
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


@pytest.mark.parametrize(
    ("since", "prorate", "charged"),
    [
        (datetime(2026, 11, 1, tzinfo=UTC), "start", 2_000_000),
        (datetime(2026, 11, 16, 23, 59, tzinfo=UTC), "start", 1_000_000),
        (datetime(2026, 11, 30, tzinfo=UTC), "start", 66_667),
        (datetime(2026, 11, 30, tzinfo=UTC), "none", 2_000_000),
    ],
)
async def test_a_lease_that_begins_in_the_middle_of_a_month_costs_its_days(
    worker, make_tenant, since, prorate, charged
) -> None:
    """By days in UTC, the first one included, rounded up to a micro-dollar."""
    scope = await tenant_with_a_number(
        worker, make_tenant, credit=10**7, since=since, fees=Fees(prorate=prorate)
    )
    await one_round(worker)
    assert await fees_of(worker, scope) == [charged]


async def release(worker: AsyncEngine, scope: TenantScope, at: datetime) -> None:
    """Let the tenant's only number go."""
    async with worker_transaction(worker) as session:
        (row,) = (await session.scalars(select(Sender).where(Sender.tenant_id == scope.tenant_id))).all()
        row.state = "released"
        await session.flush()
        assert row.released_at is None
        await session.refresh(row)
        assert row.released_at is not None
        row.released_at = at


@pytest.mark.parametrize("credit", [10**7, 10])
@pytest.mark.parametrize(("prorate", "net"), [("both", 400_000), ("start", 2_000_000)])
async def test_a_number_released_in_the_middle_of_a_month_gives_back_the_rest(
    worker, make_tenant, credit, prorate, net
) -> None:
    """Where the plan says so: what was charged by an entry of its own, what was not yet by a lower fee."""
    scope = await tenant_with_a_number(worker, make_tenant, credit=credit, fees=Fees(prorate=prorate))
    await one_round(worker)
    await release(worker, scope, datetime(2026, 11, 6, tzinfo=UTC))
    for _ in range(3):
        await one_round(worker)
    async with worker_transaction(worker) as session:
        await service.top_up(scope, session, amount=10**7)
    await one_round(worker)
    assert sum(await fees_of(worker, scope)) == net
    async with worker_transaction(worker) as session:
        found = await owed_fees.page(scope, session, limit=10)
        assert {fee.state for fee in found} == {"charged"}
        assert (await service.balance(scope, session)).available == credit + 10**7 - net


async def take_again(worker: AsyncEngine, scope: TenantScope, at: datetime) -> None:
    """Let the tenant's only number, which was released, be its again."""
    async with worker_transaction(worker) as session:
        (row,) = (await session.scalars(select(Sender).where(Sender.tenant_id == scope.tenant_id))).all()
        gone_at = row.released_at
        row.state = "active"
        await session.flush()
        await session.refresh(row)
        assert (row.released_at, row.let_go_at) == (None, gone_at)
        row.retaken_at = at


async def steps(worker: AsyncEngine, scope: TenantScope, days: list[int], *, rounds: bool) -> None:
    """Release the number on the first of the days, take it again on the second, and so on."""
    for place, day in enumerate(days):
        step = release if place % 2 == 0 else take_again
        await step(worker, scope, datetime(2026, 11, day, 12, tzinfo=UTC))
        if rounds:
            await one_round(worker)
            await one_round(worker)


@pytest.mark.parametrize("rounds", [True, False])
@pytest.mark.parametrize("credit", [10**7, 10])
@pytest.mark.parametrize(
    ("days", "leased"), [([6, 16], 21), ([6, 16, 20], 11), ([6, 7], 30), ([6, 6], 30), ([6, 6, 6], 6)]
)
async def test_a_number_taken_again_pays_the_days_it_was_leased_and_no_other(
    worker, make_tenant, rounds, credit, days, leased
) -> None:
    """Whether the scheduler saw the break or not, and whether the fees were covered meanwhile or not."""
    scope = await tenant_with_a_number(worker, make_tenant, credit=credit, fees=Fees(prorate="both"))
    await one_round(worker)
    await steps(worker, scope, days, rounds=rounds)
    for _ in range(2):
        await one_round(worker)
    async with worker_transaction(worker) as session:
        await service.top_up(scope, session, amount=10**7)
    await one_round(worker)
    net = sum(await fees_of(worker, scope))
    assert 0 <= net - leased * 2_000_000 / 30 <= 4  # each of the entries is rounded up
    assert net <= 2_000_000


async def test_many_breaks_of_a_lease_never_cost_more_than_the_whole_month(worker, make_tenant) -> None:
    """In credits, where every share is rounded up to a whole one."""
    scope = await tenant_with_a_number(
        worker, make_tenant, credit=100, pricing="credits", fees=Fees(prorate="both")
    )
    await one_round(worker)
    await steps(worker, scope, [1, 3, 4, 6, 7, 9, 10, 12], rounds=True)
    assert sum(await fees_of(worker, scope)) == 5


async def test_a_number_released_in_one_month_and_taken_again_in_the_next_begins_there(
    worker, make_tenant
) -> None:
    """It was nobody's for the first days of the month, however long ago it came to the tenant."""
    scope = await tenant_with_a_number(worker, make_tenant, credit=10**7, fees=Fees(prorate="start"))
    await release(worker, scope, datetime(2026, 10, 6, tzinfo=UTC))
    await one_round(worker)
    assert await fees_of(worker, scope) == []
    await take_again(worker, scope, datetime(2026, 11, 16, tzinfo=UTC))
    await one_round(worker)
    assert await fees_of(worker, scope) == [1_000_000]


async def test_a_number_that_came_and_went_between_two_rounds_is_charged_for_its_days(
    worker, make_tenant
) -> None:
    """AWS has charged for it, too. 3 days of 29 of what 29 days of 30 cost, each rounded up."""
    since = datetime(2026, 11, 2, tzinfo=UTC)
    scope = await tenant_with_a_number(
        worker, make_tenant, credit=10**7, since=since, fees=Fees(prorate="both")
    )
    await release(worker, scope, datetime(2026, 11, 4, tzinfo=UTC))
    await one_round(worker)
    await one_round(worker)
    assert sum(await fees_of(worker, scope)) == 200_001


@pytest.mark.parametrize(
    ("type_", "charged"),
    [("TOLL_FREE", [666_667]), ("TEN_DLC", [666_667]), ("SENDER_ID", []), ("SHORT_CODE", [])],
)
async def test_a_number_costs_from_its_request_on(worker, make_tenant, type_, charged) -> None:
    """AWS charges it while its registration is reviewed; sender ids and short codes once they are there."""
    since = datetime(2026, 11, 21, tzinfo=UTC)
    scope = await tenant_with_a_number(worker, make_tenant, credit=10**7, since=since)
    async with worker_transaction(worker) as session:
        own = update(Sender).where(Sender.tenant_id == scope.tenant_id)
        await session.execute(own.values(type=type_, state="pending"))
    await one_round(worker)
    assert await fees_of(worker, scope) == charged
    async with worker_transaction(worker) as session:
        await session.execute(own.values(state="active"))
    await one_round(worker)
    assert await fees_of(worker, scope) == [666_667]


async def test_a_live_tenant_pays_the_platforms_fee_once_a_month(worker, make_tenant) -> None:
    """In every model, by days in the month in which it was created, and not before it is live."""
    scope = await make_tenant(plan=Plan(monthly_fee="30.00"))
    async with worker_transaction(worker) as session:
        await service.top_up(scope, session, amount=10**8)
        tenant = await accounts.get(scope, session)
        tenant.created_at = datetime(2026, 10, 22, tzinfo=UTC)
    await one_round(worker)
    assert await fees_of(worker, scope) == []
    async with worker_transaction(worker) as session:
        await accounts.set_live(scope, session, live=True)
    for day in (datetime(2026, 10, 31, tzinfo=UTC), NOW):
        for _ in range(2):
            fees = Leases(worker, FixedClock(day))
            await fees.write_down()
            await fees.post()
    assert sorted(await fees_of(worker, scope)) == [9_677_420, 30_000_000]


@pytest.mark.parametrize(
    ("policy", "charged"), [("pass", 4_000_000), ("mark_up", 10_000_000), ("absorb", None)]
)
async def test_a_registration_is_charged_once_by_the_plans_policy(
    worker, make_tenant, policy, charged
) -> None:
    """However many at once ask for it, and whatever month it is meanwhile."""
    scope = await tenant_with_a_number(
        worker, make_tenant, credit=10**8, fees=Fees(registration=policy, lease="absorb")
    )
    subject = uuid4()

    async def ask(now: datetime) -> owed_fees.Fee | None:
        async with worker_transaction(worker) as session:
            return await post_registration_fee(
                scope, session, subject_id=subject, country="US", type_="TEN_DLC", name="campaign 1", now=now
            )

    answers = await asyncio.gather(*(ask(NOW) for _ in range(4)))
    answers.append(await ask(datetime(2026, 12, 1, tzinfo=UTC)))
    assert {None if each is None else (each.amount, each.state) for each in answers} == {
        None if charged is None else (charged, "charged")
    }
    assert await fees_of(worker, scope) == ([] if charged is None else [charged])


async def test_a_registration_above_the_balance_stays_open_and_can_be_waived(worker, make_tenant) -> None:
    """Waived it is never charged; charged it can no longer be waived."""
    scope = await tenant_with_a_number(worker, make_tenant, credit=10, fees=Fees(lease="absorb"))
    made = []
    async with worker_transaction(worker) as session:
        for number in range(2):
            fee = await post_registration_fee(
                scope,
                session,
                subject_id=uuid4(),
                country="US",
                type_="TEN_DLC",
                name=f"campaign {number}",
                now=NOW,
            )
            made.append(fee)
    assert [fee.state for fee in made] == ["open", "open"]
    async with worker_transaction(worker) as session:
        for _ in range(2):
            waived = await owed_fees.waive(scope, session, made[0].id, reason="goodwill")
            assert (waived.state, waived.waived_why) == ("waived", "goodwill")
        await service.top_up(scope, session, amount=10**8)
    await one_round(worker)
    assert await fees_of(worker, scope) == [4_000_000]
    async with worker_transaction(worker) as session:
        with pytest.raises(Conflict, match="already"):
            await owed_fees.waive(scope, session, made[1].id, reason="goodwill")
        with pytest.raises(NotFound):
            await owed_fees.waive(TenantScope(tenant_id=uuid4()), session, made[1].id, reason="goodwill")


async def test_a_pricing_in_another_unit_waits_until_no_fee_is_open(worker, make_tenant) -> None:
    """No balance in credits ever pays a fee in dollars: it would be owed for ever."""
    scope = await tenant_with_a_number(worker, make_tenant, credit=0)
    await one_round(worker)
    async with worker_transaction(worker) as session:
        with pytest.raises(InvalidInput) as refused:
            await accounts.update_plan(scope, session, {"pricing": "credits"})
        assert (refused.value.field, refused.value.code) == ("/plan/pricing", "fees_open")
        (fee,) = await owed_fees.page(scope, session, limit=10)
        await owed_fees.waive(scope, session, fee.id, reason="moves to credits")
        await accounts.update_plan(scope, session, {"pricing": "credits"})
        assert (await service.balance(scope, session)).unit == "credits"


@pytest.fixture
async def last_round(worker):
    """A function that says when the last round was; the others of this module begin anew."""

    async def say(until: datetime | None) -> None:
        async with worker_transaction(worker) as session:
            await session.execute(
                text(
                    "INSERT INTO fee_rounds VALUES ('monthly', :until) ON CONFLICT (name) DO UPDATE "
                    "SET until = :until"
                ),
                {"until": until},
            )

    yield say
    await say(NOW)


async def owed(worker: AsyncEngine, scope: TenantScope) -> dict[tuple[str, int], int]:
    """What was written down, by item and month."""
    async with worker_transaction(worker) as session:
        found = await owed_fees.page(scope, session, limit=50)
    assert len({(fee.item, fee.month, fee.subject_id) for fee in found}) == len(found)
    return {(fee.item, fee.month.month): fee.amount for fee in found}


async def test_months_in_which_no_scheduler_ran_are_charged_once_when_one_does(
    worker, make_tenant, last_round
) -> None:
    """However long it was away, and however many come back at once; each month at its own prices."""
    since = datetime(2026, 8, 17, tzinfo=UTC)
    scope = await tenant_with_a_number(worker, make_tenant, credit=10**8, since=since, priced=LONG_AGO)
    async with worker_transaction(worker) as session:
        plan = (await accounts.get(scope, session)).plan
        dearer = CSV.replace("2.00,5,lease", "5.00,5,lease")
        await books.import_book(session, plan["price_book"], dearer, datetime(2026, 9, 30, tzinfo=UTC))
    await last_round(datetime(2026, 8, 17, 12, tzinfo=UTC))
    await asyncio.gather(*(one_round(worker) for _ in range(3)))
    await one_round(worker)
    written = await owed(worker, scope)
    assert written == {
        ("lease", 8): 967_742,
        ("lease", 9): 2_000_000,
        ("lease", 10): 5_000_000,
        ("lease", 11): 5_000_000,
    }
    assert sorted(await fees_of(worker, scope)) == sorted(written.values())


async def test_a_missed_month_is_charged_to_those_alone_who_were_there(
    worker, make_tenant, last_round
) -> None:
    """A number leased since, one let go before, and a tenant that went live since owe nothing for it."""
    there, late, gone = [
        await tenant_with_a_number(
            worker, make_tenant, credit=10**8, since=since, priced=LONG_AGO, fees=Fees(prorate="both")
        )
        for since in (LONG_AGO, datetime(2026, 11, 1, tzinfo=UTC), LONG_AGO)
    ]
    await release(worker, gone, datetime(2026, 9, 15, tzinfo=UTC))
    lively = await make_tenant(plan=Plan(monthly_fee="30.00"))
    async with worker_transaction(worker) as session:
        for scope in (there, lively):
            (await accounts.get(scope, session)).created_at = LONG_AGO
        await accounts.set_live(lively, session, live=True)
        await session.execute(
            text('UPDATE tenants SET live = true, plan = plan || \'{"monthly_fee": "9"}\' WHERE id = :id'),
            {"id": there.tenant_id},
        )
    await last_round(datetime(2026, 9, 30, 23, 30, tzinfo=UTC))
    await one_round(worker)
    await one_round(worker)
    assert set(await owed(worker, there)) == {
        *(("lease", month) for month in (9, 10, 11)),
        *(("platform", month) for month in (9, 10, 11)),
    }
    assert set(await owed(worker, late)) == {("lease", 11)}
    assert await owed(worker, gone) == {("lease", 9): 1_000_000}
    assert set(await owed(worker, lively)) == {("platform", 11)}


async def test_the_first_round_of_all_charges_no_month_before_it(worker, last_round) -> None:
    """What was before these books were kept is not theirs to charge; an hour's overlap counts later on."""
    new_year = datetime(2027, 1, 1, 0, 10, tzinfo=UTC)
    january, december = new_year.date(), datetime(2026, 12, 1, tzinfo=UTC).date()
    async with worker_transaction(worker) as session:
        await session.execute(text("UPDATE fee_rounds SET name = 'another' WHERE name = 'monthly'"))
        assert await fee_months.months_due(session, new_year) == [january]
        assert await fee_months.months_due(session, new_year) == [december, january]
        await session.rollback()
