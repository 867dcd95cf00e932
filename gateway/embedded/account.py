"""
Whom the servers run as.

An ordinary user's servers run as that user. PostgreSQL refuses root, so root steps down: to the owner of the
data if that is somebody else, or else to the system account `tollgate`, made on first use. `nobody` serves
where accounts cannot be made.
"""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from gateway.embedded.errors import AccountMissingError

SERVICE_ACCOUNT = "tollgate"
LAST_RESORT = "nobody"
ADMIN_PATH = "/usr/sbin:/sbin:/usr/bin:/bin"


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """A user of the operating system that root steps down to."""

    name: str
    uid: int
    gid: int


def account_for(live: Path) -> Account | None:
    """Return whom the server on the folder `live` must run as, or None to run as the caller."""
    if os.geteuid() != 0:
        return None
    return _owner_of(live) or _service_account()


def give(live: Path, account: Account) -> None:
    """Make the account the owner of the folder and of all in it."""
    if live.stat().st_uid == account.uid:
        return
    os.chown(live, account.uid, account.gid)
    for path in live.rglob("*"):
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def _owner_of(live: Path) -> Account | None:
    """Return the folder's owner unless it is root; the name may be unknown in a container."""
    if not live.exists():
        return None
    status = live.stat()
    if status.st_uid == 0:
        return None
    return Account(name=f"#{status.st_uid}", uid=status.st_uid, gid=status.st_gid)


def _service_account() -> Account:
    account = _named(SERVICE_ACCOUNT) or _created(SERVICE_ACCOUNT) or _named(LAST_RESORT)
    if account is None:
        raise AccountMissingError(
            "PostgreSQL refuses to run as root and there is no account to step down to: "
            f"run `useradd --system {SERVICE_ACCOUNT}`, or start as an ordinary user"
        )
    return account


def _named(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)


def _created(name: str) -> Account | None:
    """
    Make a system account without home or shell, or return None where that is impossible.

    The exit status is of no interest: another process may have been first.
    """
    useradd = shutil.which("useradd", path=ADMIN_PATH)
    if useradd is None:
        return None
    command = [useradd, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", name]
    subprocess.run(command, check=False, capture_output=True)  # noqa: S603 - fixed arguments
    return _named(name)
