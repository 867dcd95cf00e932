"""
Which revision the schema has and which one this code needs.

Told without Alembic, which only migrations need and which takes 7 MB of a process.
"""

import re
from importlib.resources import files
from typing import Any, Final

import asyncpg

_REVISION: Final = re.compile(r"(\d{4})_\w+\.py")


async def current_revision(database_url: str) -> tuple[str | None, str]:
    """Return the database's revision, None where nothing was migrated yet, and the newest this code knows."""
    connection: Any = await asyncpg.connect(database_url)
    try:
        present = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        present = None
    finally:
        await connection.close()
    return present, newest_revision()


def newest_revision() -> str:
    """Return the revision that migrations lead to: their files begin with their numbers."""
    names = (each.name for each in files("gateway.db").joinpath("migrations", "versions").iterdir())
    return max(found[1] for name in names if (found := _REVISION.fullmatch(name)))
