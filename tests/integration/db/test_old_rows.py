"""What was kept for long enough is deleted some at a time, so that a cut costs only what was under way."""

import asyncio
from datetime import timedelta

import pytest

from gateway.db.old_rows import delete_old

PARK = """
    INSERT INTO parked_receipts (event_key, reason, body_sealed, received_at)
    SELECT decode(md5($1 || n::text), 'hex'), 'unreadable', '', now() - $2::interval
    FROM generate_series(1, $3) AS n
"""
COUNT = "SELECT count(*) FROM parked_receipts"
A_DAY, A_MONTH = timedelta(days=1), timedelta(days=30)


async def test_old_rows_go_and_young_ones_stay(worker_pool):
    """However many there are."""
    await worker_pool.execute(PARK, "old", A_MONTH + A_DAY, 12_000)
    await worker_pool.execute(PARK, "young", A_DAY, 3)
    await delete_old(worker_pool, "parked_receipts", "received_at", kept_for=A_MONTH)
    assert await worker_pool.fetchval(COUNT) == 3
    await delete_old(worker_pool, "parked_receipts", "received_at")
    assert await worker_pool.fetchval(COUNT) == 0


async def test_what_was_deleted_before_a_cut_stays_deleted(worker_pool):
    """After a month without a scheduler, one statement for all would be begun again and again."""
    await worker_pool.execute(PARK, "old", A_MONTH, 12_000)
    async with worker_pool.acquire() as other, other.transaction():
        await other.fetch("SELECT FROM parked_receipts ORDER BY ctid DESC LIMIT 1 FOR UPDATE")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await delete_old(worker_pool, "parked_receipts", "received_at")
    assert 0 < await worker_pool.fetchval(COUNT) < 5_000
