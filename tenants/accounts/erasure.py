"""
How a tenant that left is forgotten: its data key first, so that all that was sealed is unreadable at once.

The rows follow in batches (`gateway.insight.erasing`). What it paid and how much it sent stays: the books
have to be kept, and name nobody.
"""

from datetime import datetime
from typing import Final

import msgspec
from msgspec import structs
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts import sealing, store
from tenants.accounts.models import Erasure, Tenant
from tenants.accounts.service import plan_of
from tenants.audit import store as audit
from tenants.errors import Conflict, NotFound
from tenants.ids import encode
from tenants.scope import TenantScope

_NAME: Final = "erased"


async def begin(scope: TenantScope, session: AsyncSession, *, in_flight: bool) -> Erasure:
    """
    Forget a closed tenant's key and name, and note that its rows are to follow; asked again, nothing changes.

    Args:
        in_flight: Whether messages of it are still on their way: their receipts and holds are to come.

    Raises:
        NotFound: There is no such tenant.
        Conflict: It is not closed, or messages are in flight.
    """
    tenant = await store.lock(scope, session)
    if tenant is None:
        raise NotFound("tenant")
    if (known := await _of(scope, session)) is not None:
        return known
    if tenant.state != "closed":
        raise Conflict("tenant_not_closed", f"a tenant that is {tenant.state} cannot be erased")
    if in_flight:
        raise Conflict("messages_in_flight", "messages of the tenant have no final state yet")
    _blank(tenant)
    erasure = Erasure(tenant_id=scope.tenant_id)
    session.add(erasure)
    await session.flush()
    await session.refresh(erasure)
    await audit.append(scope, session, action="tenant.erasure_begun", subject=encode("ten", scope.tenant_id))
    return erasure


async def progress(scope: TenantScope, session: AsyncSession) -> Erasure:
    """
    Return how far it is.

    Raises:
        NotFound: It was never asked for.
    """
    if (known := await _of(scope, session)) is None:
        raise NotFound("erasure")
    return known


async def finish(scope: TenantScope, session: AsyncSession, *, now: datetime) -> None:
    """Note that nothing is left to erase; the first one to say so is believed."""
    query = select(Erasure).where(Erasure.tenant_id == scope.tenant_id).with_for_update()
    erasure = await session.scalar(query)
    if erasure is None or erasure.finished_at is not None:
        return
    erasure.finished_at = now
    await session.flush()
    detail = {"rows": sum(erasure.counts.values())}
    subject = encode("ten", scope.tenant_id)
    await audit.append(scope, session, action="tenant.erased", subject=subject, detail=detail)


def _blank(tenant: Tenant) -> None:
    tenant.data_key = sealing.FORGOTTEN
    tenant.name = _NAME
    tenant.slug = f"{_NAME}-{tenant.id.hex}"
    plan = structs.replace(plan_of(tenant), brands=[], india_entity_id=None, default_from=None)
    tenant.plan = msgspec.to_builtins(plan)


async def _of(scope: TenantScope, session: AsyncSession) -> Erasure | None:
    return await session.scalar(select(Erasure).where(Erasure.tenant_id == scope.tenant_id))
