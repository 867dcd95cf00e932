"""What a burst took of the server is given back when it is over."""

import asyncio

from sqlalchemy import text

from gateway.db.engine import create_engine, create_pool
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
