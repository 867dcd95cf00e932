"""A setting with which a process would stand still, or break later, keeps it from starting and is named."""

from pathlib import Path

import pytest

from gateway.errors import ConfigurationError
from gateway.settings import read_settings, to_environment

PASSWORD = "hunter2hunter2"
REQUIRED = {
    "DATABASE_URL": "postgresql://localhost/x",
    "REDIS_URL": "redis://localhost",
    "TOLLGATE_OPERATOR_KEY": "operator-key-for-tests",
    "TOLLGATE_SECRET_KEY": "secret-key-for-tests",
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOLLGATE_INTAKE_FLUSHERS", "0"),  # every send would wait for ever
        ("TOLLGATE_DISPATCH_IN_FLIGHT", "0"),
        ("TOLLGATE_QUEUE_POLLERS", "-1"),
        ("TOLLGATE_QUEUE_HIDDEN_S", "0"),
        ("TOLLGATE_DATABASE_POOL_SIZE", "0"),
        ("TOLLGATE_INTAKE_QUEUE_SIZE", "0"),
        ("TOLLGATE_FAIL_OVER_AFTER", "0"),
        ("TOLLGATE_RECONCILE_EVERY_S", "-1"),
        ("TOLLGATE_UNKNOWN_WAIT_S", "inf"),
        ("TOLLGATE_PORT", "65536"),
        ("TOLLGATE_LOG_LEVEL", "loud"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", f"postgresql+asyncpg://u:{PASSWORD}@h/d"),
        ("DATABASE_URL", f"postgresql://u:{PASSWORD}[@h/d"),
        ("DATABASE_URL", f"postgresql://u:{PASSWORD}@h:port/d"),
        ("REDIS_URL", f"http://:{PASSWORD}@h"),
        ("REDIS_URL", f"redis://:{PASSWORD}@h:port"),
        ("AWS_ENDPOINT_URL", "localhost:4579"),
        ("TOLLGATE_PUBLIC_URL", "sms.example.com"),
        ("TOLLGATE_PUBLIC_URL", "https:///path"),
    ],
)
def test_what_no_process_could_work_with_is_refused_by_name(name: str, value: str) -> None:
    """At the start, where a person looks; and a password in it is not repeated."""
    with pytest.raises(ConfigurationError, match=f"^{name} ") as refused:
        read_settings(REQUIRED | {name: value})
    assert PASSWORD not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgres:///d?host=/var/run/postgresql"),
        (
            "DATABASE_URL",
            "postgresql://u:p,w@a:5432,b:5433/d?target_session_attrs=read-write&sslmode=require",
        ),
        ("REDIS_URL", "rediss+cluster://h:6380"),
        ("REDIS_URL", "unix:///run/redis.sock"),
        ("AWS_ENDPOINT_URL", "http://[::1]:4579"),
        ("TOLLGATE_UNKNOWN_WAIT_S", "0"),
    ],
)
def test_what_clients_take_is_taken(name: str, value: str) -> None:
    """The bounds are of what cannot work, not of taste."""
    assert to_environment(read_settings(REQUIRED | {name: value}))[name].startswith(value)


def test_a_slash_at_the_end_of_the_public_address_is_no_part_of_it() -> None:
    """SNS would post receipts to a path with two, where nothing is."""
    settings = read_settings(REQUIRED | {"TOLLGATE_PUBLIC_URL": "https://sms.example.com/"})
    assert settings.public_url == "https://sms.example.com"


def test_a_secrets_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    """A key made by `head -c 32 /dev/urandom` is not."""
    (tmp_path / "key").write_bytes(b"\xff\xfe")
    given = {name: text for name, text in REQUIRED.items() if name != "TOLLGATE_SECRET_KEY"}
    with pytest.raises(ConfigurationError, match="TOLLGATE_SECRET_KEY_FILE cannot be read"):
        read_settings(given | {"TOLLGATE_SECRET_KEY_FILE": str(tmp_path / "key")})
