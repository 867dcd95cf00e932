"""Who may sign in for a tenant, and how that ends."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from tenants.audit import store as audit
from tenants.errors import NotFound
from tenants.ids import encode
from tenants.people import store
from tenants.people.models import Person
from tenants.scope import TenantScope


async def page(
    scope: TenantScope, session: AsyncSession, *, limit: int, after: UUID | None = None
) -> Sequence[Person]:
    """Return up to `limit` people, the first first."""
    return await store.people(scope, session, limit=limit, after=after)


async def remove(scope: TenantScope, session: AsyncSession, person_id: UUID, *, now: datetime) -> Person:
    """
    Forget a person with every browser that is signed in, and end the links that wait for the address.

    Raises:
        NotFound: The tenant has no such person.
    """
    found = await store.person(scope, session, person_id)
    if found is None:
        raise NotFound("person")
    # Links are locked before the person, as an acceptance does it: neither waits for the other for ever.
    await store.revoke_invitations(scope, session, found.email_hash, now)
    person = await store.person(scope, session, person_id, lock=True)
    if person is None:
        raise NotFound("person")
    await session.delete(person)
    await audit.append(scope, session, action="person.removed", subject=encode("psn", person_id))
    return person
