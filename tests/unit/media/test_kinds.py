"""Which files an MMS may carry, by their bytes."""

import pytest

from gateway.media.kinds import OTHER_BYTES, PICTURE_BYTES, MediaKind, MediaRefused, kind_of
from tests.unit.media.files import OTHERS, bomb, picture

PICTURES = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "TIFF": "image/tiff"}


@pytest.mark.parametrize(("form", "content_type"), PICTURES.items())
def test_a_picture_is_known_by_its_bytes(form: str, content_type: str) -> None:
    """No name and no header is asked."""
    assert kind_of(picture(form)).content_type == content_type


@pytest.mark.parametrize(("content_type", "content"), OTHERS.items())
def test_other_kinds_are_known_by_their_signature(content_type: str, content: bytes) -> None:
    """Each kind that AWS lists has one."""
    assert kind_of(content).content_type == content_type


@pytest.mark.parametrize("form", PICTURES)
def test_a_truncated_picture_is_refused(form: str) -> None:
    """Its first bytes are right; only decoding all of it shows."""
    whole = picture(form, size=(64, 64))
    found = kind_of(whole[: len(whole) // 2])
    assert isinstance(found, MediaRefused)
    assert found.fault in {"broken", "unknown_type"}


@pytest.mark.parametrize(
    "content",
    [
        b"MZ\x90\x00" + b"\x00" * 100,
        b"#!/bin/sh\nrm -rf /\n",
        b"<html><body>hello</body></html>",
        b"PK\x03\x04" + b"\x00" * 100,
        b"BEGIN:VCARD\r\nVERSION:3.0\r\n",
        b"\x7fELF" + b"\x00" * 100,
        bytes(range(256)),
    ],
)
def test_what_no_mms_carries_is_refused(content: bytes) -> None:
    """Programs, pages, archives and half a card."""
    found = kind_of(content)
    assert isinstance(found, MediaRefused)
    assert (found.code, found.fault) == ("media_refused", "unknown_type")


def test_an_empty_file_is_refused() -> None:
    """Nothing is no file."""
    assert kind_of(b"").fault == "empty"


def test_a_small_file_of_many_pixels_is_refused_before_it_is_unpacked() -> None:
    """41 million pixels in a few kilobytes."""
    content = bomb(8192, 5120)
    assert len(content) < 20_000
    assert kind_of(content).fault == "too_many_pixels"


def test_the_frames_of_an_animation_count_together() -> None:
    """Each frame fits; all of them would not."""
    assert isinstance(kind_of(picture("GIF", (1000, 1000), frames=3)), MediaKind)
    assert kind_of(picture("GIF", (4000, 4000), frames=3)).fault == "too_many_pixels"


def test_pictures_may_be_larger_than_everything_else() -> None:
    """2 MB and 600 KB, to the byte."""
    pdf = OTHERS["application/pdf"]
    assert isinstance(kind_of(pdf.ljust(OTHER_BYTES, b"\n")), MediaKind)
    assert kind_of(pdf.ljust(OTHER_BYTES + 1, b"\n")).fault == "too_large"
    jpeg = picture("JPEG")
    assert isinstance(kind_of(jpeg.ljust(PICTURE_BYTES, b"\x00")), MediaKind)
    assert kind_of(jpeg.ljust(PICTURE_BYTES + 1, b"\x00")).fault == "too_large"
