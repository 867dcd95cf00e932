"""The default sender that a plan names has to be there: else it means nothing, and nobody hears of it."""

from sqlalchemy.ext.asyncio import AsyncSession

from tenants.errors import InvalidId, InvalidInput
from tenants.ids import decode
from tenants.scope import TenantScope
from tenants.senders import store


async def check_default_from(scope: TenantScope, session: AsyncSession, named: str) -> None:
    """
    Let pass a number or sender id of the tenant that is not released, and its pools.

    Raises:
        InvalidInput: The tenant has nothing of that name.
    """
    try:
        pool_id = decode("pool", named)
    except InvalidId:
        found = await store.shows(scope, session, named)
    else:
        found = await store.pool(scope, session, pool_id) is not None
    if not found:
        detail = (
            "the tenant has no number, sender id or pool of this name: provision or add it first, or name "
            "one of its senders"
        )
        raise InvalidInput("/plan/default_from", "unknown_sender", detail)
