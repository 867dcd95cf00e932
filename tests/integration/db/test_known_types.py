"""Postgres's own types are asked for once in a process, a database's own by every connection."""

import asyncpg
import pytest
from sqlalchemy import text

from gateway.db import known_types
from gateway.db.engine import create_engine, create_pool
from gateway.db.known_types import ConnectionWithKnownTypes
from gateway.db.transaction import worker_transaction
from tenants.ids import new_uuid

SERVER_ASKS = asyncpg.Connection._introspect_types
ARRAYS = "SELECT a, b, c FROM unnest($1::uuid[], $2::jsonb[], $3::bigint[]) AS t (a, b, c)"


@pytest.fixture
def asked(monkeypatch):
    """The sets of types that a server was asked for, in a process that knows none."""
    found = []

    async def counted(self, typeoids, timeout):
        found.append(frozenset(typeoids))
        return await SERVER_ASKS(self, typeoids, timeout)

    monkeypatch.setattr(asyncpg.Connection, "_introspect_types", counted)
    monkeypatch.setattr(known_types, "_known", {})
    return found


async def speak(pool, value):
    """Say arrays to the server and hear them back."""
    async with pool.acquire() as connection:
        (row,) = await connection.fetch(ARRAYS, [value], [{"of": str(value)}], [1 << 40])
    assert tuple(row) == (value, {"of": str(value)}, 1 << 40)


async def test_arrays_are_asked_for_once(database_url, asked):
    """Also of JSON, which each connection speaks by a codec of its own."""
    for _ in range(3):
        async with await create_pool(database_url, "worker", size=1) as pool:
            await speak(pool, new_uuid())
    assert len(asked) == 1


async def test_sessions_share_what_is_known(database_url, asked):
    """The engine's connections are the same kind."""
    for _ in range(2):
        engine = create_engine(database_url, "worker", pool_size=1)
        async with worker_transaction(engine) as session:
            statement = text("SELECT id FROM tenants WHERE id = ANY(CAST(:ids AS uuid[]))")
            await session.execute(statement, {"ids": [new_uuid()]})
        await engine.dispose()
    assert len(asked) == 1


async def test_a_database_s_own_types_are_asked_for_by_every_connection(database, database_url, asked):
    """Their numbers mean something else in another database, or once the type was made anew."""
    spoken = []
    for members, value in (("a int", "ROW(1)"), ("a text, b int", "ROW('x', 2)")):
        await database.execute(f"CREATE TYPE of_this_test AS ({members})")
        connection = await asyncpg.connect(database_url, connection_class=ConnectionWithKnownTypes)
        spoken.append(tuple(await connection.fetchval(f"SELECT {value}::of_this_test")))
        await connection.close()
        await database.execute("DROP TYPE of_this_test")
    assert spoken == [(1,), ("x", 2)]
    assert len(asked) == 2
    assert not known_types._known


async def test_a_statement_without_a_name_is_prepared_again(database_url, asked):
    """Through a pooler that keeps no statements, asyncpg's question would have overwritten it."""
    for value in (new_uuid(), new_uuid()):
        connection = await asyncpg.connect(
            database_url, connection_class=ConnectionWithKnownTypes, statement_cache_size=0
        )
        assert await connection.fetchval("SELECT $1::uuid[]", [value]) == [value]
        await connection.close()
    assert len(asked) == 1
