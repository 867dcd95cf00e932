"""
``python -m gateway.bench.queue_peer PORT``: an SQS queue as cheap as it can be, for receipts to be read from.

It speaks the JSON protocol as far as a consumer needs it. `POST /fill` takes a list of bodies; `GET /counts`
tells how many messages were deleted. A test server of SQS does far more per call, and would be what is
measured.
"""

import asyncio
import hashlib
import re
import sys
from collections import deque
from typing import Any, Final, cast

import msgspec
import uvloop

from gateway.bench.http_wire import MessageReader, response_bytes

PATH: Final = "/123456789012/bench"
"""Of the queue's URL."""
_JSON: Final = "application/x-amz-json-1.0"
_TARGET: Final = re.compile(rb"x-amz-target: *AmazonSQS\.([A-Za-z]+)", re.IGNORECASE)
_EMPTY_POLL_S: Final = 0.2
_NOTHING: Final = response_bytes(b"{}", media_type=_JSON)


class QueuePeer:
    """What waits, and how much was deleted."""

    def __init__(self) -> None:
        self._waiting: deque[str] = deque()
        self._given = 0
        self._deleted = 0

    def answer(self, head: bytes, body: bytes) -> bytes | None:
        """Return the response to a request; None for a poll that finds nothing, which is answered later."""
        called = _TARGET.search(head)
        if called is None:
            return self._told(head, body)
        match called[1]:
            case b"ReceiveMessage":
                return self._received(body)
            case b"DeleteMessageBatch":
                entries = msgspec.json.decode(body)["Entries"]
                self._deleted += len(entries)
                done = {"Successful": [{"Id": each["Id"]} for each in entries], "Failed": []}
                return response_bytes(msgspec.json.encode(done), media_type=_JSON)
            case _:
                return _NOTHING

    def _told(self, head: bytes, body: bytes) -> bytes:
        if head.startswith(b"POST /fill "):
            self._waiting.extend(msgspec.json.decode(body, type=list[str]))
        counts = msgspec.json.encode({"deleted": self._deleted})
        return response_bytes(counts, media_type="application/json")

    def _received(self, body: bytes) -> bytes | None:
        most = msgspec.json.decode(body).get("MaxNumberOfMessages", 1)
        taken = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        if not taken:
            return None
        messages = msgspec.json.encode({"Messages": [self._message(each) for each in taken]})
        return response_bytes(messages, media_type=_JSON)

    def _message(self, body: str) -> dict[str, Any]:
        self._given += 1
        return {
            "MessageId": f"00000000-0000-4000-8000-{self._given:012d}",
            "ReceiptHandle": f"{self._given:0200d}",
            "MD5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
            "Body": body,
            "Attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1767225600000"},
        }


class _Connection(asyncio.Protocol):
    def __init__(self, peer: QueuePeer) -> None:
        self._peer = peer
        self._reader = MessageReader()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but its bases

    def data_received(self, data: bytes) -> None:
        for head, body in self._reader.feed(data):
            answer = self._peer.answer(head, body)
            if answer is None:
                asyncio.get_running_loop().call_later(_EMPTY_POLL_S, self._transport.write, _NOTHING)
            else:
                self._transport.write(answer)


async def listen(peer: QueuePeer, port: int) -> asyncio.Server:
    """Return a server on loopback that answers for `peer`; port 0 takes a free one."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: _Connection(peer), "127.0.0.1", port)


async def _main(port: int) -> None:
    server = await listen(QueuePeer(), port)
    print('"ready"', flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main(int(sys.argv[1])))
