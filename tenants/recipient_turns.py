"""
Whose turn it is to change what a tenant's recipients want: a file alone, or persons one by one.

A file touches many persons, and a person's word several rows: lists, consents. Each takes its turn before it
touches any of them; else a file could hold what a text wants next, and the text what the file does.
"""

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.scope import TenantScope

_FILE: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('tollgate.opt_outs ' || :tenant, 0))")
_PERSON: Final = """
    SELECT pg_advisory_xact_lock(hashtextextended(:person, 0))
    FROM (SELECT {}(hashtextextended('tollgate.opt_outs ' || :tenant, 0)) AS free) AS no_file
"""
_PERSON_AFTER_FILE: Final = text(_PERSON.format("pg_advisory_xact_lock_shared"))
_PERSON_WITHOUT_FILE: Final = text(_PERSON.format("pg_try_advisory_xact_lock_shared") + " WHERE free")


async def take_for_file(scope: TenantScope, session: AsyncSession) -> None:
    """Let this transaction alone change what recipients of the tenant want, until it ends."""
    await session.execute(_FILE, {"tenant": scope.tenant_id.hex})


async def take_for_person(scope: TenantScope, session: AsyncSession, recipient_hash: bytes) -> None:
    """Let changes of one person to one tenant follow each other, behind a file that is being taken."""
    await session.execute(_PERSON_AFTER_FILE, _of(scope, recipient_hash))


async def taken_for_person(scope: TenantScope, session: AsyncSession, recipient_hash: bytes) -> bool:
    """Do the same, and return False where a file is being taken or waits: that may last for long."""
    return (await session.execute(_PERSON_WITHOUT_FILE, _of(scope, recipient_hash))).first() is not None


def _of(scope: TenantScope, recipient_hash: bytes) -> dict[str, str]:
    return {"tenant": scope.tenant_id.hex, "person": f"{scope.tenant_id} {recipient_hash.hex()}"}
