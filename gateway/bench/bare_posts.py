"""
``python -m gateway.bench.bare_posts URL CONCURRENCY COUNT``: the bare component of `webhooks`.

aiohttp, and as many callers as the sender has posts in flight, with a signed webhook's headers and body made
once. It waits for a line before the first post.
"""

import asyncio
import sys

import aiohttp
import uvloop

_BODY = b'{"type":"message.queued","timestamp":"2026-01-01T00:00:00.000Z","sequence":1,"data":{%s}}' % (
    b",".join(b'"member_%02d":"twenty characters.."' % number for number in range(24))
)
"""About 1,000 bytes, as a message in an event has."""
_HEADERS = {
    "content-type": "application/json",
    "webhook-id": "evt_01M7Y1KXFFE3STY7ZW980J9N4B",
    "webhook-timestamp": "1767225600",
    "webhook-signature": f"v1,{'A' * 43}=",
}


async def _main(url: str, concurrency: int, count: int) -> None:
    left = iter(range(count))
    connector = aiohttp.TCPConnector(limit=concurrency)
    async with aiohttp.ClientSession(connector=connector, headers=_HEADERS) as http:

        async def post() -> None:
            for _ in left:
                async with http.post(url, data=_BODY) as response:
                    await response.read()

        print('"ready"', flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        await asyncio.gather(*(post() for _ in range(concurrency)))
        print('"done"', flush=True)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
