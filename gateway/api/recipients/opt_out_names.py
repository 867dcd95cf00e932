"""The lists of opt-outs that a tenant has: what sends look at, and what its keywords fill."""

from collections.abc import Iterable
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.refusals import Refusal
from tenants.keywords import store as keywords
from tenants.optouts import lists
from tenants.optouts import store as optouts
from tenants.scope import TenantScope

_MOST_KEYWORDS: Final = 1000


async def known_lists(scope: TenantScope, session: AsyncSession) -> tuple[str, ...]:
    """Return the names: those that stop messages first, then those of keywords or with numbers, sorted."""
    named = {
        row.list_name
        for row in await keywords.keywords(scope, session, limit=_MOST_KEYWORDS)
        if row.list_name is not None
    }
    filled = await optouts.list_names(scope, session)
    return (*lists.STOPPING, *sorted({*named, *filled} - {*lists.STOPPING}))


async def refuse_unknown_list(scope: TenantScope, session: AsyncSession, name: str) -> None:
    """
    Let through the name of a list that is there.

    Raises:
        Refusal: 404: an opt-out on a list that a typo made would stop nothing.
    """
    known = await known_lists(scope, session)
    if name not in known:
        raise Refusal("not_found", no_such_list(known))


def no_such_list(known: Iterable[str]) -> str:
    """Say which lists there are."""
    return f"There is no such list; there are {', '.join(known)}. A keyword with a `list` makes another."
