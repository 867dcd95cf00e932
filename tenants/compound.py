"""
Several writes in one statement: data-modifying CTEs that read their rows from arrays.

A batch that locks balances and then speaks five times with Postgres holds the lock across five waits for a
turn of a busy event loop. In one statement the lock lives as long as the server works, a few milliseconds;
without a transaction around it, one round trip is the whole commit (docs/adr/0006).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from tenants.tables import HotConnection


class Write(Struct, frozen=True):
    """One CTE: `sql` has `{0}`, `{1}`, … where its arguments go; later writes may read from `name`."""

    name: str
    sql: str
    arrays: tuple[Any, ...]


def insert(name: str, table: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> Write:
    """
    Return the insert of many rows; `columns` maps each name to its Postgres type, in the rows' order.

    COPY would be as fast and needs BYPASSRLS.
    """
    arrays = ", ".join(f"{{{number}}}::{kind}[]" for number, kind in enumerate(columns.values()))
    sql = f"INSERT INTO {table} ({', '.join(columns)}) SELECT * FROM unnest({arrays})"  # noqa: S608 - names are ours
    return Write(name, sql, tuple(zip(*rows, strict=True)))


async def execute(connection: HotConnection, writes: Sequence[Write], last: str = "SELECT 1") -> None:
    """
    Run the writes as one statement ending in `last`; all of them happen, or none.

    They see one snapshot, not each other's rows, except through RETURNING.
    """
    parts: list[str] = []
    arguments: list[Any] = []
    for write in writes:
        first = len(arguments) + 1
        places = [f"${number}" for number in range(first, first + len(write.arrays))]
        parts.append(f"{write.name} AS ({write.sql.format(*places)})")
        arguments.extend(write.arrays)
    if parts:
        await connection.execute(f"WITH {', '.join(parts)} {last}", *arguments)
