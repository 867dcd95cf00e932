"""Queries on opt-outs."""

from collections.abc import Sequence
from datetime import datetime
from itertools import count
from typing import Final, cast
from uuid import UUID

from msgspec import Struct
from sqlalchemy import CursorResult, delete, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.ids import tail
from tenants.optouts.models import OptOut, OptOutChange
from tenants.scope import TenantScope

_NAMES: Final = text(
    """
    WITH RECURSIVE found (name) AS (
        (SELECT list_name FROM opt_outs WHERE tenant_id = :tenant_id ORDER BY list_name LIMIT 1)
        UNION ALL
        SELECT (SELECT list_name FROM opt_outs WHERE tenant_id = :tenant_id AND list_name > found.name
                ORDER BY list_name LIMIT 1)
        FROM found WHERE found.name IS NOT NULL
    )
    SELECT name FROM found WHERE name IS NOT NULL
    """
)
"""One look into the primary key per list, however many numbers stand on it."""
_NOTE: Final = text(
    """
    WITH instant AS (SELECT tollgate_event_ms() AS ms)
    INSERT INTO opt_out_changes (id, at, tenant_id, list_name, recipient_hash, number_sealed, change, source,
        actor, inbound_id, note)
    SELECT tollgate_event_id(line.tail, ms), timestamptz 'epoch' + ms * interval '1 millisecond',
        CAST(:tenant_id AS uuid), line.list_name, line.recipient_hash, line.number_sealed, :change, :source,
        :actor, CAST(:inbound_id AS uuid), line.note
    FROM instant,
        unnest(CAST(:tails AS uuid[]), CAST(:list_names AS text[]), CAST(:recipient_hashes AS bytea[]),
            CAST(:numbers_sealed AS bytea[]), CAST(:notes AS text[]))
            AS line (tail, list_name, recipient_hash, number_sealed, note)
    RETURNING id, list_name, recipient_hash
    """
)
"""
Lines of one instant, numbered in the order in which they are given.

They are numbered and dated as events are: by Postgres, after the transaction has its number (docs/adr/0018).
"""
_PLACES: Final = count()
"""Keeps the lines of one millisecond in the order in which they were written."""
_MOST_PLACES: Final = 1 << 16


class Line(Struct, frozen=True, kw_only=True):
    """What a line of the ledger says of one recipient."""

    list_name: str
    recipient_hash: bytes
    number_sealed: bytes
    note: str | None


async def list_names(scope: TenantScope, session: AsyncSession) -> list[str]:
    """Return the names of the tenant's lists that hold a number, sorted."""
    return list(await session.scalars(_NAMES, {"tenant_id": scope.tenant_id}))


async def add(
    scope: TenantScope, session: AsyncSession, lines: Sequence[Line], *, source: str
) -> set[tuple[str, bytes]]:
    """Put recipients on lists; return which are new there: the others keep their first date."""
    values = [
        {
            "tenant_id": scope.tenant_id,
            "list_name": line.list_name,
            "recipient_hash": line.recipient_hash,
            "number_sealed": line.number_sealed,
            "source": source,
        }
        for line in lines
    ]
    statement = insert(OptOut).on_conflict_do_nothing().returning(OptOut.list_name, OptOut.recipient_hash)
    return {(row.list_name, row.recipient_hash) for row in await session.execute(statement, values)}


async def remove(scope: TenantScope, session: AsyncSession, *, list_name: str, recipient_hash: bytes) -> bool:
    """Take a recipient off a list; return False if it was not there."""
    statement = delete(OptOut).where(
        OptOut.tenant_id == scope.tenant_id,
        OptOut.list_name == list_name,
        OptOut.recipient_hash == recipient_hash,
    )
    return cast("CursorResult[object]", await session.execute(statement)).rowcount == 1


async def note(
    scope: TenantScope,
    session: AsyncSession,
    lines: Sequence[Line],
    *,
    change: str,
    source: str,
    actor: str,
    inbound_id: UUID | None,
) -> dict[tuple[str, bytes], UUID]:
    """Add lines to the ledger of changes in their order; returns their ids by list and recipient."""
    values = {
        "tails": [_tail() for _ in lines],
        "tenant_id": scope.tenant_id,
        "list_names": [each.list_name for each in lines],
        "recipient_hashes": [each.recipient_hash for each in lines],
        "numbers_sealed": [each.number_sealed for each in lines],
        "notes": [each.note for each in lines],
        "change": change,
        "source": source,
        "actor": actor,
        "inbound_id": inbound_id,
    }
    return {(row.list_name, row.recipient_hash): row.id for row in await session.execute(_NOTE, values)}


def _tail() -> UUID:
    return tail(next(_PLACES) % _MOST_PLACES)


async def changes(
    scope: TenantScope,
    session: AsyncSession,
    *,
    limit: int,
    after: UUID | None = None,
    until: datetime | None = None,
    recipient_hash: bytes | None = None,
) -> Sequence[OptOutChange]:
    """
    Return up to `limit` lines of the ledger, the oldest first, of one recipient or of all.

    Args:
        until: None of a later instant: whoever follows the ledger names one that no earlier line can join.
    """
    query = select(OptOutChange).where(OptOutChange.tenant_id == scope.tenant_id)
    if recipient_hash is not None:
        query = query.where(OptOutChange.recipient_hash == recipient_hash)
    if after is not None:
        query = query.where(OptOutChange.id > after)
    if until is not None:
        query = query.where(OptOutChange.at <= until)
    return (await session.scalars(query.order_by(OptOutChange.id).limit(limit))).all()


async def sources_of(scope: TenantScope, session: AsyncSession, recipient_hash: bytes) -> dict[str, str]:
    """Return the lists on which a recipient stands, each with how that came."""
    query = select(OptOut.list_name, OptOut.source).where(
        OptOut.tenant_id == scope.tenant_id, OptOut.recipient_hash == recipient_hash
    )
    return {row.list_name: row.source for row in await session.execute(query)}


async def lists_of(scope: TenantScope, session: AsyncSession, recipient_hash: bytes) -> list[str]:
    """Return the names of the tenant's lists on which a recipient stands."""
    query = select(OptOut.list_name).where(
        OptOut.tenant_id == scope.tenant_id, OptOut.recipient_hash == recipient_hash
    )
    return sorted(await session.scalars(query))


async def page(
    scope: TenantScope,
    session: AsyncSession,
    *,
    limit: int,
    after: tuple[str, bytes] | None = None,
    list_name: str | None = None,
) -> Sequence[OptOut]:
    """Return up to `limit` opt-outs in the order of list and hash: the primary key's, cheap however deep."""
    query = select(OptOut).where(OptOut.tenant_id == scope.tenant_id)
    if list_name is not None:
        query = query.where(OptOut.list_name == list_name)
    if after is not None:
        query = query.where(tuple_(OptOut.list_name, OptOut.recipient_hash) > after)
    return (await session.scalars(query.order_by(OptOut.list_name, OptOut.recipient_hash).limit(limit))).all()
