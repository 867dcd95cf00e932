"""An embedded PostgreSQL: data safe as in production, memory as on a laptop."""

import asyncio
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import asyncpg

from gateway.embedded.account import Account
from gateway.embedded.bundle import reachable
from gateway.embedded.databases import quoted
from gateway.embedded.endpoint import LOOPBACK
from gateway.embedded.errors import ServerFailedError, ServerNotRunningError
from gateway.embedded.process import Launch, ServerProcess, StopPlan
from gateway.embedded.programs import POSTGRES_PROVIDERS, PostgresPrograms, PostgresProvider, find_postgres
from gateway.embedded.server import EmbeddedServer, address, make_own

SUPERUSER = "postgres"
DATABASE = "tollgate"

SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "64MB",
    "max_connections": "100",
    "min_wal_size": "80MB",
    "max_wal_size": "512MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "logging_collector": "off",
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # a socket's path may be at most about 100 characters long
}

FIRST_MAJOR_WITH_BUILTIN_LOCALE = 17
FIRST_MAJOR_THAT_KEEPS_ITS_FOLDER = 16
"""Older ones step out to look for their own executable, and cannot step back in where a parent is closed."""

STATUS_LINE = 7
"""Of postmaster.pid, counting from 0: `starting`, `ready` or `stopping`."""


class EmbeddedPostgres(EmbeddedServer):
    """
    A PostgreSQL in the folder `data/postgres`, with the database `tollgate` in it.

    Args:
        data: The folder given as `--data`.
        settings: Server settings besides `SETTINGS`, or instead of some of them.
        providers: Where the programs may come from, best first.
    """

    stop_plan: ClassVar = StopPlan(polite=signal.SIGINT, firm=signal.SIGQUIT)  # fast, then immediate shutdown
    process_names: ClassVar = ("postgres",)
    pid_file: ClassVar = "postmaster.pid"

    def __init__(
        self,
        data: Path,
        *,
        settings: Mapping[str, str] | None = None,
        providers: Sequence[PostgresProvider] = POSTGRES_PROVIDERS,
    ) -> None:
        super().__init__(data / "postgres")
        self._settings = SETTINGS | dict(settings or {})
        self._providers = providers
        self._programs: PostgresPrograms | None = None

    @property
    def url(self) -> str:
        """The superuser's URL: migrations create roles."""
        return self._url(DATABASE)

    async def _prepare(self, account: Account | None) -> None:
        major = _data_major(self._folder.live)
        programs = await asyncio.to_thread(find_postgres, major, self._providers)
        if major is None:
            await self._initialise(programs, account)
        make_own(self._folder.live, account)
        self._programs = programs

    def _launch(self, account: Account | None) -> Launch:
        settings = self._settings | {"port": str(self._known.port)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return self._command(self._found, "postgres", account, self._folder.live, options)

    async def _answers(self) -> bool:
        """Read it from the server's own file: connecting would also succeed at a stranger's port."""
        return _reports_ready(self._folder.live / self.pid_file, self.pid)

    async def _finish(self) -> None:
        connection = await self._connected()
        try:
            if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", DATABASE):
                await connection.execute(f"CREATE DATABASE {quoted(DATABASE)} TEMPLATE template0")
        finally:
            await connection.close()

    async def _connected(self) -> "asyncpg.Connection[asyncpg.Record]":
        try:
            return await asyncpg.connect(self._url("postgres"), ssl=False)
        except asyncpg.InvalidPasswordError as error:
            raise ServerFailedError(
                f"{self.folder / 'endpoint.json'} does not belong to the data beside it: "
                "put the original back, or start with empty data"
            ) from error

    async def _initialise(self, programs: PostgresPrograms, account: Account | None) -> None:
        """Make a new cluster beside its place and move it there: a killed start leaves no half cluster."""
        draft = self._folder.live.with_suffix(".new")
        if draft.exists():
            shutil.rmtree(draft)
        make_own(draft, account)
        options = [
            f"--username={SUPERUSER}",
            "--auth=scram-sha-256",
            "--pwfile=/dev/stdin",
            *_locale(programs.major),
        ]
        launch = self._command(programs, "initdb", account, draft, options)
        self._folder.turn_log()
        initdb = ServerProcess(replace(launch, stdin=self._known.password.encode()))
        try:
            status = await initdb.wait()
        finally:
            await initdb.stop()
        if status != 0:
            raise self._failed("could not be initialised")
        draft.rename(self._folder.live)

    def _command(
        self,
        programs: PostgresPrograms,
        name: str,
        account: Account | None,
        cwd: Path,
        options: Sequence[str],
    ) -> Launch:
        program = reachable(programs.bin / name, programs.bundle, account)
        folder = address(cwd, account, keeps_folder=programs.major >= FIRST_MAJOR_THAT_KEEPS_ITS_FOLDER)
        return Launch(
            argv=(str(program), "-D", folder, *options),
            cwd=cwd,
            log=self._folder.log,
            account=account,
            stop=self.stop_plan,
        )

    @property
    def _found(self) -> PostgresPrograms:
        if self._programs is None:
            raise ServerNotRunningError(f"the server of {self.folder} has not been prepared")
        return self._programs

    def _url(self, database: str) -> str:
        endpoint = self._known
        return f"postgresql://{SUPERUSER}:{endpoint.password}@{LOOPBACK}:{endpoint.port}/{database}"


def _data_major(live: Path) -> int | None:
    """Return which major version wrote the folder, or None for a new one."""
    version = live / "PG_VERSION"
    return int(version.read_text()) if version.exists() else None


def _locale(major: int) -> list[str]:
    """Sort by code point and know letters beyond ASCII, without any locale of the operating system."""
    options = ["--encoding=UTF8", "--no-locale"]
    if major >= FIRST_MAJOR_WITH_BUILTIN_LOCALE:
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return options


def _reports_ready(pid_file: Path, pid: int | None) -> bool:
    try:
        lines = pid_file.read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > STATUS_LINE and lines[0] == str(pid) and lines[STATUS_LINE].strip() == "ready"
