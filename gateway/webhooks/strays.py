"""
Held deliveries that nobody would fetch: their endpoint was removed, or stopped holding a moment before.

An event's transaction reads whether an endpoint holds without a lock, since a lock would be paid for by every
message; so a delivery may be held just after the line was found empty. It waits for this round at the most.
"""

import asyncpg

from gateway.webhooks.gates import close_some

_HELD = """
    WITH RECURSIVE held (endpoint_id) AS (
        (SELECT endpoint_id FROM webhook_deliveries WHERE state = 'pending' AND next_attempt_at IS NULL
         ORDER BY endpoint_id LIMIT 1)
        UNION ALL
        SELECT (SELECT d.endpoint_id FROM webhook_deliveries d
                WHERE d.state = 'pending' AND d.next_attempt_at IS NULL AND d.endpoint_id > held.endpoint_id
                ORDER BY d.endpoint_id LIMIT 1)
        FROM held WHERE held.endpoint_id IS NOT NULL)
    SELECT held.endpoint_id AS id, w.id IS NULL AS is_gone
    FROM held LEFT JOIN webhook_endpoints w ON w.id = held.endpoint_id
    WHERE held.endpoint_id IS NOT NULL AND w.holding IS NOT TRUE
"""
"""A step of the index per endpoint, however much each of them holds."""
_HOLD = "UPDATE webhook_endpoints SET holding = true WHERE id = ANY ($1::uuid[])"


async def gather_strays(pool: "asyncpg.Pool[asyncpg.Record]") -> int:
    """Have them fetched, or listed as failed where the endpoint is gone; returns of how many endpoints."""
    rows = await pool.fetch(_HELD)
    if gone := [row["id"] for row in rows if row["is_gone"]]:
        async with pool.acquire() as connection:
            while await close_some(connection, gone):
                pass
    if left := [row["id"] for row in rows if not row["is_gone"]]:
        await pool.execute(_HOLD, left)
    return len(rows)
