"""
``python -m gateway.bench.delivery_stream PORT URL KEY``: a Firehose stream with an HTTP endpoint destination.

It takes `PutRecord` as the emulator calls it, buffers until 1 MiB has come together or a second has passed
since the first record, and posts the buffer, packed, to the gateway. That is the smallest size that AWS lets
a stream have, and far less time than `docs/how-to/receipts.md` recommends. What is not answered with 200 is
posted again a second later, as the same request.
"""

import asyncio
import sys
from typing import Final

import aiohttp
import msgspec
import uvloop
from msgspec import Struct

from gateway.bench.answering import serve
from gateway.bench.deliveries import PATH, Delivery, delivery
from gateway.bench.http_wire import response_bytes

BUFFER_BYTES: Final = 1024 * 1024
"""Of records as they were put, before base64."""
BUFFER_S: Final = 1.0
_AGAIN_S: Final = 1.0
_BASE64: Final = 0.75
_TAKEN: Final = response_bytes(b'{"RecordId":"1"}', media_type="application/x-amz-json-1.1")


class _Record(Struct, frozen=True, rename="pascal"):
    data: str
    """Base64."""


class _PutRecord(Struct, frozen=True, rename="pascal"):
    record: _Record


_PUT: Final = msgspec.json.Decoder(_PutRecord)


class DeliveryStream:
    """What waits in the buffer, and the posts under way."""

    def __init__(
        self, http: aiohttp.ClientSession, url: str, key: str, *, buffer_s: float = BUFFER_S
    ) -> None:
        self._http = http
        self._url = url + PATH
        self._key = key
        self._buffer_s = buffer_s
        self._records: list[str] = []
        self._bytes = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._posts: set[asyncio.Task[None]] = set()

    def answer(self, _: bytes, body: bytes) -> bytes:
        """Take the record of a `PutRecord`."""
        data = _PUT.decode(body).record.data
        self._records.append(data)
        self._bytes += len(data) * _BASE64
        if self._bytes >= BUFFER_BYTES:
            self._deliver()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._buffer_s, self._deliver)
        return _TAKEN

    def _deliver(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        records, self._records, self._bytes = self._records, [], 0.0
        task = asyncio.create_task(self._post(delivery(records, self._key, packed=True)))
        self._posts.add(task)
        task.add_done_callback(self._posts.discard)

    async def _post(self, made: Delivery) -> None:
        while True:
            try:
                async with self._http.post(self._url, data=made.body, headers=made.headers) as answer:
                    said = await answer.text()
                if answer.status == 200:
                    return
            except aiohttp.ClientError as error:
                said = str(error)
            print(f"not delivered: {said}", file=sys.stderr)
            await asyncio.sleep(_AGAIN_S)


async def _main(port: int, url: str, key: str) -> None:
    async with aiohttp.ClientSession() as http:
        await serve(DeliveryStream(http, url, key).answer, port)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
