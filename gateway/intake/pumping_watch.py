"""The round that looks for countries with unusual traffic and says so in the tenants' policies."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import structlog

from gateway.admission.suspicion import Traffic, reasons_of
from gateway.clock import Clock
from gateway.telemetry import metrics
from tenants.tables import HotConnection

_log = structlog.get_logger(__name__)

_ONE_AT_A_TIME: Final = "SELECT pg_try_advisory_xact_lock(hashtextextended('tollgate.pumping', 0))"
_JUDGED_WITHIN: Final = timedelta(hours=3)
"""Feedback that is overdue counts after an hour, so two hours of messages are judged whole."""
_MIX: Final = """
    SELECT tenant_id, country,
        coalesce(sum(messages) FILTER (WHERE day >= $1::date - 1), 0)::bigint AS now,
        coalesce(sum(messages) FILTER (WHERE day < $1::date - 1), 0)::bigint AS before
    FROM usage_days WHERE day >= $1::date - 29 AND type IN ('otp', 'transactional')
    GROUP BY tenant_id, country
"""
_COMPLETION: Final = """
    SELECT tenant_id, country, count(*) AS judged, count(*) FILTER (WHERE feedback = 'received') AS received
    FROM messages
    WHERE feedback IN ('received', 'failed') AND created_at >= $1 AND NOT test
        AND type IN ('otp', 'transactional')
    GROUP BY tenant_id, country
"""
_KNOWN: Final = "SELECT tenant_id, country, reasons FROM pumping_suspicions"
_WRITE: Final = """
    INSERT INTO pumping_suspicions AS known (tenant_id, country, reasons) VALUES ($1, $2, $3)
    ON CONFLICT (tenant_id, country) DO UPDATE SET reasons = excluded.reasons
"""
_DROP: Final = "DELETE FROM pumping_suspicions WHERE tenant_id = $1 AND country = $2"
_FORGET: Final = "DELETE FROM pumping_holds WHERE until < $1"

Key = tuple[UUID, str]


class PumpingWatch:
    """One round at a time; any number of schedulers may run one."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def look(self) -> int:
        """Judge every country of every tenant; return how many judgements changed."""
        now = self._clock.now()
        async with self._pool.acquire() as connection, connection.transaction():
            if not await connection.fetchval(_ONE_AT_A_TIME):
                return 0
            mix = await connection.fetch(_MIX, now.date())
            completion = await connection.fetch(_COMPLETION, now - _JUDGED_WITHIN)
            found = unusual([dict(row) for row in (*mix, *completion)])
            changed = await _write(connection, found)
        metrics.PUMPING_SUSPICIONS.set(len(found))
        return changed

    async def forget(self) -> None:
        """Delete holds that have ended."""
        await self._pool.execute(_FORGET, self._clock.now())


def unusual(rows: Iterable[Mapping[str, Any]]) -> dict[Key, list[str]]:
    """Return the reasons of every country that has one; `rows` are parts of `Traffic` with their key."""
    countries: defaultdict[Key, dict[str, int]] = defaultdict(dict)
    tenants: defaultdict[UUID, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        for name in Traffic.__struct_fields__:
            if name in row:
                countries[row["tenant_id"], row["country"]][name] = row[name]
                tenants[row["tenant_id"]][name] += row[name]
    judged: dict[Key, list[str]] = {
        key: list[str](reasons_of(Traffic(**parts), Traffic(**tenants[key[0]])))
        for key, parts in countries.items()
    }
    return {key: reasons for key, reasons in judged.items() if reasons}


async def _write(connection: HotConnection, found: Mapping[Key, list[str]]) -> int:
    """Write what changed and nothing else: each write is a new policy of its tenant."""
    known = {(row["tenant_id"], row["country"]): row["reasons"] for row in await connection.fetch(_KNOWN)}
    news = sorted(key for key, reasons in found.items() if known.get(key) != reasons)
    over = sorted(known.keys() - found.keys())
    for tenant_id, country in news:
        await connection.execute(_WRITE, tenant_id, country, found[tenant_id, country])
        _log.warning(
            "pumping_country_unusual",
            tenant_id=str(tenant_id),
            country=country,
            reasons=found[tenant_id, country],
        )
    for tenant_id, country in over:
        await connection.execute(_DROP, tenant_id, country)
    return len(news) + len(over)
