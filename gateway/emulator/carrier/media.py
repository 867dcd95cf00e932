"""What becomes of a media message because of its file, which only AWS's side can look at."""

from typing import Protocol
from urllib.parse import urlsplit

KINDS = frozenset(
    [
        "gif",
        "jpeg",
        "jpg",
        "png",
        "3gp",
        "mp4",
        "mpeg",
        "mov",
        "webm",
        "mp3",
        "m4a",
        "wav",
        "ogg",
        "amr",
        "pdf",
        "tiff",
        "3g2",
        "vcf",
        "txt",
        "csv",
        "rtf",
        "html",
        "ics",
    ]
)
"""File name endings that carriers take."""

MISSING_BUCKET = "missing"
"""A bucket of this name cannot be read, so that tests can ask for the failure."""

LARGEST_BYTES = 2_000_000
"""Of a picture; other kinds are smaller still, which only their makers check here."""

LARGE_PREFIX = "too-large"
"""A file whose name begins like this is over the size limit."""


class Buckets(Protocol):
    """What lies in S3."""

    def has_bucket(self, bucket: str) -> bool:
        """Return whether anything was ever put there."""
        ...

    def find(self, bucket: str, key: str) -> bytes | None:
        """Return an object, or None."""
        ...


def media_failure(urls: list[str], buckets: Buckets) -> str | None:
    """Return the status in which a message with these files ends, or None when they are fine."""
    for url in urls:
        parts = urlsplit(url)
        if buckets.has_bucket(parts.netloc):
            content = buckets.find(parts.netloc, parts.path.lstrip("/"))
            if content is None:
                return "FILE_INACCESSIBLE"
            if len(content) > LARGEST_BYTES:
                return "FILE_SIZE_EXCEEDED"
        name = parts.path.rpartition("/")[2]
        if parts.netloc == MISSING_BUCKET:
            return "FILE_INACCESSIBLE"
        if name.rpartition(".")[2].lower() not in KINDS:
            return "FILE_TYPE_UNSUPPORTED"
        if name.startswith(LARGE_PREFIX):
            return "FILE_SIZE_EXCEEDED"
    return None
