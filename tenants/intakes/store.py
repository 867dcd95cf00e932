"""The rows of intakes. They are the operator's: only its role reaches them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.errors import Conflict
from tenants.intakes.models import Intake, IntakeCustomer
from tenants.scope import TenantScope


async def add(session: AsyncSession, intake: Intake) -> Intake:
    """
    Add an intake.

    Raises:
        Conflict: There is one of that name.
    """
    try:
        async with session.begin_nested():
            session.add(intake)
    except IntegrityError as error:
        raise Conflict("name_taken", f"there is an intake named {intake.name}") from error
    await session.refresh(intake)
    return intake


async def get(session: AsyncSession, intake_id: UUID, *, lock: bool = False) -> Intake | None:
    """Return an intake, or None."""
    query = select(Intake).where(Intake.id == intake_id)
    return await session.scalar(query.with_for_update() if lock else query)


async def page(session: AsyncSession, *, limit: int, after: UUID | None = None) -> Sequence[Intake]:
    """Return up to `limit` intakes, the newest first."""
    query = select(Intake).order_by(Intake.id.desc()).limit(limit)
    return (await session.scalars(query if after is None else query.where(Intake.id < after))).all()


async def customer(session: AsyncSession, intake_id: UUID, reference: str) -> UUID | None:
    """Return the tenant of a platform's customer; whoever asks after it waits for this transaction's end."""
    await session.execute(
        select(func.pg_advisory_xact_lock(func.hashtextextended(f"{intake_id}:{reference}", 0)))
    )
    query = select(IntakeCustomer.tenant_id).where(
        IntakeCustomer.intake_id == intake_id, IntakeCustomer.reference == reference
    )
    return await session.scalar(query)


async def add_customer(scope: TenantScope, session: AsyncSession, intake_id: UUID, reference: str) -> None:
    """Keep which tenant a platform's customer became."""
    session.add(IntakeCustomer(tenant_id=scope.tenant_id, intake_id=intake_id, reference=reference))
    await session.flush()
