"""
Which files an MMS may carry, found from the bytes alone. Pure.

A name or a Content-Type is the sender's word and decides nothing. Pictures are decoded to their last pixel,
because a truncated or forged one would be accepted here, paid for, and fail at the carrier. Kinds and sizes
are those of AWS's page "MMS file types, size limits and character limits".
"""

import io
import re
import warnings
from typing import Any, Final, Literal

import puremagic
from msgspec import Struct
from PIL import Image, ImageSequence, UnidentifiedImageError

PICTURE_BYTES: Final = 2_000_000
OTHER_BYTES: Final = 600_000
MAX_BYTES: Final = PICTURE_BYTES
MAX_PIXELS: Final = 40_000_000
"""Of all frames together: a small file can unpack to gigabytes."""
_CARDS: Final = (
    (
        re.compile(rb"\s*BEGIN:VCARD\r?\n(?:.*\n)?\s*END:VCARD\s*", re.DOTALL | re.IGNORECASE),
        "text/vcard",
        "vcf",
    ),
    (
        re.compile(rb"\s*BEGIN:VCALENDAR\r?\n(?:.*\n)?\s*END:VCALENDAR\s*", re.DOTALL | re.IGNORECASE),
        "text/calendar",
        "ics",
    ),
)
_PICTURES: Final = {
    "PNG": ("image/png", "png", PICTURE_BYTES),
    "JPEG": ("image/jpeg", "jpg", PICTURE_BYTES),
    "GIF": ("image/gif", "gif", PICTURE_BYTES),
    "TIFF": ("image/tiff", "tiff", OTHER_BYTES),
}
_BY_SIGNATURE: Final = {
    ".pdf": ("application/pdf", "pdf"),
    ".mp4": ("video/mp4", "mp4"),
    ".m4v": ("video/mp4", "mp4"),
    ".mov": ("video/quicktime", "mov"),
    ".3gp": ("video/3gpp", "3gp"),
    ".3g2": ("video/3gpp2", "3g2"),
    ".webm": ("video/webm", "webm"),
    ".mp3": ("audio/mpeg", "mp3"),
    ".amr": ("audio/amr", "amr"),
    ".ogg": ("audio/ogg", "ogg"),
    ".oga": ("audio/ogg", "ogg"),
}
_BRANDS: Final = {
    b"3g2": ("video/3gpp2", "3g2"),
    b"3ge": ("video/3gpp", "3gp"),
    b"3gg": ("video/3gpp", "3gp"),
    b"3gp": ("video/3gpp", "3gp"),
    b"avc": ("video/mp4", "mp4"),
    b"iso": ("video/mp4", "mp4"),
    b"mp4": ("video/mp4", "mp4"),
    b"qt ": ("video/quicktime", "mov"),
}
"""ISO base media files name their kind in the `ftyp` box: the first three letters of its major brand."""
_BOX: Final = slice(4, 8)
_BRAND: Final = slice(8, 11)
_KINDS: Final = "PNG, JPEG, GIF, TIFF, PDF, MP4, QuickTime, 3GPP, WebM, MP3, AMR, Ogg, vCard or iCalendar"


class MediaKind(Struct, frozen=True, kw_only=True):
    """What a file is."""

    content_type: str
    ending: str
    """Of its name; AWS wants to see one."""


class MediaRefused(Struct, frozen=True, kw_only=True):
    """Why a file cannot be sent."""

    code: Literal["media_refused", "media_unavailable"]
    """`media_refused`: the file itself; `media_unavailable`: it could not be had."""
    fault: str
    """Stable word for the field."""
    detail: str


def kind_of(content: bytes) -> MediaKind | MediaRefused:
    """Return the kind of a file that may be sent. Decodes pictures: up to 0.3 s of CPU, so not on a loop."""
    if not content:
        return _refused("empty", "the file is empty")
    if len(content) > MAX_BYTES:
        return _too_large("a file", MAX_BYTES, len(content))
    picture = _picture(content)
    if picture is not None:
        return picture
    for find in (_container, _card, _signed):
        if (kind := find(content)) is not None:
            if len(content) > OTHER_BYTES:
                return _too_large(f"a file of type {kind.content_type}", OTHER_BYTES, len(content))
            return kind
    return _refused("unknown_type", f"the file is none that an MMS carries; send {_KINDS}")


def _picture(content: bytes) -> MediaKind | MediaRefused | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the cap below is lower
            with Image.open(io.BytesIO(content), formats=tuple(_PICTURES)) as image:
                return _decoded(image, len(content))
    except UnidentifiedImageError:
        return None
    except Image.DecompressionBombError:
        return _refused("too_many_pixels", f"a picture has at most {MAX_PIXELS:,} pixels")
    except Exception as error:  # noqa: BLE001 - decoders raise what they like; whatever it is, it does not decode
        return _refused("broken", f"the picture cannot be decoded: {type(error).__name__}")


def _decoded(image: Image.Image, size: int) -> MediaKind | MediaRefused:
    content_type, ending, limit = _PICTURES[str(image.format)]
    if size > limit:
        return _too_large(f"a file of type {content_type}", limit, size)
    pixels = 0
    for frame in ImageSequence.Iterator(image):
        pixels += frame.width * frame.height
        if pixels > MAX_PIXELS:
            return _refused(
                "too_many_pixels", f"a picture has at most {MAX_PIXELS:,} pixels in all its frames"
            )
        frame.load()
    return MediaKind(content_type=content_type, ending=ending)


def _container(content: bytes) -> MediaKind | None:
    known = _BRANDS.get(content[_BRAND].lower()) if content[_BOX] == b"ftyp" else None
    return None if known is None else MediaKind(content_type=known[0], ending=known[1])


def _card(content: bytes) -> MediaKind | None:
    for form, content_type, ending in _CARDS:
        if form.fullmatch(content) and b"\x00" not in content:
            return MediaKind(content_type=content_type, ending=ending)
    return None


def _signed(content: bytes) -> MediaKind | None:
    """The most certain signature counts, and only that: a lesser guess must not open a door."""
    try:
        found: Any = puremagic.magic_string(content)  # pyright: ignore[reportUnknownMemberType] # its stubs are partial
    except (puremagic.PureError, ValueError):
        return None
    known = _BY_SIGNATURE.get(str(found[0].extension)) if found else None
    return None if known is None else MediaKind(content_type=known[0], ending=known[1])


def _too_large(what: str, limit: int, size: int) -> MediaRefused:
    return _refused("too_large", f"{what} has at most {limit:,} bytes, this one has {size:,}")


def _refused(fault: str, detail: str) -> MediaRefused:
    return MediaRefused(code="media_refused", fault=fault, detail=detail)
