"""What becomes of a media message because of its file, which only AWS's side can look at."""

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

LARGE_PREFIX = "too-large"
"""A file whose name begins like this is over the size limit."""


def media_failure(urls: list[str]) -> str | None:
    """Return the status in which a message with these files ends, or None when they are fine."""
    for url in urls:
        parts = urlsplit(url)
        name = parts.path.rpartition("/")[2]
        if parts.netloc == MISSING_BUCKET:
            return "FILE_INACCESSIBLE"
        if name.rpartition(".")[2].lower() not in KINDS:
            return "FILE_TYPE_UNSUPPORTED"
        if name.startswith(LARGE_PREFIX):
            return "FILE_SIZE_EXCEEDED"
    return None
