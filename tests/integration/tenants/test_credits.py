"""Money in Postgres: every movement is a balanced row, and no race takes what is not there."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.db.transaction import tenant_transaction, worker_transaction
from tenants.audit import store as audit
from tenants.credits import book, service, store
from tenants.credits.pricing import PriceLine
from tenants.errors import Conflict, InvalidInput, NotFound
from tenants.scope import TenantScope


async def hold(engine: AsyncEngine, scope: TenantScope, amount: int) -> None:
    async with worker_transaction(engine) as session:
        balance = await store.lock_balance(scope, session)
        assert balance is not None
        balance.held += amount


async def test_a_top_up_is_a_transfer_a_balance_and_an_audit_row(
    worker: AsyncEngine, tenant: TenantScope
) -> None:
    """The three always tell the same story."""
    async with worker_transaction(worker) as session:
        entry = await service.top_up(tenant, session, amount=12_500_000, note="invoice 7")
    async with worker_transaction(worker) as session:
        balance = await service.balance(tenant, session)
        (listed,) = await service.ledger_page(tenant, session, limit=10)
        note = (await audit.page(tenant, session, limit=1))[0]
    assert (balance.available_text, balance.held_text, balance.unit) == ("12.50", "0.00", "micros")
    assert listed.id == entry.id
    assert listed.id.startswith("led_")
    assert (listed.kind, listed.available, listed.note) == ("top_up", 12_500_000, "invoice 7")
    assert listed.message_id is None
    assert (note.action, note.subject) == ("credits.top_up", entry.id)
    assert note.detail == {"amount": "12.50", "unit": "micros"}


async def test_credits_are_shown_as_whole_numbers(worker: AsyncEngine, credit_tenant: TenantScope) -> None:
    """Their tenants think in messages."""
    async with worker_transaction(worker) as session:
        await service.top_up(credit_tenant, session, amount=250)
        balance = await service.balance(credit_tenant, session)
    assert (balance.unit, balance.available, balance.available_text) == ("credits", 250, "250")


async def test_an_adjustment_takes_only_what_is_available(worker: AsyncEngine, tenant: TenantScope) -> None:
    """What is held belongs to messages under way."""
    async with worker_transaction(worker) as session:
        await service.top_up(tenant, session, amount=100)
    await hold(worker, tenant, 40)
    async with worker_transaction(worker) as session:
        with pytest.raises(Conflict) as refusal:
            await service.adjust(tenant, session, amount=-61)
        assert refusal.value.code == "insufficient_credits"
        await service.adjust(tenant, session, amount=-60)
        balance = await service.balance(tenant, session)
    assert (balance.available, balance.held) == (0, 40)


@pytest.mark.parametrize("amount", [0, -1])
async def test_a_top_up_adds_something(worker: AsyncEngine, tenant: TenantScope, amount: int) -> None:
    """Taking away has its own name."""
    async with worker_transaction(worker) as session:
        with pytest.raises(InvalidInput):
            await service.top_up(tenant, session, amount=amount)


async def test_an_adjustment_by_nothing_and_an_endless_note_are_refused(
    worker: AsyncEngine, tenant: TenantScope
) -> None:
    """A ledger row is for good, so it should say something, briefly."""
    async with worker_transaction(worker) as session:
        with pytest.raises(InvalidInput):
            await service.adjust(tenant, session, amount=0)
        with pytest.raises(InvalidInput):
            await service.top_up(tenant, session, amount=1, note="a" * 501)


async def test_a_balance_does_not_outgrow_its_column(worker: AsyncEngine, tenant: TenantScope) -> None:
    """A refusal in words, not a numeric overflow."""
    async with worker_transaction(worker) as session:
        await service.top_up(tenant, session, amount=10**18)
        with pytest.raises(Conflict):
            await service.top_up(tenant, session, amount=1)


async def test_a_tenant_that_does_not_exist_has_no_balance(worker: AsyncEngine) -> None:
    """Not zero: absent."""
    nobody = TenantScope(tenant_id=uuid4())
    async with worker_transaction(worker) as session:
        for command in (service.balance(nobody, session), service.top_up(nobody, session, amount=1)):
            with pytest.raises(NotFound):
                await command


async def test_64_movements_at_once_never_take_more_than_there_is(
    worker: AsyncEngine, tenant: TenantScope
) -> None:
    """The lock decides who is last; the ledger and the cached balance agree in the end."""
    async with worker_transaction(worker) as session:
        await service.top_up(tenant, session, amount=100)
    lowest: list[int] = []

    async def move(number: int) -> int:
        async with worker_transaction(worker) as session:
            if number % 4 == 0:
                return (await service.top_up(tenant, session, amount=10)).available
            taken = (await service.adjust(tenant, session, amount=-25)).available
            lowest.append((await service.balance(tenant, session)).available)
            return taken

    outcomes = await asyncio.gather(*(move(number) for number in range(64)), return_exceptions=True)
    moved = [outcome for outcome in outcomes if isinstance(outcome, int)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, Conflict)]
    async with worker_transaction(worker) as session:
        balance = await service.balance(tenant, session)
        entries = await service.ledger_page(tenant, session, limit=100)
    assert len(moved) + len(refused) == 64
    assert refused
    assert min(lowest) >= 0
    assert balance.available == 100 + sum(moved) == sum(entry.available for entry in entries)


async def test_the_ledger_is_paged_newest_first_and_each_entry_comes_once(
    worker: AsyncEngine, tenant: TenantScope
) -> None:
    """Whatever the size of the page."""
    async with worker_transaction(worker) as session:
        made = [(await service.top_up(tenant, session, amount=n)).id for n in range(1, 8)]
        paged: list[service.LedgerEntry] = []
        while rows := await service.ledger_page(
            tenant, session, limit=3, after=paged[-1].cursor if paged else None
        ):
            paged += rows
    assert [entry.id for entry in paged] == sorted(made, reverse=True)


@pytest.mark.parametrize("cursor", ["", "led_1", "led_01K3ZQ4V7N8R9T0W2Y4A6C8E0G.top_up.x", "msg_x.hold.0"])
async def test_what_is_no_cursor_of_the_ledger_is_refused(
    worker: AsyncEngine, tenant: TenantScope, cursor: str
) -> None:
    """A cursor comes from outside."""
    async with worker_transaction(worker) as session:
        with pytest.raises(InvalidInput) as refusal:
            await service.ledger_page(tenant, session, limit=3, after=cursor)
    assert refusal.value.field == "?after"


async def test_no_role_changes_a_ledger_row_and_no_tenant_writes_one(
    app: AsyncEngine, worker: AsyncEngine, tenant: TenantScope
) -> None:
    """Not even by its own hand: the grants say so, not the code."""
    async with worker_transaction(worker) as session:
        await service.top_up(tenant, session, amount=5)
    for statement in ("UPDATE ledger_transfers SET note = 'x'", "DELETE FROM ledger_transfers"):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with worker_transaction(worker) as session:
                await session.execute(text(statement))
    with pytest.raises(DBAPIError, match="permission denied"):
        async with tenant_transaction(app, tenant) as session:
            await service.top_up(tenant, session, amount=5)


async def test_a_strangers_money_is_invisible(
    app: AsyncEngine, worker: AsyncEngine, tenant: TenantScope, stranger: TenantScope
) -> None:
    """Balance and ledger alike."""
    async with worker_transaction(worker) as session:
        await service.top_up(tenant, session, amount=5)
    async with tenant_transaction(app, stranger) as session:
        assert await store.balance(tenant, session) is None
        assert await store.ledger_page(tenant, session, limit=10) == []
        assert (await service.balance(stranger, session)).available == 0


async def test_the_example_prices_are_loaded_once_and_yield_to_real_ones(
    app: AsyncEngine, worker: AsyncEngine, tenant: TenantScope
) -> None:
    """Two processes may start at once; an operator's own line wins whenever it begins."""

    async def load() -> int:
        async with worker_transaction(worker) as session:
            return await book.load_example_book(session)

    now = datetime.now(UTC)
    added = await asyncio.gather(*(load() for _ in range(4)))
    own = PriceLine(country="US", channel="sms", sell_micros=9_000, cost_micros=5_000, credits=2)
    async with worker_transaction(worker) as session:
        assert await store.add_prices(session, [own], valid_from=now) == 1
        assert await store.add_prices(session, [own], valid_from=now) == 0
        assert await store.add_prices(session, [], valid_from=now) == 0
    assert sum(added) == len(list(book.example_lines()))
    assert await load() == 0
    async with tenant_transaction(app, tenant) as session:
        before = await store.price_book(session, now - timedelta(seconds=1))
        after = await store.price_book(session, now)
    assert before == book.example_book()
    assert after.line("US", "sms") == own
    assert after.line("FR", "sms") == before.line("FR", "sms")
