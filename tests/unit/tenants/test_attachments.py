"""What may be attached: found from the bytes, written anew, nothing hidden."""

import io

import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

from tenants.registrations.attached_files import LARGEST_BYTES, AttachmentRefused, CleanFile
from tenants.registrations.attachments import clean


def picture(kind="PNG", **more):
    """A small picture."""
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), "navy").save(buffer, kind, **more)
    return buffer.getvalue()


def pdf(change=None):
    """A page, changed."""
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    if change is not None:
        change(writer)
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def runs_a_script(writer):
    """Act as soon as the file is opened."""
    action = {
        NameObject("/S"): NameObject("/JavaScript"),
        NameObject("/JS"): TextStringObject("app.alert(1)"),
    }
    writer.root_object[NameObject("/OpenAction")] = DictionaryObject(action)


@pytest.mark.parametrize(
    ("content", "kind"),
    [(picture(), "image/png"), (picture("JPEG"), "image/jpeg"), (pdf(), "application/pdf")],
)
def test_plain_files_are_taken(content, kind):
    """PDF, JPEG and PNG, whatever their names."""
    found = clean(content)
    assert isinstance(found, CleanFile)
    assert found.content_type == kind


def test_metadata_does_not_survive():
    """Where a screenshot was taken is nobody's business, and comments can hide anything."""
    secret = Image.Exif()
    secret[0x010E] = "hidden words"
    content = picture("JPEG", exif=secret)
    assert b"hidden words" in content
    assert b"hidden words" not in clean(content).content


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (picture("GIF"), "unsupported_type"),
        (b"<html>", "unsupported_type"),
        (picture() + b"\x00" * (LARGEST_BYTES + 1), "too_large"),
        (picture() + b"<script>", "polyglot"),
        (picture("JPEG") + pdf(), "polyglot"),
        (picture() + b"PK\x05\x06" + bytes(18), "polyglot"),
        (pdf() + b"PK\x03\x04 and more", "polyglot"),
        (pdf(lambda writer: writer.encrypt("secret")), "encrypted"),
        (pdf(runs_a_script), "active"),
        (pdf(lambda writer: writer.add_attachment("a.exe", b"MZ")), "active"),
        (picture()[:60], "polyglot"),
        (b"%PDF-1.7\nnothing\n%%EOF", "broken"),
    ],
)
def test_everything_else_is_refused(content, code):
    """Refused rather than cleaned: whoever made it so meant it, or has to know."""
    found = clean(content)
    assert isinstance(found, AttachmentRefused)
    assert found.code == code
    assert found.detail


def test_a_pdf_keeps_its_pages():
    """Written anew, not emptied."""
    two = pdf(lambda writer: writer.add_blank_page(100, 100))
    assert len(PdfReader(io.BytesIO(clean(two).content)).pages) == 2


def test_a_picture_at_the_limit_is_kept_below_it():
    """A noisy screenshot grows when it is written anew; it is squeezed, not refused."""
    noise = Image.effect_noise((700, 700), 90)
    buffer = io.BytesIO()
    noise.save(buffer, "PNG")
    content = buffer.getvalue()
    assert LARGEST_BYTES * 0.8 < len(content) <= LARGEST_BYTES, len(content)
    found = clean(content)
    assert isinstance(found, CleanFile)
    assert len(found.content) <= LARGEST_BYTES
