"""What keeps a stack alive and private: restarts, kept keys, and an environment without real credentials."""

import asyncio
import os
import signal
import socket
import stat
from pathlib import Path

import pytest

from gateway.cli import web_workers
from gateway.cli.setting_docs import setting_docs
from gateway.embedded import ServerFailedError
from gateway.errors import ConfigurationError
from gateway.settings import Settings, read_settings
from gateway.stack import keeper, secrets
from gateway.stack.child import Child, ChildPlan, turn_log
from gateway.stack.environment import children_environment
from gateway.stack.errors import StackError
from gateway.stack.keeper import describe_exit, keep_alive
from gateway.stack.ports import settled_port
from gateway.wiring import stopping


def settings() -> Settings:
    """Return any settings."""
    return read_settings(
        {}, database_url="postgresql://x", redis_url="redis://y", operator_key="o" * 16, secret_key="s" * 16
    )


class Mortal:
    """Dies when told to, and counts its lives."""

    name = "it"

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.died = asyncio.Event()
        self.lives = 0
        self.stopped = False

    async def start(self) -> None:
        """Begin a life."""
        self.lives += 1
        self.died.clear()
        self.started.set()

    async def wait_exited(self) -> int:
        """Die by signal 9 when told to."""
        await self.died.wait()
        self.started.clear()
        return -9

    async def stop(self) -> None:
        """Remember that it was asked to stop."""
        self.stopped = True


async def test_what_dies_is_started_again_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer kills a worker and goes on; the terminal tells what happened."""
    monkeypatch.setattr(keeper, "_FIRST_PAUSE_S", 0.0)
    mortal, said = Mortal(), []
    keeping = asyncio.ensure_future(keep_alive(mortal, said.append))
    for _ in range(3):
        await mortal.started.wait()
        mortal.died.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    await mortal.started.wait()
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    assert mortal.lives == 4
    assert said == ["it ended (signal 9); starting it again in 0.0 s"] * 3
    assert mortal.stopped


@pytest.mark.parametrize("refusal", [OSError(28, "No space left on device"), ServerFailedError("said no")])
async def test_what_could_not_be_started_is_tried_again_and_said(
    monkeypatch: pytest.MonkeyPatch, refusal: Exception
) -> None:
    """A disk that was full for a minute must not leave the stack without its Redis for good."""
    monkeypatch.setattr(keeper, "_FIRST_PAUSE_S", 0.0)

    class Unlucky(Mortal):
        async def start(self) -> None:
            if self.lives == 0:
                self.lives = 1
                raise refusal
            await super().start()

    mortal, said = Unlucky(), []
    keeping = asyncio.ensure_future(keep_alive(mortal, said.append))
    async with asyncio.timeout(30):
        await mortal.started.wait()
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    assert said == [f"it could not be started ({refusal}); starting it again in 0.0 s"]
    assert mortal.stopped


async def test_a_child_has_the_patience_of_its_plan_and_no_more(tmp_path: Path) -> None:
    """What it has begun is finished; what never ends is ended."""
    plan = ChildPlan(
        name="it",
        arguments=("emulator", "--port", "0"),
        environment=dict(os.environ),
        log=tmp_path / "log",
        patience_s=0.0,
    )
    child = Child(plan)
    await child.start()
    await child.stop()
    assert await child.wait_exited() in {-signal.SIGKILL, -signal.SIGTERM}


def test_a_web_worker_is_granted_longer_than_it_takes_to_stop_by_itself() -> None:
    """Its supervisor would kill it while it answers, or while it says what it did not finish."""
    assert web_workers._LONGER_S > stopping._LAST_S


def test_an_exit_is_told_in_words() -> None:
    """A negative status is a signal."""
    assert describe_exit(-15) == "signal 15"
    assert describe_exit(1) == "status 1"


def test_keys_are_made_once_and_are_their_owner_s_alone(tmp_path: Path) -> None:
    """The operator key opens every tenant."""
    keys = secrets.keys_of(tmp_path)
    assert secrets.keys_of(tmp_path) == keys
    assert keys.operator_key != keys.secret_key
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_reset_forgets_the_keys_and_the_tenant(tmp_path: Path) -> None:
    """What is encrypted with the old secret is gone as well."""
    keys = secrets.keys_of(tmp_path)
    secrets.keep_test_tenant(tmp_path, secrets.TestTenant(id="ten_1", key="tg_test_1"))
    assert secrets.test_tenant_of(tmp_path) == secrets.TestTenant(id="ten_1", key="tg_test_1")
    secrets.forget(tmp_path)
    assert secrets.test_tenant_of(tmp_path) is None
    assert secrets.keys_of(tmp_path) != keys


def test_damaged_keys_are_an_error_with_a_way_out_and_not_new_keys(tmp_path: Path) -> None:
    """New keys would make every stored secret unreadable."""
    (tmp_path / "keys.json").write_text("{")
    with pytest.raises(StackError, match="--reset"):
        secrets.keys_of(tmp_path)


def test_no_real_credential_reaches_a_child_beside_the_emulator() -> None:
    """A developer's own AWS profile must not be charged."""
    inherited = {"PATH": "/bin", "AWS_PROFILE": "mine", "AWS_SECRET_ACCESS_KEY": "real", "TOLLGATE_TYPO": "x"}
    seen = children_environment(inherited, settings(), emulated=True)
    assert seen["PATH"] == "/bin"
    assert "AWS_PROFILE" not in seen
    assert seen["AWS_SECRET_ACCESS_KEY"] == "emulator"
    assert "TOLLGATE_TYPO" not in seen


def test_with_a_real_endpoint_the_credentials_are_passed_on() -> None:
    """Whoever sets AWS_ENDPOINT_URL means it."""
    seen = children_environment({"AWS_PROFILE": "mine"}, settings(), emulated=False)
    assert seen["AWS_PROFILE"] == "mine"


def test_loopback_is_never_asked_of_a_proxy() -> None:
    """A company's proxy knows nothing of 127.0.0.1."""
    seen = children_environment({"NO_PROXY": "example.com"}, settings(), emulated=True)
    assert seen["NO_PROXY"] == seen["no_proxy"] == "example.com,127.0.0.1,localhost,::1"


def test_a_busy_port_names_the_option_that_chooses_another() -> None:
    """The first thing that goes wrong on a developer's machine."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(ConfigurationError, match=rf"port {port} is in use .*--port"):
            settled_port(port, "--port")
    assert settled_port(0, "--port") > 0


def test_a_log_keeps_the_run_before(tmp_path: Path) -> None:
    """What killed the last run is looked for after the next start."""
    log = tmp_path / "logs" / "api.log"
    turn_log(log)
    log.write_text("one")
    turn_log(log)
    assert not log.exists()
    assert (tmp_path / "logs" / "api.log.1").read_text() == "one"


def test_doctor_knows_every_setting_with_its_meaning() -> None:
    """The docstrings beside the fields are the only place where settings are explained."""
    docs = {doc.name: doc for doc in setting_docs()}
    assert docs["DATABASE_URL"].default == "required"
    assert docs["AWS_ENDPOINT_URL"].default == "none"
    assert "PostgreSQL" in docs["DATABASE_URL"].doc
    assert docs["TOLLGATE_PORT"].default == "8080"
    assert len(docs) == len(Settings.__struct_fields__)
