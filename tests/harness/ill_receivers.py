"""Receivers that are silent, slow, endless or elsewhere, each on a path of one raw server."""

import asyncio
import contextlib
import gzip
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

_DRIP_S = 0.2
_CHUNK = b"x" * 65_536
_ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n"
_BOMB = gzip.compress(bytes(64 * 1024 * 1024))

Behaviour = Callable[["IllReceivers", asyncio.StreamWriter], Awaitable[None]]


@dataclass
class IllReceivers:
    """The server and what happened there."""

    url: str = ""
    posts: Counter[str] = field(default_factory=Counter)
    """Requests by path."""
    written: Counter[str] = field(default_factory=Counter)
    """Bytes of bodies by path, as far as the other side took them."""


async def _silent(_: IllReceivers, __: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3600)


async def _drip_headers(_: IllReceivers, writer: asyncio.StreamWriter) -> None:
    await _drip(writer, b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 10_000)


async def _drip_body(_: IllReceivers, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    await _drip(writer, b"x" * 100_000)


async def _drip(writer: asyncio.StreamWriter, text: bytes) -> None:
    for byte in text:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(_DRIP_S)


async def _endless(receivers: IllReceivers, writer: asyncio.StreamWriter) -> None:
    writer.write(_ENDLESS)
    while True:
        writer.write(_CHUNK)
        await writer.drain()
        receivers.written["/endless"] += len(_CHUNK)


async def _bomb(_: IllReceivers, writer: asyncio.StreamWriter) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(_BOMB)}\r\n\r\n"
    writer.write(head.encode() + _BOMB)
    await writer.drain()


async def _elsewhere(receivers: IllReceivers, writer: asyncio.StreamWriter) -> None:
    there = f"{receivers.url}/canary"
    writer.write(f"HTTP/1.1 307 Go\r\nLocation: {there}\r\nContent-Length: 0\r\n\r\n".encode())
    await writer.drain()


async def _reset(_: IllReceivers, writer: asyncio.StreamWriter) -> None:
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


async def _canary(_: IllReceivers, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 204 Caught\r\n\r\n")
    await writer.drain()


_BEHAVIOURS: dict[str, Behaviour] = {
    "/silent": _silent,
    "/drip-headers": _drip_headers,
    "/drip-body": _drip_body,
    "/endless": _endless,
    "/bomb": _bomb,
    "/elsewhere": _elsewhere,
    "/reset": _reset,
    "/canary": _canary,
}
UNHEARD = {
    "/silent": "timeout",
    "/drip-headers": "timeout",
    "/elsewhere": "redirect",
    "/reset": "disconnected",
}
"""Receivers that never said 2xx, with the error that their deliveries must show."""
HEARD = ("/drip-body", "/endless", "/bomb")
"""Receivers whose status line said 200, whatever came after it."""


@contextlib.asynccontextmanager
async def running_ill_receivers() -> AsyncIterator[IllReceivers]:
    """Run them for the length of a block."""
    receivers = IllReceivers()
    under_way: set[asyncio.Task[None]] = set()

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        under_way.add(task)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                await reader.readexactly(length)
                path = head.split(b" ", 2)[1].decode()
                receivers.posts[path] += 1
                await _BEHAVIOURS[path](receivers, writer)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
            return
        finally:
            under_way.discard(task)
            writer.transport.abort()

    server = await asyncio.start_server(met, "127.0.0.1", 0)
    receivers.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield receivers
    finally:
        server.close()
        left = list(under_way)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
