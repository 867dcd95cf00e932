"""The default sender that a plan names has to be there: else it means nothing, and nobody hears of it."""

from sqlalchemy.ext.asyncio import AsyncSession

from gateway.routing.candidates import named_senders
from gateway.routing.reading import read_routing
from tenants.accounts.plan import Plan
from tenants.errors import InvalidInput
from tenants.scope import TenantScope


async def check_default_from(scope: TenantScope, session: AsyncSession, plan: Plan, named: str) -> None:
    """
    Let pass what a send of the tenant may name as its `from`.

    Raises:
        InvalidInput: The tenant has no sender of that name, and no pool of it with one.
    """
    if not named_senders(await read_routing(scope, session, plan), named):
        detail = (
            "the tenant has no number, sender id or `idn_…` of this name and no pool of it with a sender: "
            "provision or add it first, or name one of its senders"
        )
        raise InvalidInput("/plan/default_from", "unknown_sender", detail)
