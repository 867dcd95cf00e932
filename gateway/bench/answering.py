"""A server on loopback that answers without a framework: what stands on the other side of a benchmark."""

import asyncio
from collections.abc import Callable
from typing import TypeAlias, cast

from msgspec import Struct

from gateway.bench.http_wire import MessageReader


class Later(Struct, frozen=True):
    """A response that is not given at once."""

    after_s: float
    response: bytes


Answer: TypeAlias = Callable[[bytes, bytes], bytes | Later]
"""Takes the head and the body of a request; an empty response is none."""


class _Connection(asyncio.Protocol):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._reader = MessageReader()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but its bases

    def data_received(self, data: bytes) -> None:
        at_once: list[bytes] = []
        for head, body in self._reader.feed(data):
            answer = self._answer(head, body)
            if isinstance(answer, Later):
                asyncio.get_running_loop().call_later(answer.after_s, self._transport.write, answer.response)
            else:
                at_once.append(answer)
        if at_once:
            self._transport.write(b"".join(at_once))


async def listen(answer: Answer, port: int) -> asyncio.Server:
    """Return a server on loopback; port 0 takes a free one."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: _Connection(answer), "127.0.0.1", port)


async def serve(answer: Answer, port: int) -> None:
    """Serve until cancelled; writes `"ready"` once connections are taken."""
    server = await listen(answer, port)
    print('"ready"', flush=True)
    await server.serve_forever()
