"""Pictures as attachments: decoded to the last pixel and written anew."""

import io
import warnings
from typing import Any, Final

from PIL import Image

from tenants.registrations.attached_files import LARGEST_BYTES, PDF, PNG, CleanFile, Unfit

MAX_PIXELS: Final = 40_000_000
_QUALITIES: Final = (90, 80, 65, 50)
_IEND: Final = b"IEND\xaeB`\x82"
_EOI: Final = b"\xff\xd9"
_PDF_HEADER_WITHIN: Final = 1024
"""Readers look for a PDF's header in the first KB, wherever the file begins."""


def clean_picture(content: bytes) -> CleanFile:
    """
    Return the picture without anything but its pixels.

    Raises:
        Unfit: It is something else, too, or too large.
    """
    end = content.rfind(_IEND) + len(_IEND) if content.startswith(PNG) else content.rfind(_EOI) + len(_EOI)
    if content[end:].strip(b"\x00\r\n \t"):
        raise Unfit("polyglot", "something follows the end of the picture; save it again as a picture alone")
    if PDF in content[:_PDF_HEADER_WITHIN]:
        raise Unfit("polyglot", "the picture is a PDF, too; save it again as a picture alone")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the cap below is lower
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Unfit("too_many_pixels", f"a picture has at most {MAX_PIXELS:,} pixels")
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
    raise Unfit("too_large", "written anew the picture has more than 500 KB; make it smaller")


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
