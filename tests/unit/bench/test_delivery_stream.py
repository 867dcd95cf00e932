"""The stream between the emulator and the gateway: what it loses or never packs would make `life` cheap."""

import base64
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import msgspec
from aiohttp import web

from gateway.bench.answering import listen
from gateway.bench.delivery_stream import BUFFER_BYTES, DeliveryStream
from gateway.receipts.firehose import Posted
from tests.harness.waiting import until


def _put(event: bytes) -> bytes:
    data = base64.b64encode(event).decode()
    return msgspec.json.encode({"DeliveryStreamName": "stream", "Record": {"Data": data}})


class _Endpoint:
    """Keeps what is posted, and refuses the first `refusals` posts."""

    def __init__(self, refusals: int = 0) -> None:
        self.refusals = refusals
        self.posted: list[tuple[Posted, bytes]] = []

    async def take(self, request: web.Request) -> web.Response:
        """Handle one delivery."""
        posted = Posted(
            read=request.read,
            request_id=request.headers["X-Amz-Firehose-Request-Id"],
            access_key=request.headers["X-Amz-Firehose-Access-Key"],
            encoding=request.headers["Content-Encoding"],
        )
        self.posted.append((posted, await request.read()))
        return web.json_response({}, status=503 if len(self.posted) <= self.refusals else 200)

    def records(self, number: int) -> list[bytes]:
        """Return what one of the deliveries carries."""
        body = msgspec.json.decode(gzip.decompress(self.posted[number][1]))
        assert body["requestId"] == self.posted[number][0].request_id
        return [base64.b64decode(each["data"]) for each in body["records"]]


@asynccontextmanager
async def _streaming(endpoint: _Endpoint, *, buffer_s: float) -> AsyncIterator[str]:
    """Yield the URL at which records are put."""
    app = web.Application(client_max_size=4 * BUFFER_BYTES)
    app.router.add_post("/v1/ingest/firehose", endpoint.take)
    runner = web.AppRunner(app, auto_decompress=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as http:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        server = await listen(DeliveryStream(http, url, "tgfh_key", buffer_s=buffer_s).answer, 0)
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        server.close()
    await runner.cleanup()


async def _put_all(url: str, events: list[bytes]) -> None:
    async with aiohttp.ClientSession() as http:
        for event in events:
            async with http.post(url, data=_put(event)) as answer:
                assert answer.status == 200


async def test_what_comes_within_the_interval_is_one_delivery_in_order() -> None:
    """Packed and with the key, as AWS posts it."""
    endpoint = _Endpoint()
    events = [b'{"n":%d}' % n for n in range(5)]
    async with _streaming(endpoint, buffer_s=0.3) as url:
        await _put_all(url, events)
        await until(lambda: _has(endpoint, 1), within_s=60)
    assert endpoint.records(0) == events
    assert endpoint.posted[0][0].access_key == "tgfh_key"


async def test_a_full_buffer_does_not_wait() -> None:
    """The interval is an hour here: only the size can have made the delivery."""
    endpoint = _Endpoint()
    event = b"x" * (BUFFER_BYTES // 2 + 1)
    async with _streaming(endpoint, buffer_s=3600.0) as url:
        await _put_all(url, [event, event, b"{}"])
        await until(lambda: _has(endpoint, 1), within_s=60)
    assert endpoint.records(0) == [event, event]


async def test_what_is_refused_comes_again_as_the_same_delivery() -> None:
    """A stream that dropped it would leave messages without an end."""
    endpoint = _Endpoint(refusals=1)
    async with _streaming(endpoint, buffer_s=0.01) as url:
        await _put_all(url, [b"{}"])
        await until(lambda: _has(endpoint, 2), within_s=60)
    assert endpoint.records(1) == [b"{}"]
    assert endpoint.posted[0][1] == endpoint.posted[1][1]


async def _has(endpoint: _Endpoint, count: int) -> bool:
    return len(endpoint.posted) >= count
