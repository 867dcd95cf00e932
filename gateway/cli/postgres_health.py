"""Is Postgres new enough, safe against a crash, migrated, and fenced?"""

from typing import Any, Final

import asyncpg

from gateway.cli.findings import Finding, fault, fine
from gateway.db.revision import current_revision, mismatch

_OLDEST: Final = 150_000
_DEADLINE_S: Final = 5.0
_SAFETY: Final = ("fsync", "synchronous_commit", "full_page_writes")
_ROLES: Final = ("tollgate_app", "tollgate_worker", "tollgate_ingest")
_UNFENCED: Final = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')
      AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
      AND (c.relname = 'tenants' OR EXISTS (
        SELECT FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped))
    ORDER BY 1
"""
_MAY_MAKE_ROLES: Final = "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
_MISSING_ROLES: Final = """
    SELECT wanted FROM unnest($1::text[]) AS wanted
    WHERE NOT EXISTS (
        SELECT FROM pg_roles WHERE rolname = wanted AND pg_has_role(current_user, oid, 'MEMBER'))
"""


async def postgres_findings(database_url: str) -> list[Finding]:
    """Return what a connection of the gateway's own user sees."""
    try:
        connection: Any = await asyncpg.connect(database_url, timeout=_DEADLINE_S)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
        said = f"no connection: {error or type(error).__name__}"
        return [fault("Postgres", said, "Start it, or correct DATABASE_URL.")]
    try:
        return [
            await _version(connection),
            *[await _safety(connection, name) for name in _SAFETY],
            await _roles(connection),
            await _schema(database_url),
            await _fences(connection),
        ]
    finally:
        await connection.close()


async def _version(connection: Any) -> Finding:
    number = int(await connection.fetchval("SHOW server_version_num"))
    shown = await connection.fetchval("SHOW server_version")
    if number < _OLDEST:
        return fault("Postgres version", f"{shown} is too old", "Upgrade to PostgreSQL 15 or newer.")
    return fine("Postgres version", shown)


async def _safety(connection: Any, name: str) -> Finding:
    value = await connection.fetchval("SELECT current_setting($1)", name)
    if value == "off" or (name == "synchronous_commit" and value == "local"):
        return fault(
            f"Postgres {name}",
            f"it is {value}: a crash could lose messages that were answered with 202",
            f"Set {name} = on in postgresql.conf, and for this database and user.",
        )
    return fine(f"Postgres {name}", value)


async def _roles(connection: Any) -> Finding:
    missing = [row["wanted"] for row in await connection.fetch(_MISSING_ROLES, list(_ROLES))]
    if not missing:
        return fine("Postgres roles", "all three are there and may be taken")
    if await connection.fetchval(_MAY_MAKE_ROLES):
        return fault(
            "Postgres roles", f"{', '.join(missing)} missing", "Run `tollgate migrate`, which makes them."
        )
    return fault(
        "Postgres roles",
        f"{', '.join(missing)} missing, and this user may not create roles",
        "ALTER ROLE … CREATEROLE for the user of DATABASE_URL, then run `tollgate migrate`.",
    )


async def _schema(database_url: str) -> Finding:
    present, newest = await current_revision(database_url)
    wrong = mismatch(present, newest)
    if wrong is not None:
        said, _, way_out = wrong.partition(": ")
        return fault("Postgres schema", said, f"{way_out[0].upper()}{way_out[1:]}.")
    return fine("Postgres schema", f"revision {present}")


async def _fences(connection: Any) -> Finding:
    unfenced = [row["relname"] for row in await connection.fetch(_UNFENCED)]
    if unfenced:
        return fault(
            "row-level security",
            f"not forced on {', '.join(unfenced)}",
            "Run `tollgate migrate`; if it stays so, ALTER TABLE … FORCE ROW LEVEL SECURITY on each.",
        )
    return fine("row-level security", "forced on every table with a tenant_id")
