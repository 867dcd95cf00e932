"""What a database that is away, restarting or refusing looks like to whoever asks it."""

from typing import Final

import asyncpg
from sqlalchemy.exc import DBAPIError

PASSING_SQLSTATES: Final = ("08", "40", "53", "55P03", "57", "25006")
"""Connection lost, serialization, resources, lock timeout, shutdown or cancel, read-only standby."""
REFUSED_ROWS: Final = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)
"""The database is well and says no to a row: trying the same again says no again."""

DATABASE_FAULTS: Final = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""
Loops catch these and go on; edges answer 503.

InternalClientError is among them because asyncpg raises it ("cannot switch to state …; another operation is
in progress") when the server dies at the wrong moment of a query; it was seen to end whole processes.
"""


def of_the_moment(error: DBAPIError) -> Exception | None:
    """Return what the driver said of a database that is away or cannot serve now; None of any other fault."""
    said = None if error.orig is None else error.orig.__cause__
    if isinstance(said, asyncpg.PostgresError):
        return said if str(said.sqlstate or "").startswith(PASSING_SQLSTATES) else None
    if isinstance(said, DATABASE_FAULTS) and not isinstance(said, ValueError):  # which is a bad argument
        return said
    return None
