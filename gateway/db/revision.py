"""
Which revision the schema has and which one this code needs.

Told without Alembic, which only migrations need and which takes 7 MB of a process.
"""

import re
from importlib.resources import files
from typing import Any, Final

import asyncpg

from gateway.errors import ConfigurationError

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


def is_newer(present: str | None, newest: str) -> bool:
    """Say whether a later version of the gateway has migrated the database; numbers are of one length."""
    return present is not None and present > newest


async def refuse_older(database_url: str) -> None:
    """
    Let a process begin on a schema that has what its statements name; each of them would fail otherwise.

    A newer schema passes: while versions roll over, processes of the one before are started again, too.

    Raises:
        ConfigurationError: The schema is older than this code, or there is none; the text names the way out.
    """
    present, newest = await current_revision(database_url)
    wrong = mismatch(present, newest)
    if wrong is not None and not is_newer(present, newest):
        raise ConfigurationError(wrong)


def mismatch(present: str | None, newest: str) -> str | None:
    """Return what is to be done where the database's revision is not the code's, or None where it is."""
    if present == newest:
        return None
    if is_newer(present, newest):
        return (
            f"the schema is at {present}, newer than this code's {newest}: run the version of Tollgate that "
            "has migrated it, or one after it"
        )
    return f"the schema is at {present or 'nothing'}, this code needs {newest}: run `tollgate migrate`"
