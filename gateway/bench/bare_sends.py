"""
``python -m gateway.bench.bare_sends ENDPOINT REGION CONCURRENCY REQUESTS-FILE``: `dispatch`, bare.

Nothing but an aioboto3 client with the gateway's own configuration, and as many callers as the dispatcher
has calls in flight. It waits for a line before the first call.
"""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aioboto3
import msgspec
import uvloop

from gateway.carrier.aws import send_config


async def _call(client: Any, requests: Iterator[dict[str, Any]]) -> None:
    for request in requests:
        await client.send_text_message(**request)


async def _main(endpoint: str, region: str, concurrency: int, path: str) -> None:
    requests = msgspec.msgpack.decode(Path(path).read_bytes(), type=list[dict[str, Any]])  # noqa: ASYNC240 - before the run
    session: Any = aioboto3.Session()
    async with session.client(
        "pinpoint-sms-voice-v2", region_name=region, endpoint_url=endpoint, config=send_config(concurrency)
    ) as client:
        print('"ready"', flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        left = iter(requests)
        await asyncio.gather(*(_call(client, left) for _ in range(concurrency)))
        print('"done"', flush=True)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]))
