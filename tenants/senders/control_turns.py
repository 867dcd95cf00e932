"""When an account's control action may be called next."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from tenants.tables import Base


class ControlTurn(Base):
    """One action of one AWS account; what takes a turn moves it."""

    __tablename__ = "control_turns"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    action: Mapped[str] = mapped_column(primary_key=True)
    next_at: Mapped[datetime]
