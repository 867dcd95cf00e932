"""
Programs the servers' account can execute.

A virtual environment below `/root` is closed to every other account. Opening it up would be a change to
somebody else's folder, so what the account needs is copied once to a cache folder that root owns and everyone
may read.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from gateway.embedded.account import Account
from gateway.embedded.errors import FolderUnusableError

CACHE = Path("/Library/Caches/tollgate" if sys.platform == "darwin" else "/var/cache/tollgate")
NOT_NEEDED = shutil.ignore_patterns("include", "pkgconfig", "*.a", "*.pyc")


@dataclass(frozen=True, kw_only=True, slots=True)
class Bundle:
    """Files that find each other by relative path, so they move together or not at all."""

    root: Path
    parts: tuple[str, ...] = ()
    """Folders below `root` to copy; empty where the programs belong to the system and must not be copied."""


def reachable(program: Path, bundle: Bundle, account: Account | None, cache: Path = CACHE) -> Path:
    """Return a path by which the account can execute the program: itself, or the same file of a copy."""
    if account is None or can_execute(account, program):
        return program
    if not bundle.parts:
        raise FolderUnusableError(
            f"{program} cannot be executed by {account.name}, whom root steps down to: open its folders"
        )
    return _copied(bundle, cache) / program.relative_to(bundle.root)


def can_execute(account: Account, path: Path) -> bool:
    """Ask the kernel, as the account, whether it may run the program or enter the folder."""
    asked = subprocess.run(  # noqa: S603 - fixed arguments
        ["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)],
        check=False,
        cwd="/",
        user=account.uid,
        group=account.gid,
        extra_groups=[],
    )
    return asked.returncode == 0


def _copied(bundle: Bundle, cache: Path) -> Path:
    """Return the folder of the copy, made on first use and again whenever the original changes."""
    copy = cache / _fingerprint(bundle)
    try:
        _own(cache)
        if not copy.exists():
            _copy(bundle, copy)
    except OSError as error:
        raise FolderUnusableError(
            f"the servers cannot be copied to {cache}: {error}; "
            f"install tollgate outside of {bundle.root}, or start as an ordinary user"
        ) from error
    return copy


def _fingerprint(bundle: Bundle) -> str:
    """Name the copy after its files' names and sizes: every environment with this wheel shares it."""
    files = sorted(
        path for part in bundle.parts for path in (bundle.root / part).rglob("*") if path.is_file()
    )
    listing = [f"{path.relative_to(bundle.root)} {path.stat().st_size}" for path in files]
    return sha256("\n".join(listing).encode()).hexdigest()[:16]


def _own(cache: Path) -> None:
    """Make the cache folder; refuse one that somebody else could write programs into."""
    cache.mkdir(parents=True, exist_ok=True)
    if cache.stat().st_uid != os.geteuid():
        raise PermissionError(f"{cache} belongs to somebody else")
    cache.chmod(0o755)


def _copy(bundle: Bundle, copy: Path) -> None:
    """Copy beside, then rename, so that a half copy is never used and two copiers do not meet."""
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=copy.parent))
    try:
        for part in bundle.parts:
            shutil.copytree(bundle.root / part, draft / part, ignore=NOT_NEEDED)
        _open_to_all([draft, *draft.rglob("*")])
        _rename_unless_there(draft, copy)
    finally:
        if draft.exists():
            shutil.rmtree(draft)


def _open_to_all(paths: Iterable[Path]) -> None:
    for path in paths:
        mode = path.stat().st_mode
        path.chmod(0o755 if path.is_dir() or mode & 0o100 else 0o644)


def _rename_unless_there(draft: Path, copy: Path) -> None:
    try:
        draft.rename(copy)
    except OSError:
        if not copy.exists():
            raise
