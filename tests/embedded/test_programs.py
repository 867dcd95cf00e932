"""Providers are asked in order, and a missing program names the way out."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.embedded import ServerMissingError
from gateway.embedded.bundle import Bundle
from gateway.embedded.programs import (
    PostgresOnSystem,
    PostgresPrograms,
    PostgresWheel,
    RedisOnSystem,
    RedisWheel,
    find_postgres,
    find_redis,
)


class Installed:
    """A provider with the given major versions."""

    def __init__(self, name: str, *majors: int) -> None:
        self.name = name
        self.majors = majors

    def installations(self) -> Iterator[PostgresPrograms]:
        """Yield one for each."""
        for major in self.majors:
            yield PostgresPrograms(
                provider=self.name, major=major, bin=Path("/bin"), bundle=Bundle(root=Path("/bin"))
            )


def test_first_provider_with_a_server_wins() -> None:
    """The wheel is the version we test with; the system's is the fallback."""
    assert find_postgres(None, [Installed("wheel"), Installed("system", 15)]).provider == "system"
    assert find_postgres(None, [Installed("wheel", 18), Installed("system", 15)]).provider == "wheel"


def test_existing_data_choose_the_major_version_that_wrote_them() -> None:
    """Another major version would refuse the folder."""
    assert find_postgres(15, [Installed("wheel", 18, 16), Installed("system", 15)]).major == 15


def test_data_of_an_absent_major_version_name_what_is_there() -> None:
    """An upgraded machine must not look like lost data."""
    with pytest.raises(ServerMissingError, match=r"written by PostgreSQL 14, this machine has 18, 16:"):
        find_postgres(14, [Installed("wheel", 18, 16)])


def test_wheel_offers_its_newest_postgres_first() -> None:
    """New folders begin on the version with the longest life ahead."""
    majors = [programs.major for programs in PostgresWheel().installations()]
    assert majors == sorted(majors, reverse=True)
    assert majors[0] >= 18


def test_servers_on_path_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no wheel exists for a platform, its own packages serve."""
    wheel = next(PostgresWheel().installations())
    monkeypatch.setenv("PATH", str(wheel.bin))
    assert next(PostgresOnSystem().installations()).bin == wheel.bin.resolve()
    server = next(RedisWheel().installations()).server
    monkeypatch.setenv("PATH", str(server.parent))
    assert next(RedisOnSystem().installations()).server == server.resolve()


def test_valkey_on_path_is_as_good_as_redis(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Distributions have begun to ship only Valkey."""
    (tmp_path / "valkey-server").symlink_to(next(RedisWheel().installations()).server)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_redis([RedisOnSystem()]).provider == "system"


def test_too_old_and_broken_servers_are_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Scripts are written for 6.2; a program for another machine prints no version at all."""
    old = tmp_path / "redis-server"
    old.write_text("#!/bin/sh\necho 'Redis server v=5.0.14 sha=00000000:0'\n")
    broken = tmp_path / "valkey-server"
    broken.write_bytes(b"\x7fELF broken")
    for program in (old, broken):
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServerMissingError):
        find_redis([RedisOnSystem()])
