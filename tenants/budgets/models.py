"""Tables of budgets."""

from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Amount, Base, Instant


class BudgetRow(Base):
    """A cap per calendar month; the nil UUID owns the platform's."""

    __tablename__ = "budgets"
    __table_args__ = (CheckConstraint("cap >= 0", name="cap"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    """`all`, `country:US`, `type:otp` or `account:` with a UUID."""
    cap: Mapped[Amount]
    counted: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether the counter has been compared with the messages since the budget was set."""
    set_at: Mapped[Instant] = mapped_column(server_default=text("now()"))


class SpendCounter(Base):
    """What was counted against a budget in one month; the CHECK is the last word against passing it."""

    __tablename__ = "spend_counters"
    __table_args__ = (CheckConstraint("used >= 0", name="used"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(Date, primary_key=True)
    used: Mapped[Amount]
    cap: Mapped[Amount]
    """The cap under which was counted last."""
    told: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    """The highest level, in percent, of which the owner was told."""
    stopped: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether a send was refused by it."""
    counts: Mapped[str | None]
    """Of a bundle that was taken away: whether it counted `parts` or `messages`."""
