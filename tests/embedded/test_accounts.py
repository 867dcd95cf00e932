"""The servers run for root and for everybody else, wherever the data folder and the programs lie."""

import os
import pwd
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.embedded import EmbeddedPostgres, EmbeddedRedis, FolderUnusableError
from gateway.embedded.account import Account
from gateway.embedded.bundle import can_execute, reachable
from gateway.embedded.programs import (
    POSTGRES_PROVIDERS,
    REDIS_PROVIDERS,
    PostgresPrograms,
    RedisProgram,
    find_postgres,
    find_redis,
)
from gateway.embedded.server import address

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")

AS_ORDINARY_USER = Path(__file__).with_name("as_ordinary_user.py")


@pytest.fixture
def nobody() -> Account:
    """An ordinary account every Unix has."""
    entry = pwd.getpwnam("nobody")
    return Account(name="nobody", uid=entry.pw_uid, gid=entry.pw_gid)


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A folder only its owner may enter."""
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    return folder


def _folder_of(account: Account, folder: Path) -> Path:
    folder.mkdir(parents=True)
    os.chown(folder, account.uid, account.gid)
    return folder


def _account_of(pid: int) -> int:
    shown = subprocess.run(["ps", "-o", "uid=", "-p", str(pid)], capture_output=True, check=True)
    return int(shown.stdout)


def _owner(path: Path) -> int:
    return path.stat().st_uid


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@as_root
@pytest.mark.parametrize("kind", [EmbeddedPostgres, EmbeddedRedis])
async def test_root_steps_down_even_where_the_folder_is_closed_to_others(closed: Path, kind) -> None:
    """The default folder of root is below /root, and PostgreSQL refuses to run as root."""
    async with kind(closed) as server:
        assert _account_of(server.pid) == _owner(server.folder / "data") != 0
    assert _mode(closed) == 0o700


@as_root
def test_older_postgres_is_told_a_folder_only_where_its_account_can_go(
    closed: Path, open_folder: Path, nobody: Account
) -> None:
    """Before version 16 there is no way in but the front door, so a closed one must be said."""
    assert address(open_folder, nobody, keeps_folder=False) == str(open_folder)
    with pytest.raises(FolderUnusableError, match="cannot be reached by nobody"):
        address(closed, nobody, keeps_folder=False)


@as_root
async def test_root_takes_over_data_that_were_copied_as_root(tmp_path: Path) -> None:
    """`cp -r` as root makes everything root's, and PostgreSQL insists on its own."""
    async with EmbeddedPostgres(tmp_path) as server:
        live = server.folder / "data"
    for path in [live, *live.rglob("*")]:
        os.chown(path, 0, 0)
    async with EmbeddedPostgres(tmp_path) as again:
        assert again.pid is not None


@as_root
def test_ordinary_user_starts_stops_and_starts_again(open_folder: Path, nobody: Account) -> None:
    """Most developers are not root."""
    data = _folder_of(nobody, open_folder / "data")
    command = [sys.executable, AS_ORDINARY_USER, str(nobody.uid), str(nobody.gid), str(data)]
    run = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert (run.stderr, run.stdout) == ("", f"{nobody.uid} 2\n")


@as_root
async def test_root_uses_data_of_an_ordinary_user_as_that_user(open_folder: Path, nobody: Account) -> None:
    """One run under sudo must not lock the user out of the own data afterwards."""
    live = _folder_of(nobody, open_folder / "redis" / "data")
    async with EmbeddedRedis(open_folder) as server:
        assert _account_of(server.pid) == _owner(live) == nobody.uid


async def test_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    """A typing error in `--data` must not end in a traceback."""
    with pytest.raises(FolderUnusableError, match="cannot be used"):
        await EmbeddedRedis(Path(__file__)).start()


@dataclass(frozen=True)
class Elsewhere:
    """Both wheels' programs, moved to a folder closed to all but root."""

    root: Path

    def postgres(self) -> PostgresPrograms:
        """Return PostgreSQL there."""
        found = find_postgres(None, POSTGRES_PROVIDERS)
        self._link(found.bundle.root, found.bundle.parts)
        bundle = type(found.bundle)(root=self.root, parts=found.bundle.parts)
        folder = self.root / found.bin.relative_to(found.bundle.root)
        return PostgresPrograms(provider="closed", major=found.major, bin=folder, bundle=bundle)

    def redis(self) -> RedisProgram:
        """Return Redis there."""
        found = find_redis(REDIS_PROVIDERS)
        self._link(found.bundle.root, found.bundle.parts)
        bundle = type(found.bundle)(root=self.root, parts=found.bundle.parts)
        server = self.root / found.server.relative_to(found.bundle.root)
        return RedisProgram(provider="closed", server=server, bundle=bundle)

    def _link(self, root: Path, parts: tuple[str, ...]) -> None:
        for part in parts:
            (self.root / part).parent.mkdir(parents=True, exist_ok=True)
            (self.root / part).symlink_to(root / part)


@dataclass(frozen=True)
class Only:
    """A provider with one installation."""

    programs: PostgresPrograms | RedisProgram

    def installations(self) -> Iterator[PostgresPrograms | RedisProgram]:
        """Yield it."""
        yield self.programs


@as_root
async def test_programs_closed_to_the_account_run_from_a_copy(closed: Path, tmp_path: Path) -> None:
    """A virtual environment below /root, as in a fresh clone made by root."""
    elsewhere = Elsewhere(closed)
    data = tmp_path / "data"
    async with (
        EmbeddedPostgres(data, providers=[Only(elsewhere.postgres())]) as one,
        EmbeddedRedis(data, providers=[Only(elsewhere.redis())]) as two,
    ):
        assert one.pid is not None
        assert two.pid is not None


@as_root
def test_copy_is_made_once_and_open_to_the_account(closed: Path, open_folder: Path, nobody: Account) -> None:
    """The second start must not copy again."""
    programs = Elsewhere(closed).redis()
    assert not can_execute(nobody, programs.server)
    first = reachable(programs.server, programs.bundle, nobody, cache=open_folder)
    made = first.stat().st_ctime_ns
    second = reachable(programs.server, programs.bundle, nobody, cache=open_folder)
    assert can_execute(nobody, first)
    assert (second, second.stat().st_ctime_ns) == (first, made)
    assert len(list(open_folder.iterdir())) == 1


@as_root
def test_cache_of_somebody_else_is_refused(closed: Path, open_folder: Path, nobody: Account) -> None:
    """Root must not run programs another account could have put there."""
    programs = Elsewhere(closed).redis()
    os.chown(open_folder, nobody.uid, nobody.gid)
    with pytest.raises(FolderUnusableError, match="belongs to somebody else"):
        reachable(programs.server, programs.bundle, nobody, cache=open_folder)
