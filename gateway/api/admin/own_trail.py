"""What the operator does to no single tenant, written into its own audit trail."""

from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.desk import Desk
from tenants.audit import store as audit
from tenants.inbox.service import PLATFORM
from tenants.scope import TenantScope

_OWN: Final = TenantScope(tenant_id=PLATFORM)


async def note(session: AsyncSession, action: str, subject: str, **detail: Any) -> None:
    """Write an act down in the transaction that does it; the detail is never a secret or a recipient."""
    await audit.append(_OWN, session, action=action, subject=subject, detail=detail)


async def note_done(desk: Desk, action: str, subject: str, **detail: Any) -> None:
    """Write down what was done at AWS, where no transaction could hold it."""
    async with desk.operator() as session:
        await note(session, action, subject, **detail)
