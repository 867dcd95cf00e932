"""When receipts usually come where countries are taken together: what alarms and cases call overdue."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.db.transaction import worker_transaction
from gateway.insight.baseline import usual_receipt_s
from gateway.insight.history import history
from tenants.ids import new_uuid
from tenants.scope import TenantScope

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
A_DAY_MS = 86_400_000
_HOUR = """
    INSERT INTO insight_hours (tenant_id, hour, country, type, unit, accepted, parts, dispatched, waiting,
        pending, delivered, undelivered, failed, expired, canceled, unknown, blocked, feedback_received,
        feedback_failed, spent, receipt_p50_ms, receipt_p95_ms)
    VALUES ($1, $2, $3, 'transactional', 'micros', $4, $4, $4, 0, 0, $4, 0, 0, 0, 0, 0, 0, 0, 0, 0, $5, $5)
"""


@pytest.fixture
def tenant() -> UUID:
    """Whose hours they are; nothing else of it matters here."""
    return new_uuid()


async def count(database: Any, tenant: UUID, *groups: tuple[str, int, int | None]) -> None:
    """Write an hour of each of eight weeks: country, messages delivered, and when 95 % of receipts came."""
    for week in range(1, 9):
        hour = NOW.replace(minute=0) - timedelta(weeks=week)
        for country, delivered, receipt_ms in groups:
            await database.execute(_HOUR, tenant, hour, country, delivered, receipt_ms)


async def usually(worker_engine: AsyncEngine, tenant: UUID, **narrowed: Any) -> float | None:
    """Return the seconds within which receipts come, as an alarm and a case ask for it."""
    wanted = {"country": None, "type_": None} | narrowed
    async with worker_transaction(worker_engine) as session:
        hours = await history(TenantScope(tenant_id=tenant), session, now=NOW, apart=False, **wanted)
    return usual_receipt_s(hours, at=NOW)


async def test_a_country_of_few_texts_does_not_say_when_the_receipts_of_all_are_overdue(
    database: Any, worker_engine: AsyncEngine, tenant: UUID
) -> None:
    """One text an hour whose receipt takes a day made an alarm on a thousand others wait for two."""
    await count(database, tenant, ("US", 1000, 5_000), ("GB", 400, 8_000), ("CD", 1, A_DAY_MS))
    assert await usually(worker_engine, tenant) == 8.0
    assert await usually(worker_engine, tenant, country="CD") is None, "of too few messages nothing is said"


async def test_a_country_of_many_texts_does(database: Any, worker_engine: AsyncEngine, tenant: UUID) -> None:
    """A tenth of all receipts takes a minute: fewer than 95 of a hundred come before it."""
    await count(database, tenant, ("US", 900, 5_000), ("IN", 100, 60_000), ("FR", 0, None))
    assert await usually(worker_engine, tenant) == 60.0


async def test_equally_fast_countries_count_together(
    database: Any, worker_engine: AsyncEngine, tenant: UUID
) -> None:
    """However they are ordered, all of them are within their time."""
    await count(database, tenant, *((country, 20, 7_000) for country in ("US", "GB", "FR", "DE", "NL")))
    assert await usually(worker_engine, tenant) == 7.0
