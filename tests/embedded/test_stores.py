"""Only what has no URL is started, and everything started is stopped."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import msgspec
import pytest

from gateway.embedded import EmbeddedRedis, FolderInUseError, Sizing, embedded_stores, erase_stores


def _until_there(path: Path) -> None:
    while not path.exists():
        time.sleep(0.001)


async def test_both_servers_start_when_nothing_is_given(tmp_path: Path, connected, client) -> None:
    """`tollgate dev` without any configuration."""
    async with embedded_stores(tmp_path / "new" / "folder", database_url=None, redis_url=None) as stores:
        async with connected(stores.database_url) as connection:
            assert await connection.fetchval("SELECT 1") == 1
        async with client(stores.redis_url) as commands:
            assert await commands.ping()
        servers = stores.servers
    assert [server.pid for server in servers] == [None, None]


async def test_given_urls_are_passed_through_and_nothing_is_touched(tmp_path: Path) -> None:
    """With both URLs set there is nothing embedded, not even a folder."""
    data = tmp_path / "untouched"
    async with embedded_stores(data, database_url="postgresql://given", redis_url="redis://given") as stores:
        assert (stores.database_url, stores.redis_url) == ("postgresql://given", "redis://given")
        assert stores.servers == ()
    assert not data.exists()


async def test_a_given_database_leaves_only_redis_to_start(tmp_path: Path) -> None:
    """Each URL decides about its own server."""
    async with embedded_stores(tmp_path, database_url="postgresql://given", redis_url=None) as stores:
        assert [type(server) for server in stores.servers] == [EmbeddedRedis]


async def test_the_servers_are_of_the_size_asked_for(tmp_path: Path, connected) -> None:
    """What is not said of it stays as on a laptop."""
    sizing = Sizing(postgres={"shared_buffers": "16MB"}, redis={"auto-aof-rewrite-min-size": "1gb"})
    async with embedded_stores(tmp_path, database_url=None, redis_url=None, sizing=sizing) as stores:
        async with connected(stores.database_url) as connection:
            assert await connection.fetchval("SHOW shared_buffers") == "16MB"
            assert await connection.fetchval("SHOW max_wal_size") == "512MB"
        redis = stores.servers[1]
        assert isinstance(redis, EmbeddedRedis)
        told = await redis.command("CONFIG", "GET", "auto-aof-rewrite-min-size")
        assert "1073741824" in str(told)


async def test_second_pair_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    """Two `tollgate dev` at once: the second gets a clear error and the first does not notice."""
    async with embedded_stores(tmp_path, database_url=None, redis_url=None) as stores:
        with pytest.raises(FolderInUseError):
            async with embedded_stores(tmp_path, database_url=None, redis_url=None):
                pass
        assert all(server.pid is not None for server in stores.servers)


async def test_owner_hears_of_a_death_and_restarts_on_the_same_url(tmp_path: Path, client) -> None:
    """This is all a supervisor needs."""
    async with embedded_stores(tmp_path, database_url="postgresql://given", redis_url=None) as stores:
        (server,) = stores.servers
        heard = asyncio.create_task(server.wait_exited())
        os.kill(server.pid, signal.SIGKILL)
        assert await heard == -9
        await server.start()
        async with client(stores.redis_url) as commands:
            assert await commands.ping()


async def test_cancelled_start_leaves_nothing_running(tmp_path: Path) -> None:
    """Ctrl-C during the first start is common, for that is the slow one."""

    async def starting() -> None:
        async with embedded_stores(tmp_path, database_url=None, redis_url=None):
            raise AssertionError("cancelled before it was started")

    task = asyncio.create_task(starting())
    await asyncio.to_thread(_until_there, tmp_path / "postgres" / "data.new" / "PG_VERSION")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with embedded_stores(tmp_path, database_url=None, redis_url=None) as stores:
        assert all(server.pid is not None for server in stores.servers)


async def test_erase_empties_both(tmp_path: Path, client) -> None:
    """`tollgate dev --reset` starts from nothing."""
    async with (
        embedded_stores(tmp_path, database_url=None, redis_url=None) as stores,
        client(stores.redis_url) as one,
    ):
        await one.set("forgotten", "1")
    await erase_stores(tmp_path)
    assert not (tmp_path / "postgres" / "data").exists()
    async with (
        embedded_stores(tmp_path, database_url="postgresql://given", redis_url=None) as again,
        client(again.redis_url) as other,
    ):
        assert await other.get("forgotten") is None


async def test_module_serves_until_its_input_ends(tmp_path: Path, connected) -> None:
    """A test session's controller closes the pipe at the end, or dies with the same effect."""
    command = [sys.executable, "-m", "gateway.embedded", "--data", str(tmp_path)]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    assert process.stdin is not None
    assert process.stdout is not None
    urls = msgspec.json.decode(await process.stdout.readline(), type=dict[str, str])
    async with connected(urls["database_url"]) as connection:
        assert await connection.fetchval("SELECT 1") == 1
    process.stdin.close()
    assert await process.wait() == 0
    assert not (tmp_path / "postgres" / "data" / "postmaster.pid").exists()


async def test_module_says_why_it_cannot_serve(tmp_path: Path) -> None:
    """A controller shows this line to the user, not a traceback."""
    async with EmbeddedRedis(tmp_path), asyncio.timeout(60):
        command = [sys.executable, "-m", "gateway.embedded", "--data", str(tmp_path)]
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
        _, complaint = await process.communicate()
    assert process.returncode == 1
    assert b"in use by another tollgate" in complaint
    assert b"Traceback" not in complaint
