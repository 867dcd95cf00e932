"""First tables: tenants, money, messages, receipts, webhooks; partitions, roles and row-level security."""

from pathlib import Path
from typing import Any

from alembic import op
from sqlalchemy.util import await_only

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL beside this file; many statements at once need the driver's own simple protocol."""
    driver: Any = op.get_bind().connection.driver_connection
    await_only(driver.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")))


def downgrade() -> None:
    """Refuse: the first tables hold what was promised to tenants."""
    raise RuntimeError("the first revision has no way back; restore a backup instead")
