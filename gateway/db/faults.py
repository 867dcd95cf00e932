"""What a database that is away, restarting or refusing looks like to whoever asks it."""

from typing import Final

import asyncpg

REFUSED_ROWS: Final = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)
"""The database is well and says no to a row: trying the same again says no again."""

DATABASE_FAULTS: Final = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""
Loops catch these and go on; edges answer 503.

InternalClientError is among them because asyncpg raises it ("cannot switch to state …; another operation is
in progress") when the server dies at the wrong moment of a query; it was seen to end whole processes.
"""
