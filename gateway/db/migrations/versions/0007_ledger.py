"""The platform side of the ledger, usage by day, and what the proof of the books said."""

from gateway.db.migrations.sql_file import run_sql_beside

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL beside this file."""
    run_sql_beside(__file__)


def downgrade() -> None:
    """Refuse: a schema goes forward; restore a backup instead."""
    raise RuntimeError("this revision has no way back; restore a backup instead")
