"""Pictures and calls: what goes beside a body, how long a call was, and where media are staged."""

from gateway.db.migrations.sql_file import run_sql_beside

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL beside this file."""
    run_sql_beside(__file__)


def downgrade() -> None:
    """Refuse: a schema goes forward; restore a backup instead."""
    raise RuntimeError("this revision has no way back; restore a backup instead")
