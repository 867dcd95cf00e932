"""A Redis that calls itself older than it may be; it says who it is and nothing else."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import hiredis

OLD = "6.0.16"
_WHO = f"# Server\r\nredis_version:{OLD}\r\n".encode()


@contextlib.asynccontextmanager
async def running_old_redis() -> AsyncIterator[str]:
    """Serve on a port of its own for the length of a block; yields its URL."""
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    async with server:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    commands = hiredis.Reader()
    while data := await reader.read(65_536):
        commands.feed(data)
        while (command := commands.gets()) is not False:
            writer.write(_answer(command[0].upper()))
        await writer.drain()
    writer.close()


def _answer(command: bytes) -> bytes:
    match command:
        case b"INFO":
            return b"$%d\r\n%b\r\n" % (len(_WHO), _WHO)
        case b"PING":
            return b"+PONG\r\n"
        case _:
            return b"+OK\r\n"
