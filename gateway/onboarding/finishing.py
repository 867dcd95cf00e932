"""Going live, on answers that nobody changes meanwhile."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from gateway.onboarding.facts import facts
from tenants.accounts.sealing import DataKey
from tenants.onboarding import service, store
from tenants.scope import TenantScope


async def finish(scope: TenantScope, session: AsyncSession, key: DataKey, *, at: datetime) -> None:
    """
    Let live keys send; needs a worker's session.

    The lock comes before the look: an answer that takes the approval back is seen, or waits.

    Raises:
        Conflict: A step is left; names it.
    """
    row = await store.locked(scope, session)
    _, answers = await service.read(scope, session, key)
    known = await facts(scope, session, row, answers)
    await service.go_live(scope, session, answers, known, at=at)
