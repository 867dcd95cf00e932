"""Template versions get a use case, languages, findings and the name of who decided."""

from gateway.db.migrations.sql_file import run_sql_beside

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL beside this file."""
    run_sql_beside(__file__)


def downgrade() -> None:
    """Refuse: a schema goes forward; restore a backup instead."""
    raise RuntimeError("this revision has no way back; restore a backup instead")
