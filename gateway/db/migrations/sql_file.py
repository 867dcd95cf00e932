"""Runs the SQL file that stands beside a revision."""

from pathlib import Path
from typing import Any

from alembic import op
from sqlalchemy.util import await_only


def run_sql_beside(revision_file: str) -> None:
    """Run all statements of the `.sql` of that name; many at once need the driver's own simple protocol."""
    driver: Any = op.get_bind().connection.driver_connection
    await_only(driver.execute(Path(revision_file).with_suffix(".sql").read_text(encoding="utf-8")))
