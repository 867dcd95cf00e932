"""What is made once and kept in the data folder, readable by its owner only."""

import os
import secrets
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from gateway.stack.errors import StackError

_T = TypeVar("_T")
_KEYS: Final = "keys.json"
_TENANT: Final = "test_tenant.json"


class Keys(Struct, frozen=True, kw_only=True):
    """The two keys a gateway cannot run without."""

    operator_key: str
    secret_key: str


class TestTenant(Struct, frozen=True, kw_only=True):
    """The tenant that is ready when `tollgate dev` is."""

    id: str
    key: str
    """`tg_test_…`"""


def keys_of(data: Path) -> Keys:
    """Return the folder's keys, made on the first call."""
    known = _read(data / _KEYS, Keys)
    if known is None:
        known = Keys(operator_key=f"op_{secrets.token_urlsafe(24)}", secret_key=secrets.token_urlsafe(32))
        _write(data / _KEYS, known)
    return known


def test_tenant_of(data: Path) -> TestTenant | None:
    """Return the folder's test tenant, or None before there is one."""
    return _read(data / _TENANT, TestTenant)


def keep_test_tenant(data: Path, tenant: TestTenant) -> None:
    """Remember the test tenant."""
    _write(data / _TENANT, tenant)


def forget(data: Path) -> None:
    """Remove all that is kept."""
    for name in (_KEYS, _TENANT):
        (data / name).unlink(missing_ok=True)


def _read(path: Path, kind: type[_T]) -> _T | None:
    if not path.exists():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError) as error:
        raise StackError(
            f"{path} cannot be read ({error}): restore it, or start afresh with --reset"
        ) from error


def _write(path: Path, value: Struct) -> None:
    """Write so that a crash leaves the old file or the new one, and nobody else can ever read it."""
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(value))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
