"""Deleting what was kept for long enough, some at a time: one statement for all holds its locks for long."""

from datetime import timedelta
from typing import Final

import asyncpg

_AT_ONCE: Final = 5000
_NO_TIME: Final = timedelta()


async def delete_old(
    pool: "asyncpg.Pool[asyncpg.Record]", table: str, dated: str, *, kept_for: timedelta = _NO_TIME
) -> None:
    """
    Delete the rows of a table that is not partitioned whose instant is longer ago than `kept_for`.

    Each five thousand are a transaction of their own; a row that changes meanwhile is left to the next round.

    Args:
        dated: The column of the instant.
    """
    statement = f"""
        DELETE FROM {table} WHERE ctid = ANY (ARRAY (
            SELECT ctid FROM {table} WHERE {dated} < now() - $1::interval LIMIT $2))
    """  # noqa: S608 - names of ours
    while int((await pool.execute(statement, kept_for, _AT_ONCE)).rpartition(" ")[2]) == _AT_ONCE:
        pass
