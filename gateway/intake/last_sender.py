"""
The sender of a recipient's last message, which it keeps for eight days from then on (`sticky_sender`).

The messages themselves remember it, so a fail-over counts and nothing is lost with Redis. They are asked only
where there is a choice between equals; who has none is given one by hash, as all processes would.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

import asyncpg

from gateway.db.faults import DATABASE_FAULTS
from gateway.routing.facts import SenderFact
from gateway.routing.last_senders import KEPT_FOR
from gateway.routing.sticky import sticky
from tenants.scope import TenantScope

_LAST: Final = """
    SELECT sender_id FROM messages
    WHERE tenant_id = $1 AND recipient_hash = $2 AND created_at > $3 AND test = $4
        AND sender_id = ANY($5::uuid[])
    ORDER BY id DESC LIMIT 1
"""


async def kept_sender(
    pool: "asyncpg.Pool[asyncpg.Record]",
    scope: TenantScope,
    equals: Sequence[SenderFact],
    *,
    recipient_hash: bytes,
    now: datetime,
) -> SenderFact:
    """Return the recipient's own among senders that are equals; there is at least one."""
    last = None
    with suppress(*DATABASE_FAULTS):  # whether a send can be taken without Postgres is for its commit to say
        ids = [sender.id for sender in equals]
        last = await pool.fetchval(
            _LAST, scope.tenant_id, recipient_hash, now - KEPT_FOR, not scope.live, ids
        )
    return sticky(equals, recipient_hash, () if last is None else (last,))
