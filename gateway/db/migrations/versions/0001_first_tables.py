"""First tables: tenants, money, messages, receipts, webhooks; partitions, roles and row-level security."""

from gateway.db.migrations.sql_file import run_sql_beside

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL beside this file."""
    run_sql_beside(__file__)


def downgrade() -> None:
    """Refuse: the first tables hold what was promised to tenants."""
    raise RuntimeError("the first revision has no way back; restore a backup instead")
