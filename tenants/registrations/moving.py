"""A registration from one state to another, with its line in the history and in the audit trail."""

from datetime import datetime
from typing import cast

from sqlalchemy.ext.asyncio import AsyncSession

from tenants.audit import store as audit
from tenants.ids import encode, new_uuid
from tenants.registrations.lifecycle import Status, check_move
from tenants.registrations.models import Registration, RegistrationMove
from tenants.scope import TenantScope


async def move(
    scope: TenantScope, session: AsyncSession, row: Registration, status: Status, *, by: str, now: datetime
) -> None:
    """
    Put a registration into a state.

    Raises:
        Conflict: Its present state does not lead there.
    """
    before = cast("Status", row.status)
    check_move(before, status)
    row.status, row.changed_at = status, now
    session.add(
        RegistrationMove(
            tenant_id=scope.tenant_id,
            id=new_uuid(),
            registration_id=row.id,
            version=row.version,
            before=before,
            after=status,
            by=by,
            at=now,
        )
    )
    await session.flush()
    await audit.append(
        scope,
        session,
        action=f"registration.{status}",
        subject=encode("reg", row.id),
        detail={"version": row.version, "from": before, "by": by},
    )
