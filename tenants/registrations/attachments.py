"""
What may be attached to a form, made harmless. Pure, but up to a second of CPU: not for an event loop.

A file is what its bytes say. Pictures are decoded to the last pixel and written anew, PDFs are taken apart
and their pages written anew, so that nothing but what a reviewer sees gets through. A file that is two kinds
at once, an encrypted PDF and one that would act on being opened are refused rather than cleaned: whoever
made them so meant it, or has to know.
"""

import io
import warnings
from typing import Any, Final

from msgspec import Struct
from PIL import Image
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

LARGEST_BYTES: Final = 500 * 1024
"""AWS's limit for CreateRegistrationAttachment (seeds 001 and 003)."""
MAX_PIXELS: Final = 40_000_000
MAX_PAGES: Final = 100
MAX_OBJECTS: Final = 20_000
_QUALITIES: Final = (90, 80, 65, 50)
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"
_PDF: Final = b"%PDF-"
_IEND: Final = b"IEND\xaeB`\x82"
_EOI: Final = b"\xff\xd9"
_EOF: Final = b"%%EOF"
_ZIP_END: Final = b"PK\x05\x06"
_PDF_HEADER_WITHIN: Final = 1024
"""Readers look for a PDF's header in the first KB, wherever the file begins."""
_ACTIVE_KEYS: Final = frozenset(
    {"/JavaScript", "/JS", "/AA", "/XFA", "/EmbeddedFiles", "/EF", "/RichMediaContent"}
)
_ACTIVE_ACTIONS: Final = frozenset(
    {
        "/JavaScript",
        "/Launch",
        "/SubmitForm",
        "/ImportData",
        "/Rendition",
        "/Movie",
        "/Sound",
        "/GoToR",
        "/GoToE",
    }
)
_ACTIVE_TYPES: Final = frozenset({"/EmbeddedFile", "/Filespec", "/RichMedia", "/3D", "/Screen"})


class CleanFile(Struct, frozen=True, kw_only=True):
    """A file as it is stored and uploaded."""

    content: bytes
    content_type: str


class AttachmentRefused(Struct, frozen=True, kw_only=True):
    """Why a file cannot be attached."""

    code: str
    detail: str


class _Refusal(Exception):
    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.refused = AttachmentRefused(code=code, detail=detail)


def clean(content: bytes) -> CleanFile | AttachmentRefused:
    """Return the file written anew, or why it is not taken."""
    try:
        return _cleaned(content)
    except _Refusal as refusal:
        return refusal.refused
    except Exception as error:  # noqa: BLE001 - decoders raise what they like; whatever it is, it does not decode
        return AttachmentRefused(code="broken", detail=f"the file cannot be decoded: {type(error).__name__}")


def _cleaned(content: bytes) -> CleanFile:
    if not content:
        raise _Refusal("empty", "the file is empty")
    if len(content) > LARGEST_BYTES:
        raise _Refusal(
            "too_large", f"a file has at most {LARGEST_BYTES:,} bytes (500 KB), this has {len(content):,}"
        )
    if _ZIP_END in content[-66_000:]:
        raise _Refusal("polyglot", "the file is an archive, too; save it again as a picture or PDF alone")
    if content.startswith(_PDF):
        return _clean_pdf(content)
    if content.startswith((_PNG, _JPEG)):
        return _clean_picture(content)
    raise _Refusal("unsupported_type", "a file is a PDF, JPEG or PNG, whatever its name says")


def _clean_picture(content: bytes) -> CleanFile:
    end = content.rfind(_IEND) + len(_IEND) if content.startswith(_PNG) else content.rfind(_EOI) + len(_EOI)
    if content[end:].strip(b"\x00\r\n \t"):
        raise _Refusal(
            "polyglot", "something follows the end of the picture; save it again as a picture alone"
        )
    if _PDF in content[:_PDF_HEADER_WITHIN]:
        raise _Refusal("polyglot", "the picture is a PDF, too; save it again as a picture alone")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the cap below is lower
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as image:
            if image.width * image.height > MAX_PIXELS:
                raise _Refusal("too_many_pixels", f"a picture has at most {MAX_PIXELS:,} pixels")
            image.load()
            return _rewritten(image)


def _rewritten(image: Image.Image) -> CleanFile:
    """PNG stays PNG where it fits; else a JPEG of falling quality."""
    if image.format == "PNG":
        plain = image if image.mode in {"1", "L", "LA", "P", "RGB", "RGBA"} else image.convert("RGBA")
        content = _saved(plain, "PNG", optimize=True)
        if len(content) <= LARGEST_BYTES:
            return CleanFile(content=content, content_type="image/png")
    flat = _on_white(image)
    for quality in _QUALITIES:
        content = _saved(flat, "JPEG", quality=quality)
        if len(content) <= LARGEST_BYTES:
            return CleanFile(content=content, content_type="image/jpeg")
    raise _Refusal("too_large", "written anew the picture has more than 500 KB; make it smaller")


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode in {"RGB", "L"}:
        return image
    full = image.convert("RGBA")
    ground = Image.new("RGBA", full.size, "white")
    ground.alpha_composite(full)
    return ground.convert("RGB")


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Without metadata: a fresh image object takes nothing along but the pixels."""
    bare = Image.new(image.mode, image.size)
    if image.mode == "P":
        bare.putpalette(image.getpalette() or [])
    bare.paste(image)
    buffer = io.BytesIO()
    bare.save(buffer, kind, **options)
    return buffer.getvalue()


def _clean_pdf(content: bytes) -> CleanFile:
    end = content.rfind(_EOF)
    if end < 0 or content[end + len(_EOF) :].strip(b"\x00\r\n \t"):
        raise _Refusal("polyglot", "the file does not end as a PDF ends; print it to a new PDF")
    reader = PdfReader(io.BytesIO(content), strict=False)
    if reader.is_encrypted:
        raise _Refusal("encrypted", "the PDF is encrypted; reviewers could not open it")
    if not 1 <= len(reader.pages) <= MAX_PAGES:
        raise _Refusal("page_count", f"a PDF has 1 to {MAX_PAGES} pages")
    _refuse_active(reader)
    writer = PdfWriter()
    for page in reader.pages:
        writer.add_page(page)
    buffer = io.BytesIO()
    writer.write(buffer)
    if buffer.tell() > LARGEST_BYTES:
        raise _Refusal("too_large", "written anew the PDF has more than 500 KB; make it smaller")
    return CleanFile(content=buffer.getvalue(), content_type="application/pdf")


def _refuse_active(reader: PdfReader) -> None:
    """Walk everything that hangs together from the trailer."""
    seen: set[tuple[int, int]] = set()
    waiting: list[Any] = [reader.trailer]
    visited = 0
    while waiting:
        found = waiting.pop()
        if isinstance(found, IndirectObject):
            name = (found.idnum, found.generation)
            if name in seen:
                continue
            seen.add(name)
            found = found.get_object()
        visited += 1
        if visited > MAX_OBJECTS:
            raise _Refusal("too_complex", "the PDF has too many parts; print it to a new PDF")
        if isinstance(found, DictionaryObject):
            _refuse_active_part(found)
            waiting.extend(found.raw_get(key) for key in found)
        elif isinstance(found, ArrayObject):
            items: Any = found
            waiting.extend(items)


def _refuse_active_part(part: DictionaryObject) -> None:
    names = {str(key) for key in part}
    kinds = {str(part.get("/S")), str(part.get("/Type")), str(part.get("/Subtype"))}
    if names & _ACTIVE_KEYS or kinds & (_ACTIVE_ACTIONS | _ACTIVE_TYPES):
        raise _Refusal("active", "the PDF runs scripts, opens files or carries some; print it to a new PDF")
