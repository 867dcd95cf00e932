"""What a file attached to a form is once it has been looked at."""

from typing import Final

from msgspec import Struct

LARGEST_BYTES: Final = 500 * 1024
"""AWS's limit for CreateRegistrationAttachment (seeds 001 and 003)."""
PDF: Final = b"%PDF-"
PNG: Final = b"\x89PNG\r\n\x1a\n"
JPEG: Final = b"\xff\xd8\xff"
"""What files begin with, whatever they are called."""


class CleanFile(Struct, frozen=True, kw_only=True):
    """A file as it is stored and uploaded."""

    content: bytes
    content_type: str


class AttachmentRefused(Struct, frozen=True, kw_only=True):
    """Why a file cannot be attached."""

    code: str
    detail: str


class Unfit(Exception):
    """Carries the answer out of the middle of a file."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.refused = AttachmentRefused(code=code, detail=detail)
