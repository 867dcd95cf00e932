"""
What may be attached to a form, made harmless. Pure, but up to a second of CPU: not for an event loop.

A file is what its bytes say. Pictures are decoded to the last pixel and written anew, PDFs are taken apart
and their pages written anew, so that nothing but what a reviewer sees gets through. A file that is two kinds
at once, an encrypted PDF and one that would act on being opened are refused rather than cleaned: whoever
made them so meant it, or has to know.
"""

from typing import Final

from tenants.registrations.attached_files import (
    JPEG,
    LARGEST_BYTES,
    PDF,
    PNG,
    AttachmentRefused,
    CleanFile,
    Unfit,
)
from tenants.registrations.attached_pictures import clean_picture

_ZIP_END: Final = b"PK\x05\x06"


def clean(content: bytes) -> CleanFile | AttachmentRefused:
    """Return the file written anew, or why it is not taken."""
    try:
        return _cleaned(content)
    except Unfit as unfit:
        return unfit.refused
    except Exception as error:  # noqa: BLE001 - decoders raise what they like; whatever it is, it does not decode
        return AttachmentRefused(code="broken", detail=f"the file cannot be decoded: {type(error).__name__}")


def _cleaned(content: bytes) -> CleanFile:
    if not content:
        raise Unfit("empty", "the file is empty")
    if len(content) > LARGEST_BYTES:
        raise Unfit(
            "too_large", f"a file has at most {LARGEST_BYTES:,} bytes (500 KB), this has {len(content):,}"
        )
    if _ZIP_END in content[-66_000:]:
        raise Unfit("polyglot", "the file is an archive, too; save it again as a picture or PDF alone")
    if content.startswith(PDF):
        from tenants.registrations.attached_pdfs import clean_pdf  # noqa: PLC0415 - 6 MB of every process that sees no PDF

        return clean_pdf(content)
    if content.startswith((PNG, JPEG)):
        return clean_picture(content)
    raise Unfit("unsupported_type", "a file is a PDF, JPEG or PNG, whatever its name says")
