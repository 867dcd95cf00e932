"""A tenant that leaves an AWS account: its senders stop first, and what is gone there is written down."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.audit import store as audit
from tenants.audit.models import AuditRow
from tenants.ids import encode
from tenants.scope import TenantScope
from tenants.senders.models import Pool, Sender

_BEGUN = "senders.teardown_begun"


async def stop(scope: TenantScope, session: AsyncSession, account_id: UUID) -> None:
    """
    Disable the tenant's senders in an account, and raise its generation.

    The operator's `enable` is the way back.
    """
    await audit.append(scope, session, action=_BEGUN, subject=encode("acc", account_id))
    ours = (Sender.tenant_id == scope.tenant_id) & (Sender.account_id == account_id)
    rows = await session.scalars(select(Sender).where(ours, Sender.state.in_(("active", "standby"))))
    for row in rows.all():
        row.state = "disabled"
        detail = {"state": "disabled", "reason": "teardown"}
        subject = encode("idn", row.id)
        await audit.append(scope, session, action="sender.state_changed", subject=subject, detail=detail)
    await session.flush()


async def sends_elsewhere(scope: TenantScope, session: AsyncSession) -> bool:
    """Return whether the tenant has a sender that may send."""
    active = (Sender.tenant_id == scope.tenant_id) & (Sender.state == "active")
    return bool(await session.scalar(select(func.count()).select_from(Sender).where(active)))


async def pool_gone(scope: TenantScope, session: AsyncSession, account_id: UUID) -> None:
    """Forget AWS's pools of the tenant in an account; the gateway's own stay."""
    ours = (Pool.tenant_id == scope.tenant_id) & (Pool.account_id == account_id)
    await session.execute(update(Pool).where(ours).values(aws_pool_arn=None))


async def released(scope: TenantScope, session: AsyncSession, arns: Collection[str]) -> None:
    """Write down that AWS has these again; their leases end today."""
    ours = (Sender.tenant_id == scope.tenant_id) & Sender.arn.in_(arns)
    await session.execute(update(Sender).where(ours).values(state="released"))


async def generation(scope: TenantScope, session: AsyncSession) -> int:
    """
    Return how often a teardown of the tenant was begun.

    It is part of each ClientToken: AWS would answer a token of before with what was deleted since.
    """
    noted = (AuditRow.tenant_id == scope.tenant_id) & (AuditRow.action == _BEGUN)
    return await session.scalar(select(func.count()).select_from(AuditRow).where(noted)) or 0
