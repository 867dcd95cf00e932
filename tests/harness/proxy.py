"""
A TCP proxy whose faults can be switched while connections are open; it stands before every store and peer.

    delay_s, bytes_per_s     slow, in both directions
    freeze() / thaw()        nothing passes, and nobody is told: what is sent waits
    swallow_answers          half-open: requests arrive, answers vanish, the connection stays
    lose_rate                this share of the answers resets its connection instead
    drop_answers             requests arrive; the first byte of an answer resets the connection instead
    cut_after_bytes          each connection is reset after so many bytes towards the server
    reset()                  RST to both ends of every open connection
    refuse() / accept()      nothing listens, and does so again
    redirect(port)           connections from now on go to another server
    heal()                   all of it undone
"""

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit

_CHUNK = 65_536
_LINGER_NOTHING = struct.pack("ii", 1, 0)


class FaultProxy:
    """One server's proxy on a port of its own."""

    def __init__(self, port: int) -> None:
        self._home = port
        self._listener: asyncio.Server | None = None
        self._open: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self._flowing = asyncio.Event()
        self._pumps: set[asyncio.Task[None]] = set()
        self.port = 0
        self.requests = 0
        """HTTP requests that the server was sent."""
        self._undo()

    def _undo(self) -> None:
        self._to = self._home
        self.delay_s = 0.0
        self.bytes_per_s: float | None = None
        self.swallow_answers = False
        self.drop_answers = False
        self.lose_rate = 0.0
        self.cut_after_bytes: int | None = None
        self._flowing.set()

    def url(self, url: str) -> str:
        """Return the URL of the server with this proxy in its place."""
        split = urlsplit(url)
        user, at, _ = split.netloc.rpartition("@")
        return urlunsplit(split._replace(netloc=f"{user}{at}127.0.0.1:{self.port}"))

    def freeze(self) -> None:
        """Hold back everything until `thaw`."""
        self._flowing.clear()

    def thaw(self) -> None:
        """Let go of what was held back."""
        self._flowing.set()

    def redirect(self, port: int) -> None:
        """Lead new connections to another server."""
        self._to = port

    def reset(self) -> None:
        """Break every open connection."""
        for pair in list(self._open):
            _reset(*pair)

    async def refuse(self) -> None:
        """Stop listening, and break what is open."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        self.reset()

    async def accept(self) -> None:
        """Listen, again on the same port."""
        if self._listener is None:
            self._listener = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = self._listener.sockets[0].getsockname()[1]

    async def heal(self) -> None:
        """Undo every fault; connections that another server has taken are broken."""
        if self._to != self._home:
            self.reset()
        self._undo()
        await self.accept()

    async def close(self) -> None:
        """End for good."""
        await self.refuse()
        self._flowing.set()
        for pump in list(self._pumps):
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._pumps.add(task)
        task.add_done_callback(self._pumps.discard)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            _reset(writer)
            return
        pair = (writer, back)
        self._open.add(pair)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._requests(reader, back, pair))
                group.create_task(self._answers(there, writer, pair))
        except* OSError:
            _reset(*pair)
        finally:
            self._open.discard(pair)
            for end in pair:
                end.close()

    async def _requests(self, reader, writer, pair) -> None:
        passed = 0
        while data := await reader.read(_CHUNK):
            await self._pass()
            if self.cut_after_bytes is not None and passed + len(data) > self.cut_after_bytes:
                writer.write(data[: self.cut_after_bytes - passed])
                _reset(*pair)
                return
            passed += len(data)
            self.requests += data.startswith((b"POST ", b"GET ", b"PUT "))
            await self._forward(writer, data)
        writer.close()

    async def _answers(self, reader, writer, pair) -> None:
        while data := await reader.read(_CHUNK):
            await self._pass()
            if self.drop_answers or random.random() < self.lose_rate:
                _reset(*pair)
                return
            if not self.swallow_answers:
                await self._forward(writer, data)
        writer.close()

    async def _pass(self) -> None:
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        await self._flowing.wait()

    async def _forward(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        if self.bytes_per_s:
            await asyncio.sleep(len(data) / self.bytes_per_s)
        writer.write(data)
        await writer.drain()


def _reset(*writers: asyncio.StreamWriter) -> None:
    """Close without a goodbye, so that the other end sees RST."""
    for writer in writers:
        if (taken := writer.get_extra_info("socket")) is not None:
            with contextlib.suppress(OSError):
                taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOTHING)
        writer.transport.abort()


@contextlib.asynccontextmanager
async def running_proxy(url: str) -> AsyncIterator[FaultProxy]:
    """Stand before the server of a URL for the length of a block."""
    port = urlsplit(url).port
    assert port is not None
    proxy = FaultProxy(port)
    await proxy.accept()
    try:
        yield proxy
    finally:
        await proxy.close()
