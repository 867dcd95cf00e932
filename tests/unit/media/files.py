"""Small real files of every kind that an MMS may carry."""

import io
import struct
import zlib

from PIL import Image


def picture(form: str, size: tuple[int, int] = (8, 8), frames: int = 1) -> bytes:
    """Return a picture that decodes."""
    made = io.BytesIO()
    images = [Image.new("P" if form == "GIF" else "RGB", size, index % 255) for index in range(frames)]
    images[0].save(made, form, **({"save_all": True, "append_images": images[1:]} if frames > 1 else {}))
    return made.getvalue()


def bomb(width: int, height: int) -> bytes:
    """Return a PNG of few bytes and many pixels."""
    header = struct.pack("!IIBBBBB", width, height, 1, 0, 0, 0, 0)
    row = zlib.compress(b"\x00" * ((width // 8 + 1) * height), 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", row) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack("!I", len(data)) + name + data + struct.pack("!I", zlib.crc32(name + data))


OTHERS = {
    "application/pdf": b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n",
    "video/mp4": b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + b"\x00" * 64,
    "video/quicktime": b"\x00\x00\x00\x14ftypqt  \x00\x00\x02\x00qt  " + b"\x00" * 64,
    "video/3gpp": b"\x00\x00\x00\x18ftyp3gp5\x00\x00\x01\x003gp53gp4" + b"\x00" * 64,
    "video/3gpp2": b"\x00\x00\x00\x18ftyp3g2a\x00\x00\x01\x003g2a3g2a" + b"\x00" * 64,
    "audio/amr": b"#!AMR\n" + b"\x3c" * 64,
    "text/vcard": b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Acme\r\nEND:VCARD\r\n",
    "text/calendar": b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n",
}
