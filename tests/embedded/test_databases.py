"""A fresh database costs a moment, so every test module may have its own."""

import asyncpg
import pytest

from gateway.embedded import create_database, drop_database


async def test_new_database_starts_as_a_copy_of_its_template(shared_postgres, connected) -> None:
    """Migrating once and copying is what keeps a suite fast."""
    template = await create_database(shared_postgres.url, "migrated")
    async with connected(template) as connection:
        await connection.execute("CREATE TABLE tenants AS SELECT 7 AS n")
    copy = await create_database(shared_postgres.url, "worker_0", template="migrated")
    async with connected(copy) as connection:
        assert await connection.fetchval("SELECT n FROM tenants") == 7
        assert await connection.fetchval("SELECT current_database()") == "worker_0"


async def test_writes_to_one_database_are_unseen_in_another(shared_postgres, connected) -> None:
    """Workers run the same tests against the same tables."""
    one = await create_database(shared_postgres.url, "one")
    other = await create_database(shared_postgres.url, "other")
    async with connected(one) as connection:
        await connection.execute("CREATE TABLE only_here ()")
    async with connected(other) as connection:
        assert await connection.fetchval("SELECT to_regclass('only_here')") is None


async def test_drop_ends_the_connections_left_open(shared_postgres) -> None:
    """A failed test leaves its connections behind."""
    url = await create_database(shared_postgres.url, "left")
    connection = await asyncpg.connect(url)
    await drop_database(shared_postgres.url, "left")
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(url)
    connection.terminate()


async def test_dropping_an_absent_database_is_fine(shared_postgres) -> None:
    """A suite clears what an aborted run may have left."""
    await drop_database(shared_postgres.url, "never_was")


async def test_name_is_quoted_not_interpreted(shared_postgres, connected) -> None:
    """Test names become database names."""
    url = await create_database(shared_postgres.url, 'odd "name"; --')
    async with connected(url) as connection:
        assert await connection.fetchval("SELECT current_database()") == 'odd "name"; --'
