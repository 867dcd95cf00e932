"""
Files for MMS, as S3 would hold them.

A bucket exists once something was put into it, and from then on a media message is held to what lies there; a
message that names any other bucket is judged by its file's name. Objects are kept beside the state file, or
in memory where there is none.
"""

import hashlib
from pathlib import Path

MOST_BYTES = 64_000_000
"""In memory; the oldest go first."""


class Objects:
    """Every bucket of one emulator."""

    def __init__(self, state: Path | None) -> None:
        self._folder = None if state is None else state.with_name(f"{state.name}.objects")
        self._kept: dict[str, bytes] = {}
        self._buckets: set[str] = set()
        if self._folder is not None and self._folder.is_dir():
            self._buckets = {path.name.partition("%")[0] for path in self._folder.iterdir()}

    def has_bucket(self, bucket: str) -> bool:
        """Return whether anything was ever put there."""
        return bucket in self._buckets

    def find(self, bucket: str, key: str) -> bytes | None:
        """Return an object, or None."""
        name = _name(bucket, key)
        if self._folder is None:
            return self._kept.get(name)
        path = self._folder / name
        return path.read_bytes() if path.is_file() else None

    def put(self, bucket: str, key: str, content: bytes) -> None:
        """Keep an object; without a key, only the bucket."""
        self._buckets.add(bucket)
        if key:
            self._keep(_name(bucket, key), content)

    def drop(self, bucket: str, key: str) -> None:
        """Forget an object."""
        name = _name(bucket, key)
        self._kept.pop(name, None)
        if self._folder is not None:
            (self._folder / name).unlink(missing_ok=True)

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self._buckets.clear()
        if self._folder is not None and self._folder.is_dir():
            for path in self._folder.iterdir():
                path.unlink()

    def _keep(self, name: str, content: bytes) -> None:
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / name).write_bytes(content)
            return
        self._kept[name] = content
        while sum(map(len, self._kept.values())) > MOST_BYTES and len(self._kept) > 1:
            self._kept.pop(next(iter(self._kept)))


def _name(bucket: str, key: str) -> str:
    """Return one flat file name: no key can leave the folder."""
    return f"{bucket}%{hashlib.sha256(key.encode()).hexdigest()}"
