"""The proof must fail where the books are wrong; a proof that always holds proves nothing."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from gateway.messages.reconcile import prove
from tenants.ids import created_at, new_uuid

Books = "asyncpg.Connection[asyncpg.Record]"


@pytest.fixture
async def books(database: "asyncpg.Pool[asyncpg.Record]") -> AsyncIterator[Any]:
    """The owner's connection, without the checks that normally keep such rows out."""
    async with database.acquire() as connection:
        yield connection
        for table in ("ledger_transfers", "messages", "usage_batches", "receipts", "balances", "tenants"):
            await connection.execute(f"DELETE FROM {table}")


async def tenant(books: Any, *, posted: int, held: int) -> UUID:
    """Add a tenant whose balance claims this."""
    tenant_id = uuid4()
    await books.execute(
        "INSERT INTO tenants (id, slug, name, model, countries, plan, data_key) "
        "VALUES ($1, $2, 'T', 2, '{}', '{}', '')",
        tenant_id,
        tenant_id.hex[:20],
    )
    await books.execute("INSERT INTO balances VALUES ($1, 'micros', $2, $3)", tenant_id, posted, held)
    return tenant_id


async def transfer(
    books: Any, tenant_id: UUID, kind: str, *, subject: UUID | None = None, **amounts: int
) -> None:
    """Add one row of the ledger."""
    subject = subject or new_uuid()
    columns = ("available", "held", "revenue", "funding", "adjustment")
    await books.execute(
        "INSERT INTO ledger_transfers (tenant_id, id, subject_id, subject_at, kind, unit, "
        f"{', '.join(columns)}) "
        "VALUES ($1, $2, $3, $4, $5, 'micros', $6, $7, $8, $9, $10)",
        tenant_id,
        new_uuid(),
        subject,
        created_at(subject),
        kind,
        *(amounts.get(name, 0) for name in columns),
    )


async def message(
    books: Any, tenant_id: UUID, *, price: int, final: int | None = None, test: bool = False
) -> UUID:
    """Add a message that claims this price."""
    message_id = new_uuid()
    await books.execute(
        """
        INSERT INTO messages (tenant_id, id, created_at, test, status, channel, type, country, recipient_hash,
            to_sealed, encoding, parts, unit, price_estimated, price_final, max_price_micros, sender_value,
            expires_at)
        VALUES ($1, $2, $3, $4, 'queued', 'sms', 'otp', 'US', '', '', 'GSM', 1, 'micros', $5, $6, 0, 'x',
            now())
        """,
        tenant_id,
        message_id,
        created_at(message_id),
        test,
        price,
        final,
    )
    return message_id


async def counted(books: Any, tenant_id: UUID, message_id: UUID, *, charged: int) -> None:
    """Add what a settlement leaves to be counted."""
    await books.execute(
        "INSERT INTO usage_batches (tenant_id, message_ids, message_ats, first, charged, cost_micros) "
        "VALUES ($1, $2, $3, '{t}', $4, '{0}')",
        tenant_id,
        [message_id],
        [created_at(message_id)],
        [charged],
    )


async def rules(pool: Any) -> set[str]:
    """Return the names of the proofs that fail."""
    return {difference.rule for difference in (await prove(pool)).differences}


async def test_books_that_agree_have_no_difference(books: Any, worker_pool: Any) -> None:
    """A top-up, a held message, a captured one and a free test message."""
    who = await tenant(books, posted=90, held=20)
    await transfer(books, who, "top_up", available=100, funding=-100)
    waiting = await message(books, who, price=20)
    await transfer(books, who, "hold", subject=waiting, available=-20, held=20)
    paid = await message(books, who, price=10, final=10)
    await transfer(books, who, "hold", subject=paid, available=-10, held=10)
    await transfer(books, who, "capture", subject=paid, held=-10, revenue=10)
    await counted(books, who, paid, charged=10)
    await message(books, who, price=5, test=True)
    proof = await prove(worker_pool)
    assert proof.differences == []
    assert (proof.tenants, proof.transfers, proof.messages) == (1, 4, 3)


async def test_a_balance_that_is_not_the_sum_of_its_transfers_is_found(books: Any, worker_pool: Any) -> None:
    """The cached balance is what sends are refused by."""
    who = await tenant(books, posted=101, held=0)
    await transfer(books, who, "top_up", available=100, funding=-100)
    assert await rules(worker_pool) == {"balance_is_sum_of_transfers"}


async def test_a_hold_without_its_message_is_found(books: Any, worker_pool: Any) -> None:
    """Money that is held for nothing would stay held for ever."""
    who = await tenant(books, posted=100, held=20)
    await transfer(books, who, "top_up", available=100, funding=-100)
    await transfer(books, who, "hold", available=-20, held=20)
    assert await rules(worker_pool) == {"held_is_sum_of_open_messages", "hold_is_of_an_open_message"}


async def test_a_message_charged_other_than_its_price_is_found(books: Any, worker_pool: Any) -> None:
    """The tenant's bill and the tenant's messages are the same list."""
    who = await tenant(books, posted=91, held=0)
    await transfer(books, who, "top_up", available=100, funding=-100)
    paid = await message(books, who, price=10, final=10)
    await transfer(books, who, "capture", subject=paid, available=-9, revenue=9)
    await counted(books, who, paid, charged=9)
    assert await rules(worker_pool) == {"charged_is_final_price"}


async def test_a_test_message_that_moved_money_is_found(books: Any, worker_pool: Any) -> None:
    """The sandbox is free."""
    who = await tenant(books, posted=90, held=0)
    await transfer(books, who, "top_up", available=100, funding=-100)
    free = await message(books, who, price=10, final=0, test=True)
    await transfer(books, who, "capture", subject=free, available=-10, revenue=10)
    assert await rules(worker_pool) == {"test_messages_cost_nothing"}


async def test_a_transfer_that_makes_money_is_found(books: Any, worker_pool: Any) -> None:
    """The CHECK keeps such a row out; the proof does not rely on it."""
    await books.execute("ALTER TABLE ledger_transfers DROP CONSTRAINT ck_ledger_transfers_balanced")
    who = await tenant(books, posted=100, held=0)
    await transfer(books, who, "top_up", available=100, funding=-99)
    assert await rules(worker_pool) == {"transfer_sums_to_zero", "ledger_sums_to_zero"}


async def test_usage_that_was_not_settled_is_found(books: Any, worker_pool: Any) -> None:
    """The bill is itemised from usage, so usage has to be the ledger over again."""
    who = await tenant(books, posted=90, held=0)
    await transfer(books, who, "top_up", available=100, funding=-100)
    paid = await message(books, who, price=10, final=10)
    await transfer(books, who, "hold", subject=paid, available=-10, held=10)
    await transfer(books, who, "capture", subject=paid, held=-10, revenue=10)
    assert await rules(worker_pool) == {"usage_is_what_was_settled"}
    await counted(books, who, paid, charged=10)
    assert await rules(worker_pool) == set()


async def test_a_price_of_aws_that_the_ledger_does_not_have_is_found(books: Any, worker_pool: Any) -> None:
    """Ledger = AWS prices: the greatest price and fee of each of AWS's ids, and nothing else."""
    who = await tenant(books, posted=0, held=0)
    sent = await message(books, who, price=0, final=0)
    for key, aws_id, price, fee in (("a", "1", 581, 300), ("b", "1", 302, 300), ("c", "2", 581, 0)):
        await books.execute(
            "INSERT INTO receipts (tenant_id, message_id, message_at, event_key, event_type, event_at, "
            "detail, provider_message_id, price_micros, fee_micros) "
            "VALUES ($1, $2, $3, $4, 'TEXT_DELIVERED', now(), '{}', $5, $6, $7)",
            who,
            sent,
            created_at(sent),
            key.encode(),
            aws_id,
            price,
            fee,
        )
    (difference,) = (await prove(worker_pool)).differences
    assert (difference.rule, difference.expected, difference.found) == (
        "cost_is_what_aws_charged",
        581 + 300 + 581,
        0,
    )
