"""
The daily counters of senders and campaigns, kept true by what Postgres knows.

A grant counts at once, whatever the recipient's carrier is, because nobody knows it then. A receipt names the
carrier: where it is not one that counts towards the ceiling, its parts are given back. And a Redis that lost
its memory gets the day's count again, before a rebuild lets the first message go.
"""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

import asyncpg
import structlog
from msgspec import Struct

from gateway.lanes.entry import IN_PACIFIC_TIME
from gateway.lanes.errors import RedisUnavailable
from gateway.lanes.lanes import Lanes, key_prefix
from gateway.lanes.quotas import OWN_CAP, sender_gates
from gateway.lanes.scripts import Argument, read_script
from tenants.ids import encode
from tenants.senders.quotas import CampaignFacts, QuotaOf
from tenants.tables import HotConnection

_log = structlog.get_logger(__name__)

COUNTING_CARRIERS: Final = "t-?mobile|sprint|metro"
"""T-Mobile's networks, which its daily ceiling is for; what AWS calls carriers is free text."""
_LIFE_MS: Final = 2 * 86_400_000
_RAISE: Final = read_script("gateway.lanes", "structure.lua", "daily.lua")
_SENT: Final = """
    WITH midnights AS (
        SELECT date_trunc('day', now(), 'UTC') AS utc,
            date_trunc('day', now(), 'America/Los_Angeles') AS pacific
    ), today AS (
        SELECT utc, pacific, least(utc, pacific) AS began, (utc AT TIME ZONE 'UTC')::date AS utc_date,
            (pacific AT TIME ZONE 'America/Los_Angeles')::date AS pacific_date
        FROM midnights
    )
    SELECT t.utc_date - date '1970-01-01' AS utc_day, t.pacific_date - date '1970-01-01' AS pacific_day,
        m.account_id, s.identity, m.country, s.type, q.parts_per_day AS own, c.campaign_id, c.brand_id,
        c.use_case, c.vetting_score, c.parts_per_second, c.parts_per_day,
        coalesce(sum(m.parts) FILTER (WHERE m.dispatched_at >= t.utc), 0)::bigint AS utc_parts,
        coalesce(sum(m.parts) FILTER (WHERE m.dispatched_at >= t.pacific), 0)::bigint AS pacific_parts,
        coalesce(sum(m.parts) FILTER (WHERE m.dispatched_at >= t.pacific AND m.carrier !~* $1), 0)::bigint
            AS elsewhere
    FROM today t CROSS JOIN sender_quotas q
    JOIN senders s ON s.tenant_id = q.tenant_id AND s.id = q.sender_id
    JOIN messages m ON m.tenant_id = q.tenant_id AND m.sender_id = q.sender_id
    LEFT JOIN campaigns c ON c.tenant_id = q.tenant_id AND c.campaign_id = q.campaign_id
    WHERE m.created_at >= t.began - interval '3 days' AND m.dispatched_at >= t.began AND NOT m.test
        AND m.channel <> 'voice'
        AND m.id >= (lpad(to_hex((extract(epoch FROM t.began - interval '3 days') * 1000)::bigint), 12, '0')
            || repeat('0', 20))::uuid
        AND m.account_id IS NOT NULL AND (q.parts_per_day IS NOT NULL OR q.campaign_id IS NOT NULL)
        AND ($2::uuid IS NULL OR m.account_id = $2)
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13
"""
"""
A message lives for three days at most, so what leaves today was accepted in that time.

The bound on `id`, a UUIDv7, says the same again in words that the primary key (tenant, id, time) can search
by: what is read are those days of the capped tenants, not the month. An index of its own would cost each
message another write, and the changes of its state their cheap form.
"""


class _Used(Struct):
    """Parts of a cap's day, and those of them that carriers have which do not count them."""

    day: int
    parts: int = 0
    elsewhere: int = 0


class _Today(Struct):
    caps: dict[str, _Used]
    channels: set[bytes]


class DailyCounts:
    """Any number of processes may do this; counters only rise."""

    def __init__(self, database: "HotConnection | asyncpg.Pool[asyncpg.Record]", lanes: Lanes) -> None:
        self._database = database
        self._lanes = lanes

    async def restore(self, account_id: UUID | None = None) -> int:
        """Raise the counters of one account, or of all; returns how many changed."""
        rows = await self._database.fetch(_SENT, COUNTING_CARRIERS, account_id)
        changed = 0
        for route, today in _by_route(rows).items():
            try:
                changed += await self._raise(route, today)
            except RedisUnavailable as error:
                _log.warning("day_not_restored", route=route, error=str(error))
        return changed

    async def _raise(self, route: str, today: _Today) -> int:
        now: Argument = "" if self._lanes.clock_us is None else self._lanes.clock_us()
        arguments: list[Argument] = [_LIFE_MS, now, len(today.caps)]
        for name, used in today.caps.items():
            arguments += (name, used.day, used.parts, used.elsewhere)
        arguments += today.channels
        return int((await self._lanes.scripts.run(_RAISE, key_prefix(route), arguments))[0])


def _by_route(rows: Iterable[asyncpg.Record]) -> dict[str, _Today]:
    routes: dict[str, _Today] = {}
    for row in rows:
        today = routes.setdefault(encode("acc", row["account_id"]), _Today({}, set()))
        today.channels.add(row["identity"].bytes + row["country"].encode("ascii"))
        for name in _cap_names(row):
            whose = "pacific" if name.startswith(IN_PACIFIC_TIME) else "utc"
            used = today.caps.setdefault(name, _Used(row[f"{whose}_day"]))
            used.parts += row[f"{whose}_parts"]
            used.elsewhere += 0 if name.startswith(OWN_CAP) else row["elsewhere"]
    return routes


def _cap_names(row: asyncpg.Record) -> list[str]:
    """Name the caps as the claims do."""
    campaign = None
    if row["campaign_id"] is not None:
        campaign = CampaignFacts(
            campaign_id=row["campaign_id"],
            brand_id=row["brand_id"],
            use_case=row["use_case"],
            vetting_score=row["vetting_score"],
            parts_per_second=row["parts_per_second"],
            parts_per_day=row["parts_per_day"],
        )
    gates = sender_gates(
        identity=row["identity"],
        sender_type=row["type"],
        usual_rate=1.0,
        quota=QuotaOf(parts_per_day=row["own"], campaign=campaign),
    )
    return [cap.name for cap in gates.daily]
