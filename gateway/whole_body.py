"""The whole body of an HTTP answer, up to a length."""

import aiohttp

from gateway.errors import BodyTooLong


async def whole_body(content: aiohttp.StreamReader, most: int) -> bytes:
    """
    Return an answer's body, however many pieces it comes in.

    Raises:
        BodyTooLong: It has more than `most` bytes; the rest is left unread.
    """
    body = bytearray()
    async for piece in content.iter_any():
        body += piece
        if len(body) > most:
            raise BodyTooLong(f"more than {most} bytes")
    return bytes(body)
