"""
Pushes that outbox batches owe and a rebuild has made: the relay need not make them again.

Who accepted a message while Redis was away left its outbox batch to the relay, and the rebuild put the
message into the lanes with all the others. Pushed once more, it would stand in line twice until its turn came
and be counted twice in every estimate.
"""

from collections.abc import Sequence
from typing import Final

import asyncpg
from msgspec import Struct

from tenants.tables import HotConnection

_AT_ONCE: Final = 100
"""Batches per transaction, of up to a thousand messages: their rows are locked for as long."""
_MADE: Final = """
    SELECT b.id, string_agg(uuid_send(q.message_id), ''::bytea) AS message_ids
    FROM outbox_batches b CROSS JOIN unnest(b.message_ids) AS m (id)
    JOIN dispatch_queue q ON q.message_id = m.id
    WHERE q.route = $1 AND q.state = 'queued' GROUP BY b.id
"""
_LOCKED: Final = "SELECT id FROM outbox_batches WHERE id = ANY($1::uuid[]) FOR UPDATE SKIP LOCKED"
"""One that is locked is being pushed or forgotten already."""
_STRUCK: Final = """
    WITH made AS (
        SELECT encode(substr(ids, 1 + 16 * nth, 16), 'hex')::uuid AS message_id
        FROM unnest($2::bytea[]) AS batches (ids),
            generate_series(0, length(ids) / 16 - 1) AS nth
    ), still_owed AS (
        SELECT b.id, array_agg(m.id) FILTER (WHERE made.message_id IS NULL) AS message_ids
        FROM outbox_batches b CROSS JOIN unnest(b.message_ids) AS m (id)
        LEFT JOIN made ON made.message_id = m.id
        WHERE b.id = ANY($1::uuid[]) GROUP BY b.id
    )
    UPDATE outbox_batches b SET message_ids = coalesce(still_owed.message_ids, '{}')
    FROM still_owed WHERE b.id = still_owed.id
"""
_DONE: Final = "DELETE FROM outbox_batches WHERE id = ANY($1::uuid[]) AND message_ids = '{}'"


class Made(Struct, frozen=True):
    """What of the outbox a rebuild has pushed."""

    batches: Sequence[asyncpg.Record]


async def owed(connection: HotConnection, route: str) -> Made:
    """Return what the outbox owes of a route's queue; in the transaction in which the queue is read."""
    return Made(await connection.fetch(_MADE, route))


async def strike_out(connection: HotConnection, made: Made) -> None:
    """Take out of the outbox what was pushed, when the lanes that it was pushed to have been opened."""
    for start in range(0, len(made.batches), _AT_ONCE):
        some = {row["id"]: row["message_ids"] for row in made.batches[start : start + _AT_ONCE]}
        async with connection.transaction():
            locked = [row["id"] for row in await connection.fetch(_LOCKED, list(some))]
            await connection.execute(_STRUCK, locked, [some[each] for each in locked])
            await connection.execute(_DONE, locked)
