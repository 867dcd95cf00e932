"""Messages that were kept back because their tenant is suspended."""

from typing import Final

from sqlalchemy import func, update
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.messages.models import QueuedMessage
from tenants.scope import TenantScope

SUSPENDED: Final = "tenant_suspended"
"""What they wait for, as their queue rows say."""


async def let_go(scope: TenantScope, session: AsyncSession) -> None:
    """Make due at once what was claimed and kept back meanwhile."""
    kept = (
        QueuedMessage.tenant_id == scope.tenant_id,
        QueuedMessage.state == "scheduled",
        QueuedMessage.waits_for == SUSPENDED,
    )
    await session.execute(update(QueuedMessage).where(*kept).values(due_at=func.now()))
