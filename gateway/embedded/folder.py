"""
What lies in a server's folder.

    lock            held with flock by the process that owns the server; never removed
    endpoint.json   port and password, readable by the owner only
    server.log      this run's output; server.log.1 is the run before
    data/           the server's own folder, owned by the account it runs as
"""

import fcntl
import os
import shutil
from pathlib import Path

import msgspec

from gateway.embedded.endpoint import Endpoint
from gateway.embedded.errors import FolderInUseError, FolderUnusableError

LOG_TAIL_BYTES = 2_000


class StoreFolder:
    """One server's folder, and the lock on it."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self.live = self.path / "data"
        self.log = self.path / "server.log"
        self._endpoint = self.path / "endpoint.json"
        self._lock: int | None = None

    def claim(self) -> None:
        """Take the lock, which the kernel drops when this process dies; no-op while it is held."""
        if self._lock is not None:
            return
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.path.chmod(0o711)
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._unusable(error) from error
        self._hold(lock)

    def release(self) -> None:
        """Drop the lock; no-op when it is not held."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def endpoint(self) -> Endpoint | None:
        """Return what was kept, or None for a new folder."""
        if not self._endpoint.exists():
            return None
        try:
            return msgspec.json.decode(self._endpoint.read_bytes(), type=Endpoint)
        except msgspec.MsgspecError as error:
            raise FolderUnusableError(f"{self._endpoint} is not what was written there: {error}") from error

    def keep(self, endpoint: Endpoint) -> None:
        """Write the endpoint so that a crash leaves the old one or the new one."""
        draft = self._endpoint.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_bytes(msgspec.json.encode(endpoint))
        draft.replace(self._endpoint)

    def empty(self) -> None:
        """Remove the endpoint and the data, but not the lock: another process may be waiting on it."""
        try:
            self._endpoint.unlink(missing_ok=True)
            if self.live.exists():
                shutil.rmtree(self.live)
        except OSError as error:
            raise self._unusable(error) from error

    def turn_log(self) -> None:
        """Begin a new log and keep the last one."""
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))
        self.log.touch(mode=0o600)

    def log_tail(self) -> str:
        """Return the end of this run's log."""
        if not self.log.exists():
            return ""
        return self.log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace").strip()

    def _hold(self, lock: int) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.pread(lock, 20, 0).decode(errors="replace").strip() or "unknown"
            os.close(lock)
            raise FolderInUseError(
                f"{self.path} is in use by another tollgate (process {owner}): "
                "stop that one, or choose another --data"
            ) from error
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        self._lock = lock

    def _unusable(self, error: OSError) -> FolderUnusableError:
        return FolderUnusableError(
            f"{self.path} cannot be used: {error.strerror} ({error.filename}). "
            "Choose another --data, or make it yours with `sudo chown -R` if an earlier run as root made it"
        )
