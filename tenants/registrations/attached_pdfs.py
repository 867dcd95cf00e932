"""PDFs as attachments: taken apart, looked through for what acts, and their pages written anew."""

import io
from typing import Any, Final

from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

from tenants.registrations.attached_files import LARGEST_BYTES, CleanFile, Unfit

MAX_PAGES: Final = 100
MAX_OBJECTS: Final = 20_000
_EOF: Final = b"%%EOF"
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


def clean_pdf(content: bytes) -> CleanFile:
    """
    Return the pages written anew.

    Raises:
        Unfit: It is no plain document of pages.
    """
    end = content.rfind(_EOF)
    if end < 0 or content[end + len(_EOF) :].strip(b"\x00\r\n \t"):
        raise Unfit("polyglot", "the file does not end as a PDF ends; print it to a new PDF")
    reader = PdfReader(io.BytesIO(content), strict=False)
    if reader.is_encrypted:
        raise Unfit("encrypted", "the PDF is encrypted; reviewers could not open it")
    if not 1 <= len(reader.pages) <= MAX_PAGES:
        raise Unfit("page_count", f"a PDF has 1 to {MAX_PAGES} pages")
    _refuse_active(reader)
    writer = PdfWriter()
    for page in reader.pages:
        writer.add_page(page)
    buffer = io.BytesIO()
    writer.write(buffer)
    if buffer.tell() > LARGEST_BYTES:
        raise Unfit("too_large", "written anew the PDF has more than 500 KB; make it smaller")
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
            raise Unfit("too_complex", "the PDF has too many parts; print it to a new PDF")
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
        raise Unfit("active", "the PDF runs scripts, opens files or carries some; print it to a new PDF")
