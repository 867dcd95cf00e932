"""
``python -m gateway.bench.bare_sends WAY ENDPOINT REGION CONCURRENCY REQUESTS-FILE PER-SECOND``: bare sends.

Nothing but a client: `aioboto3` as it ships, with as many connections as callers; `aioboto3-as-ours`, the
same with the gateway's own configuration (docs/adr/0024); or `hand`, signed by hand and posted through
aiohttp. At 0 per second as many callers as the dispatcher has calls in flight send as fast as they can, else
calls start at that pace. It waits for a line before the first call.
"""

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import aioboto3
import msgspec
import uvloop
from aiobotocore.config import AioConfig

from gateway.bench.bare_hand import open_by_hand
from gateway.carrier.aws import send_config

Send: TypeAlias = Callable[[Mapping[str, Any]], Awaitable[object]]


async def _all_at_once(send: Send, requests: Sequence[dict[str, Any]], concurrency: int) -> None:
    left = iter(requests)

    async def caller() -> None:
        for request in left:
            await send(request)

    await asyncio.gather(*(caller() for _ in range(concurrency)))


async def _paced(send: Send, requests: Sequence[dict[str, Any]], per_second: float) -> None:
    started = time.perf_counter()

    async def one(request: dict[str, Any]) -> None:
        await send(request)

    async with asyncio.TaskGroup() as group:
        for number, request in enumerate(requests):
            await asyncio.sleep(started + number / per_second - time.perf_counter())
            group.create_task(one(request))


@asynccontextmanager
async def _open_aioboto3(endpoint: str, region: str, config: AioConfig) -> AsyncGenerator[Send]:
    session: Any = aioboto3.Session()
    async with session.client(
        "pinpoint-sms-voice-v2", region_name=region, endpoint_url=endpoint, config=config
    ) as client:
        yield lambda members: client.send_text_message(**members)


def _as_it_ships(endpoint: str, region: str, concurrency: int) -> AbstractAsyncContextManager[Send]:
    return _open_aioboto3(endpoint, region, AioConfig(max_pool_connections=concurrency))


def _as_ours(endpoint: str, region: str, concurrency: int) -> AbstractAsyncContextManager[Send]:
    return _open_aioboto3(endpoint, region, send_config(concurrency))


_WAYS = {"aioboto3": _as_it_ships, "aioboto3-as-ours": _as_ours, "hand": open_by_hand}


async def _main(arguments: Sequence[str]) -> None:
    way, endpoint, region, callers, path, pace = arguments
    concurrency, per_second = int(callers), float(pace)
    requests = msgspec.msgpack.decode(Path(path).read_bytes(), type=list[dict[str, Any]])  # noqa: ASYNC240 - before the run
    async with _WAYS[way](endpoint, region, concurrency) as send:
        print('"ready"', flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        if per_second:
            await _paced(send, requests, per_second)
        else:
            await _all_at_once(send, requests, concurrency)
        print('"done"', flush=True)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main(sys.argv[1:]))
