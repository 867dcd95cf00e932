"""
Databases made and dropped in a moment, one per test module or worker.

Migrate one database once, then pass it as `template`: copying it costs a fraction of migrating again.
"""

from urllib.parse import urlsplit, urlunsplit

import asyncpg


async def create_database(url: str, name: str, *, template: str = "template0") -> str:
    """
    Create a database on the server of `url` and return its URL.

    Args:
        url: Any database of the server, for a role that may create databases.
        name: The new database; it must not exist.
        template: What it starts as; nobody may be connected to it meanwhile.
    """
    await _execute(url, f"CREATE DATABASE {quoted(name)} TEMPLATE {quoted(template)}")
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


async def drop_database(url: str, name: str) -> None:
    """
    Drop a database and whatever is still connected to it; no-op when it is absent.

    Args:
        url: Another database of the same server.
        name: What to drop.
    """
    await _execute(url, f"DROP DATABASE IF EXISTS {quoted(name)} WITH (FORCE)")


def quoted(name: str) -> str:
    """Return the name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
