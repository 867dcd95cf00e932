"""Whatever is killed, the next start serves the same data, and never beside an older server."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import asyncpg
import msgspec
import pytest

from gateway.embedded import EmbeddedPostgres, EmbeddedRedis, embedded_stores
from gateway.embedded.server import EmbeddedServer
from gateway.embedded.survivors import _alive

ENDLESS = "SELECT count(*) FROM generate_series(1, 1000000000000) n WHERE n % 7 = 8"

pytestmark = pytest.mark.scenario


async def _killed(server: EmbeddedServer) -> None:
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    assert await server.wait_exited() == -signal.SIGKILL
    assert server.pid is None


def _abandon(server: EmbeddedServer) -> None:
    """Do to a server what its owner's death does, less the leash: nobody holds the lock, nobody stops it."""
    process = server._process
    assert process is not None
    process._leash.kill()
    process._leash.wait()
    server._folder.release()


def _until_gone(path: Path) -> None:
    while path.exists():
        time.sleep(0.01)


async def test_killed_postgres_starts_again_with_every_commit(postgres, connected) -> None:
    """`fsync` and a recovery, not luck."""
    async with connected(postgres.url) as connection:
        await connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    await _killed(postgres)
    await postgres.start()
    async with connected(postgres.url) as connection:
        assert await connection.fetchval("SELECT n FROM kept") == 7


async def test_killed_redis_starts_again_with_every_write(redis, client) -> None:
    """The append-only file is written before the reply; only a dead machine could lose its last second."""
    async with client(redis.url) as commands:
        await commands.set("kept", "7")
    await _killed(redis)
    await redis.start()
    async with client(redis.url) as commands:
        assert await commands.get("kept") == "7"


async def test_both_killed_at_once_start_again_on_the_same_urls(tmp_path: Path, connected, client) -> None:
    """What a machine short of memory does."""
    async with embedded_stores(tmp_path, database_url=None, redis_url=None) as stores:
        for server in stores.servers:
            await _killed(server)
        for server in stores.servers:
            await server.start()
        async with connected(stores.database_url) as connection:
            assert await connection.fetchval("SELECT 1") == 1
        async with client(stores.redis_url) as commands:
            assert await commands.ping()


async def test_busy_backend_of_a_killed_postmaster_does_not_block_the_start(postgres, connected) -> None:
    """It holds the shared memory and looks at nothing else; PostgreSQL refuses to start beside it."""
    async with connected(postgres.url) as watcher:
        connection = await asyncpg.connect(postgres.url)
        backend = connection.get_server_pid()
        endless = asyncio.create_task(connection.execute(ENDLESS))
        while (
            await watcher.fetchval("SELECT state FROM pg_stat_activity WHERE pid = $1", backend) != "active"
        ):
            continue  # each look is a round trip, which lets the other query go out
        await _killed(postgres)
    await postgres.start()
    with pytest.raises((asyncpg.PostgresError, ConnectionError)):
        await endless
    connection.terminate()
    assert backend not in _alive(postgres._habitat)


@pytest.mark.parametrize("kind", [EmbeddedPostgres, EmbeddedRedis])
async def test_server_of_a_dead_owner_is_stopped_before_the_next_starts(tmp_path: Path, kind) -> None:
    """Never two servers on one folder, even when the leash was lost with the owner."""
    orphan = kind(tmp_path)
    await orphan.start()
    _abandon(orphan)
    async with kind(tmp_path) as successor:
        assert await orphan.wait_exited() == 0
        assert successor.pid not in (None, orphan.pid)
        assert successor.url == orphan.url


@pytest.mark.parametrize("kind", [EmbeddedPostgres, EmbeddedRedis])
async def test_process_id_file_that_names_a_stranger_is_ignored(tmp_path: Path, kind) -> None:
    """Process ids start again with the machine or container; the stranger must live, the server start."""
    async with kind(tmp_path) as server:
        pid_file = server.folder / "data" / server.pid_file
    stranger = await asyncio.create_subprocess_exec("cat", stdin=asyncio.subprocess.PIPE)
    pid_file.write_text(f"{stranger.pid}\n")
    async with kind(tmp_path) as again:
        assert again.pid is not None
        assert stranger.returncode is None
    assert stranger.stdin is not None
    stranger.stdin.close()
    assert await stranger.wait() == 0


async def test_killed_owner_takes_its_servers_with_it(tmp_path: Path) -> None:
    """A developer who kills the terminal must not find servers tomorrow."""
    command = [sys.executable, "-m", "gateway.embedded", "--data", str(tmp_path)]
    pipe = asyncio.subprocess.PIPE
    owner = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    assert owner.stdout is not None
    await owner.stdout.readline()
    pid_file = tmp_path / "postgres" / "data" / "postmaster.pid"
    postmaster = int(pid_file.read_text().splitlines()[0])
    owner.kill()
    await owner.communicate()
    await asyncio.wait_for(asyncio.to_thread(_until_gone, pid_file), 30)  # removed by an orderly end only
    async with embedded_stores(tmp_path, database_url=None, redis_url=None) as stores:
        assert postmaster not in {server.pid for server in stores.servers}


async def test_owner_killed_and_restarted_at_once_finds_its_data(tmp_path: Path, connected) -> None:
    """Its old servers may still be shutting down when the new owner arrives."""
    command = [sys.executable, "-m", "gateway.embedded", "--data", str(tmp_path)]
    pipe = asyncio.subprocess.PIPE
    for expected in range(1, 4):
        owner = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
        assert owner.stdout is not None
        urls = msgspec.json.decode(await owner.stdout.readline(), type=dict[str, str])
        async with connected(urls["database_url"]) as connection:
            await connection.execute("CREATE TABLE IF NOT EXISTS starts (at timestamptz DEFAULT now())")
            await connection.execute("INSERT INTO starts DEFAULT VALUES")
            assert await connection.fetchval("SELECT count(*) FROM starts") == expected
        owner.kill()
        await owner.communicate()


async def test_half_made_data_folder_is_made_again(tmp_path: Path, connected) -> None:
    """`initdb` killed half way leaves a folder PostgreSQL can neither use nor replace."""
    draft = tmp_path / "postgres" / "data.new"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")
    async with EmbeddedPostgres(tmp_path) as server, connected(server.url) as connection:
        assert await connection.fetchval("SELECT 1") == 1
