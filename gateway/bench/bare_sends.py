"""
``python -m gateway.bench.bare_sends ENDPOINT REGION CONCURRENCY REQUESTS-FILE PER-SECOND``: bare sends.

Nothing but an aioboto3 client with the gateway's own configuration. At 0 per second as many callers as the
dispatcher has calls in flight send as fast as they can, else calls start at that pace. It waits for a line
before the first call.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aioboto3
import msgspec
import uvloop

from gateway.carrier.aws import send_config


async def _all_at_once(client: Any, requests: Sequence[dict[str, Any]], concurrency: int) -> None:
    left = iter(requests)

    async def caller() -> None:
        for request in left:
            await client.send_text_message(**request)

    await asyncio.gather(*(caller() for _ in range(concurrency)))


async def _paced(client: Any, requests: Sequence[dict[str, Any]], per_second: float) -> None:
    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number, request in enumerate(requests):
            await asyncio.sleep(started + number / per_second - time.perf_counter())
            group.create_task(client.send_text_message(**request))


async def _main(endpoint: str, region: str, concurrency: int, path: str, per_second: float) -> None:
    requests = msgspec.msgpack.decode(Path(path).read_bytes(), type=list[dict[str, Any]])  # noqa: ASYNC240 - before the run
    session: Any = aioboto3.Session()
    async with session.client(
        "pinpoint-sms-voice-v2", region_name=region, endpoint_url=endpoint, config=send_config(concurrency)
    ) as client:
        print('"ready"', flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        if per_second:
            await _paced(client, requests, per_second)
        else:
            await _all_at_once(client, requests, concurrency)
        print('"done"', flush=True)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], float(sys.argv[5])))
