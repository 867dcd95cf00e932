"""
The append-only file behind ``--state``.

A request appends its records to a buffer and one ``write()`` puts them in the file before the answer leaves,
so ``kill -9`` of the emulator loses nothing that was answered. At the next start the file is replayed and
rewritten without what was superseded. A torn last line, the mark of a kill inside a write, is dropped. A file
that is no such journal is left as it is.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from gateway.emulator.state.records import (
    AccountSettings,
    ConfigurationSet,
    Keyword,
    NetworkOptOut,
    NumberOverride,
    OptedOutNumber,
    OptOutList,
    OptOutRemoval,
    PhoneNumber,
    Pool,
    ProtectConfiguration,
    Record,
    ReplayedCall,
    ResourcePolicy,
    SenderId,
    TagSet,
    VerifiedNumber,
)
from gateway.emulator.state.registration_records import Attachment, Registration
from gateway.emulator.state.settings_records import CarrierSettings, ClockOffset, FaultSettings
from gateway.emulator.state.sns_records import SigningKey, Subscription, Topic
from gateway.emulator.state.traffic_records import InboundMessage, Message, Spent, StepDone

_BEGINNING: Final = b'{"record":"'
"""Of every line; a file with another end than a torn line is somebody else's."""


class Gone(Record):
    """A record that was deleted."""

    table: str
    gone_key: str

    @property
    def key(self) -> str:
        """Table and key of what was deleted."""
        return f"{self.table}/{self.gone_key}"


AnyRecord = (
    PhoneNumber
    | SenderId
    | Pool
    | ConfigurationSet
    | OptOutList
    | OptedOutNumber
    | OptOutRemoval
    | Keyword
    | NetworkOptOut
    | ProtectConfiguration
    | NumberOverride
    | AccountSettings
    | TagSet
    | ResourcePolicy
    | VerifiedNumber
    | ReplayedCall
    | Registration
    | Attachment
    | Message
    | InboundMessage
    | Spent
    | StepDone
    | Topic
    | Subscription
    | SigningKey
    | FaultSettings
    | CarrierSettings
    | ClockOffset
    | Gone
)


class StateUnusableError(Exception):
    """The state file cannot be used; the text names it and says why, in one sentence."""


class StateInUseError(StateUnusableError):
    """Another emulator holds the state file."""


class Journal:
    """The open state file, or nothing at all when there is no path."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._buffer: list[bytes] = []
        self._encode = msgspec.json.Encoder().encode
        self._descriptor = -1 if path is None else _open_locked(path)

    def replay(self) -> Iterator[Record]:
        """Yield every record of the file, oldest first."""
        if self._path is None:
            return
        decode = msgspec.json.Decoder(AnyRecord).decode
        whole_bytes = 0
        with self._path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.endswith(b"\n") and _may_be_torn(line):
                    os.ftruncate(self._descriptor, whole_bytes)
                    break
                whole_bytes += len(line)
                try:
                    yield decode(line)
                except msgspec.DecodeError as error:
                    self.close()
                    raise StateUnusableError(_no_record(self._path, number, line, error)) from error

    def compact(self, records: Iterable[Record]) -> None:
        """Replace the file by one that holds only ``records``, atomically."""
        if self._path is None:
            return
        fresh_path = self._path.with_name(self._path.name + ".new")
        with fresh_path.open("wb") as fresh:
            for record in records:
                fresh.write(self._encode(record) + b"\n")
            fresh.flush()
            os.fsync(fresh.fileno())
        Path(fresh_path).replace(self._path)
        replaced, self._descriptor = self._descriptor, _open_locked(self._path)
        os.close(replaced)

    def append(self, record: Record) -> None:
        """Buffer a record until the next flush."""
        if self._path is not None:
            self._buffer.append(self._encode(record))

    def flush(self) -> None:
        """Write what is buffered with one system call."""
        if not self._buffer:
            return
        block = memoryview(b"\n".join(self._buffer) + b"\n")
        self._buffer.clear()
        while block:
            block = block[os.write(self._descriptor, block) :]

    def close(self) -> None:
        """Write what is left and let go of the file."""
        self.flush()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _may_be_torn(line: bytes) -> bool:
    return line.startswith(_BEGINNING) or _BEGINNING.startswith(line)


def _no_record(path: Path, number: int, line: bytes, error: msgspec.DecodeError) -> str:
    is_record = isinstance(error, msgspec.ValidationError) and line.startswith(_BEGINNING)
    other = "of another version of the emulator" if is_record else "no record"
    return f"line {number} of {path} is {other} ({error}): name another file, or remove this one"


def _open_locked(path: Path) -> int:
    """
    Open the file, which nobody else may hold; it is made where there is none.

    Raises:
        StateUnusableError: It is something else than a file, or may not be written.
    """
    if path.exists() and not path.is_file():
        raise StateUnusableError(f"{path} is {'a folder' if path.is_dir() else 'no plain file'}: name a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError as error:
        raise StateUnusableError(f"{error.filename} cannot be written: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as held:
        os.close(descriptor)
        raise StateInUseError(f"{path} is in use by another emulator") from held
    return descriptor
