"""
``python -m gateway.bench.peer PORT [PEM-FILE CERTIFICATE-PATH]``: the other side, as cheap as it can be.

It answers every SendTextMessage with a fresh MessageId, every webhook with 200, serves the certificate that
benchmark envelopes are signed with, and counts. The emulator does far more per call, and would be what is
measured.
"""

import asyncio
import sys
import uuid
from collections import Counter
from pathlib import Path
from typing import cast

import msgspec
import uvloop

from gateway.bench.http_wire import MessageReader, response_bytes

_JSON = "application/x-amz-json-1.0"
_EMPTY = response_bytes(b"", media_type="text/plain")


class Peer:
    """What is answered, and how often it was."""

    def __init__(self, certificate_path: str, certificate: bytes) -> None:
        self.counts: Counter[str] = Counter()
        self._certificate_path = certificate_path
        self._certificate = response_bytes(certificate, media_type="application/x-pem-file")
        self._prefix = str(uuid.uuid4())[:-12]

    def answer(self, head: bytes) -> bytes:
        """Return the response to a request with this head."""
        path = head.split(b" ", 2)[1].decode("ascii")
        if path == "/":
            self.counts["sends"] += 1
            message_id = f"{self._prefix}{self.counts['sends']:012x}"
            return response_bytes(b'{"MessageId":"%s"}' % message_id.encode(), media_type=_JSON)
        if path == "/counts":
            return response_bytes(msgspec.json.encode(self.counts), media_type="application/json")
        if path == self._certificate_path:
            return self._certificate
        self.counts[path] += 1
        return _EMPTY


class _Connection(asyncio.Protocol):
    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._reader = MessageReader()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but its bases

    def data_received(self, data: bytes) -> None:
        answers = [self._peer.answer(head) for head, _ in self._reader.feed(data)]
        if answers:
            self._transport.write(b"".join(answers))


async def listen(peer: Peer, port: int) -> asyncio.Server:
    """Return a server on loopback that answers for `peer`; port 0 takes a free one."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: _Connection(peer), "127.0.0.1", port)


async def _main(arguments: list[str]) -> None:
    port, *certificate = arguments
    path, pem = (certificate[1], Path(certificate[0]).read_bytes()) if certificate else ("", b"")  # noqa: ASYNC240 - before the run
    server = await listen(Peer(path, pem), int(port))
    print('"ready"', flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main(sys.argv[1:]))
