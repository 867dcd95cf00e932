"""What only the operator does with registrations: see all tenants' at once, and set one going again."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.errors import Conflict
from tenants.registrations import service
from tenants.registrations.lifecycle import WORKED_ON
from tenants.registrations.models import Registration
from tenants.registrations.service import RegistrationView
from tenants.scope import TenantScope


async def page_of_all(
    session: AsyncSession,
    *,
    tenant_id: UUID | None,
    status: str | None,
    registration_type: str | None,
    limit: int,
    after: UUID | None,
) -> Sequence[Registration]:
    """Return up to `limit` registrations of all tenants, the newest first; None narrows nothing."""
    query = select(Registration).order_by(Registration.id.desc()).limit(limit)
    if tenant_id is not None:
        query = query.where(Registration.tenant_id == tenant_id)
    if status is not None:
        query = query.where(Registration.status == status)
    if registration_type is not None:
        query = query.where(Registration.type == registration_type)
    if after is not None:
        query = query.where(Registration.id < after)
    return (await session.scalars(query)).all()


async def retry(
    scope: TenantScope, session: AsyncSession, registration_id: UUID, *, now: datetime
) -> RegistrationView:
    """
    Make a registration due now.

    Raises:
        NotFound: The tenant has no such registration.
        Conflict: It waits for nothing that the gateway could do.
    """
    view = await service.get(scope, session, registration_id, lock=True)
    if view.row.status not in WORKED_ON or view.row.due_at is None:
        raise Conflict(
            "registration_state", f"a registration that is {view.row.status} has no step to repeat"
        )
    view.row.due_at = now
    await session.flush()
    return view
