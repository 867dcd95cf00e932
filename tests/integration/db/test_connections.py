"""What a burst took of the server is given back when it is over."""

import asyncio

import pytest
from sqlalchemy import make_url, text

from gateway.db.engine import create_engine, create_pool, sqlalchemy_url
from gateway.db.migrate import migrate
from gateway.db.transaction import worker_transaction

_PID = text("SELECT pg_backend_pid()")


async def test_a_pool_gives_back_what_a_burst_took(database_url):
    """Each connection is a process of the server that keeps megabytes of what it has cached."""
    pool = await create_pool(database_url, "worker", size=3, idle_s=0.05)
    burst = [await pool.acquire() for _ in range(3)]
    ended = asyncio.Semaphore(0)
    for connection in burst:
        connection.add_termination_listener(lambda _: ended.release())
        await pool.release(connection)
    async with asyncio.timeout(60):
        for _ in burst[1:]:
            await ended.acquire()
    assert pool.get_size() == 1, "one stays for what comes next"
    await pool.close()


async def test_sessions_one_after_the_other_share_a_connection(database_url):
    """Taken in turn, every connection would come to hold all plans and all of the catalog."""
    engine = create_engine(database_url, "worker", pool_size=3)
    async with (
        worker_transaction(engine) as one,
        worker_transaction(engine) as two,
        worker_transaction(engine) as three,
    ):
        for session in (one, two, three):
            await session.execute(_PID)
    used = set()
    for _ in range(4):
        async with worker_transaction(engine) as session:
            used.add(await session.scalar(_PID))
    assert len(used) == 1
    await engine.dispose()


@pytest.mark.parametrize(
    "query", ["sslmode=prefer", "sslmode=disable&application_name=x", "options=-c%20jit%3Doff"]
)
async def test_what_stands_behind_the_question_mark_of_the_url_is_for_every_connection(database_url, query):
    """Managed databases hand out URLs with `?sslmode=require`; both ways to Postgres must take it."""
    url = f"{database_url}?{query}"
    pool = await create_pool(url, "worker", size=1)
    assert await pool.fetchval("SELECT 1") == 1
    await pool.close()
    engine = create_engine(url, "worker", pool_size=1)
    async with worker_transaction(engine) as session:
        assert await session.scalar(text("SELECT current_user")) == "tollgate_worker"
    await engine.dispose()
    await migrate(sqlalchemy_url(url))


async def test_an_engine_refuses_a_server_without_tls_where_the_url_demands_it(database_url):
    """A demand that one of the two ways ignored would send messages in the clear."""
    engine = create_engine(f"{database_url}?sslmode=require", "worker", pool_size=1)
    with pytest.raises(ConnectionError, match="SSL"):
        async with worker_transaction(engine) as session:
            await session.execute(_PID)
    await engine.dispose()


async def test_the_first_of_several_hosts_may_be_away(database_url):
    """A failover pair is named so."""
    identity, _, host = database_url.rpartition("@")
    engine = create_engine(f"{identity}@127.0.0.1:9,{host}", "worker", pool_size=1)
    async with worker_transaction(engine) as session:
        assert await session.scalar(_PID)
    await engine.dispose()


def test_the_password_is_hidden_where_the_url_is_shown():
    """SQLAlchemy prints a URL into messages, and hides in it what it knows as a password."""
    shown = repr(make_url(sqlalchemy_url("postgresql://u:s%40cret@h:5/d?sslmode=require")))
    assert "cret" not in shown
    assert "sslmode" in shown
