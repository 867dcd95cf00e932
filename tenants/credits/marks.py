"""
At which shares of the last top-up a tenant is told that its balance runs low. Pure, and the table beside it.

A level is told once per crossing: it is due when the balance falls to it, and again only after the balance
has been above it in between.
"""

from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, SmallInteger, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from tenants.scope import TenantScope
from tenants.tables import Amount, Base

LEVELS: Final = (50, 20, 10, 0)
"""Percent of the last top-up; 0 is empty."""
FULL: Final = 100


class BalanceMark(Base):
    """What a tenant was told of its balance, and against which top-up it is measured."""

    __tablename__ = "balance_marks"
    __table_args__ = (CheckConstraint("last_top_up >= 0", name="last_top_up"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    last_top_up: Mapped[Amount]
    """In the balance's unit; 0 once that has changed, until something is paid in: then only empty is low."""
    told: Mapped[int] = mapped_column(SmallInteger, server_default="100")
    """The lowest level told since the balance was above it; 100 for none."""
    refused: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether a send was refused for want of credit since money came in: that is empty, too."""
    requested_at: Mapped[datetime | None]
    """When a top-up was asked for that has not come yet."""
    requested_day: Mapped[date | None]
    requested_today: Mapped[int] = mapped_column(SmallInteger, server_default="0")


def reached(available: int, last_top_up: int, *, refused: bool = False) -> int:
    """Return the lowest level that a balance is at or below, FULL for none."""
    if refused:
        return LEVELS[-1]
    return min((each for each in LEVELS if available * 100 <= last_top_up * each), default=FULL)


def crossed(told: int, now_at: int) -> tuple[int, ...]:
    """Return the levels between what was told and where the balance is, the highest first."""
    return tuple(each for each in LEVELS if now_at <= each < told)


async def topped_up(scope: TenantScope, session: AsyncSession, amount: int) -> None:
    """Measure from this top-up on; a request for one is answered by it. In the top-up's transaction."""
    fresh = {"last_top_up": amount, "refused": False, "requested_at": None}
    statement = insert(BalanceMark).values(tenant_id=scope.tenant_id, **fresh)
    await session.execute(statement.on_conflict_do_update(index_elements=["tenant_id"], set_=fresh))


async def given(scope: TenantScope, session: AsyncSession) -> None:
    """Let what was refused before the operator gave something be no sign of an empty balance any more."""
    own = BalanceMark.tenant_id == scope.tenant_id
    await session.execute(update(BalanceMark).where(own, BalanceMark.refused).values(refused=False))
