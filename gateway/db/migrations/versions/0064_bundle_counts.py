"""What a bundle counted that is taken away."""

from gateway.db.migrations.sql_file import run_sql_beside

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL beside this file."""
    run_sql_beside(__file__)


def downgrade() -> None:
    """Refuse: a schema goes forward; restore a backup instead."""
    raise RuntimeError("this revision has no way back; restore a backup instead")
