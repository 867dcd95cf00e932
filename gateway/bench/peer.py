"""
``python -m gateway.bench.peer PORT [PEM-FILE CERTIFICATE-PATH]``: the other side, as cheap as it can be.

It answers every SendTextMessage with a fresh MessageId, every webhook but the silent ones with 200, serves
the certificate that benchmark envelopes are signed with, counts, and remembers when each of the gateway's
messages came. The emulator does far more per call, and would be what is measured.
"""

import asyncio
import re
import sys
import time
import uuid
from collections import Counter
from pathlib import Path

import msgspec
import uvloop

from gateway.bench.answering import serve
from gateway.bench.http_wire import response_bytes

_JSON = "application/x-amz-json-1.0"
_MESSAGE_ID = re.compile(rb'"tg_m": ?"(msg_[0-9A-Z]{26})"')
_TOLD_ID = re.compile(rb'"data":\{"id":"(msg_[0-9A-Z]{26})"')
TOLD = "/told"
"""Webhooks whose path begins with it are remembered with the message and the time, until `GET /told` asks."""
SILENT = "/silent"
"""Whatever is posted there is never answered."""
_MOST_REMEMBERED = 200_000
_EMPTY = response_bytes(b"", media_type="text/plain")


class Peer:
    """What is answered, and how often it was."""

    def __init__(self, certificate_path: str, certificate: bytes) -> None:
        self.counts: Counter[str] = Counter()
        self._came: dict[str, float] = {}
        """Public message ids with the epoch milliseconds at which they first came."""
        self._told: list[tuple[str, str, float]] = []
        """Path, message and epoch milliseconds of each webhook."""
        self._certificate_path = certificate_path
        self._certificate = response_bytes(certificate, media_type="application/x-pem-file")
        self._prefix = str(uuid.uuid4())[:-12]

    def answer(self, head: bytes, body: bytes = b"") -> bytes:
        """Return the response to a request."""
        path = head.split(b" ", 2)[1].decode("ascii")
        if path == "/":
            self.counts["sends"] += 1
            self._note(body)
            message_id = f"{self._prefix}{self.counts['sends']:012x}"
            return response_bytes(b'{"MessageId":"%s"}' % message_id.encode(), media_type=_JSON)
        if path in {"/counts", "/came", TOLD}:
            return response_bytes(msgspec.json.encode(self._report(path)), media_type="application/json")
        if path == self._certificate_path:
            return self._certificate
        self.counts[path] += 1
        if path.startswith(TOLD):
            self._note_told(path, body)
        return b"" if path == SILENT else _EMPTY

    def _report(self, path: str) -> object:
        """Return what is asked for; what came and what was told is said once."""
        if path == "/counts":
            return self.counts
        if path == TOLD:
            told, self._told = self._told, []
            return told
        came = list(self._came.items())
        self._came.clear()
        return came

    def _note(self, body: bytes) -> None:
        """Remember when a message came; `/came` tells it once."""
        found = _MESSAGE_ID.search(body)
        if found is not None and len(self._came) < _MOST_REMEMBERED:
            self._came.setdefault(found[1].decode("ascii"), time.time() * 1000.0)

    def _note_told(self, path: str, body: bytes) -> None:
        found = _TOLD_ID.search(body)
        if found is not None and len(self._told) < _MOST_REMEMBERED:
            self._told.append((path, found[1].decode("ascii"), time.time() * 1000.0))


async def _main(arguments: list[str]) -> None:
    port, *certificate = arguments
    path, pem = (certificate[1], Path(certificate[0]).read_bytes()) if certificate else ("", b"")  # noqa: ASYNC240 - before the run
    await serve(Peer(path, pem).answer, int(port))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main(sys.argv[1:]))
