"""A wire that counts: passes bytes between a client and a server and counts the requests on their way."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

_CHUNK = 65_536
_REQUEST = b"POST / HTTP/1.1\r\n"


class Wiretap:
    """Stands between the client and a server."""

    def __init__(self, target_url: str) -> None:
        target = urlsplit(target_url)
        self._target = (target.hostname, target.port)
        self._passing: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self.requests = 0
        """Request lines that the client has put on the wire, whether or not an answer came."""
        self.url = ""
        self.resets = False
        """Break the client's connection, in TCP's own way, instead of passing on what the server says."""

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Handle one connection of the client: when either side hangs up, so does the other."""
        passing = asyncio.current_task()
        assert passing is not None
        self._passing[passing] = writer
        passing.add_done_callback(self._passing.pop)
        onward_reader, onward_writer = await asyncio.open_connection(*self._target)
        ways = {
            asyncio.create_task(self._outward(reader, onward_writer)),
            asyncio.create_task(self._back(onward_reader, writer)),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for end in (writer, onward_writer):
                end.transport.abort()
                with contextlib.suppress(ConnectionError):
                    await end.wait_closed()

    async def hang_up(self) -> None:
        """End every connection."""
        for writer in self._passing.values():
            writer.transport.abort()
        await asyncio.gather(*self._passing)

    async def _outward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while chunk := await reader.read(_CHUNK):
                self.requests += chunk.count(_REQUEST)
                writer.write(chunk)

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while chunk := await reader.read(_CHUNK):
                if self.resets:
                    _reset(writer)
                    return
                writer.write(chunk)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close so that the other side is told of an error: no lingering, no farewell."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@contextlib.asynccontextmanager
async def tapped(target_url: str) -> AsyncIterator[Wiretap]:
    """Listen on a free port for the length of a block."""
    tap = Wiretap(target_url)
    server = await asyncio.start_server(tap.take, "127.0.0.1", 0)
    tap.url = "http://{}:{}".format(*server.sockets[0].getsockname())
    try:
        yield tap
    finally:
        server.close()
        await tap.hang_up()
        await server.wait_closed()
