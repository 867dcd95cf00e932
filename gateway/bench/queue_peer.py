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
from typing import Any, Final

import msgspec
import uvloop

from gateway.bench.answering import Later, serve
from gateway.bench.http_wire import response_bytes

PATH: Final = "/123456789012/bench"
"""Of the queue's URL."""
_JSON: Final = "application/x-amz-json-1.0"
_TARGET: Final = re.compile(rb"x-amz-target: *AmazonSQS\.([A-Za-z]+)", re.IGNORECASE)
_NOTHING: Final = response_bytes(b"{}", media_type=_JSON)
_EMPTY_POLL: Final = Later(0.2, _NOTHING)


class QueuePeer:
    """What waits, and how much was deleted."""

    def __init__(self) -> None:
        self._waiting: deque[str] = deque()
        self._given = 0
        self._deleted = 0

    def answer(self, head: bytes, body: bytes) -> bytes | Later:
        """Return the response to a request; that to a poll which finds nothing is given later."""
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

    def _received(self, body: bytes) -> bytes | Later:
        most = msgspec.json.decode(body).get("MaxNumberOfMessages", 1)
        taken = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        if not taken:
            return _EMPTY_POLL
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


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(QueuePeer().answer, int(sys.argv[1])))
