"""Which revision is needed and which one is there, without Alembic."""

import os
from importlib.resources import files

from alembic.config import Config
from alembic.script import ScriptDirectory

from gateway.db.revision import current_revision, newest_revision
from gateway.embedded.databases import create_database, drop_database


async def test_the_newest_revision_is_the_one_that_migrations_lead_to(database_url):
    """Alembic follows `down_revision`, we the files' names: a readiness for another never comes."""
    config = Config()
    config.set_main_option("script_location", str(files("gateway.db").joinpath("migrations")))
    head = ScriptDirectory.from_config(config).get_current_head()
    assert newest_revision() == head
    assert await current_revision(database_url) == (head, head)


async def test_a_database_without_a_schema_has_no_revision(stores):
    """Readiness names `tollgate migrate` then."""
    name = f"tollgate_unmigrated_{os.getpid()}"
    url = await create_database(stores.database_url, name)
    try:
        assert await current_revision(url) == (None, newest_revision())
    finally:
        await drop_database(stores.database_url, name)
