"""
``python -m gateway.bench.bare_gcra PLAN-FILE``: eight workers per identity, a bucket of burst = rate.

The script is GCRA as redis-cell and the `limits` package count: a bucket of one second's worth, full after
idling. It is asked for every message, in parts, and only what it lets go is sent.
"""

import asyncio
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec
import uvloop
from msgspec import Struct

from gateway.bench.bare_calls import HEADERS, text_of
from gateway.bench.tenant import recipients
from gateway.lanes.scripts import RedisScripts, Script, connect

WORKERS: Final = 8
_GCRA: Final = """
local time = redis.call('TIME')
local now, period = time[1] * 1000000 + time[2], tonumber(ARGV[1])
local tat = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now) + ARGV[2] * period
if tat - now > 1000000 then
  return { math.ceil(tat - now - 1000000) }
end
redis.call('SET', KEYS[1], string.format('%.0f', tat), 'PX', 2000)
return { 0 }
"""
_SCRIPT: Final = Script(_GCRA, hashlib.sha1(_GCRA.encode(), usedforsecurity=False).hexdigest())


class Plan(Struct, frozen=True, kw_only=True):
    """What to send."""

    endpoint: str
    redis_url: str
    texts: dict[str, list[int]]
    """Sender id to the parts of its texts, in order."""
    rates: dict[str, int]
    """Sender id to its parts per second."""


class _Identity(Struct, frozen=True, kw_only=True):
    sender: str
    rate: int
    texts: Iterator[int]


async def _worker(
    identity: _Identity, scripts: RedisScripts, http: aiohttp.ClientSession, to: Iterator[str]
) -> None:
    key, period_us = f"{{bare}}:{identity.sender}", 1_000_000 / identity.rate
    for parts in identity.texts:
        while wait_us := int(  # noqa: ASYNC110 - a limiter is asked again
            (await scripts.run(_SCRIPT, key, [period_us, parts]))[0]
        ):
            await asyncio.sleep(wait_us / 1_000_000)
        members = {
            "DestinationPhoneNumber": next(to),
            "MessageBody": text_of(parts),
            "MessageType": "TRANSACTIONAL",
            "OriginationIdentity": identity.sender,
        }
        async with http.post("/", data=msgspec.json.encode(members)) as response:
            await response.read()


async def _main(path: str) -> None:
    plan = msgspec.json.decode(Path(path).read_bytes(), type=Plan)  # noqa: ASYNC240 - before the run
    client: Any = connect(plan.redis_url)
    scripts, to = RedisScripts(client), recipients()
    identities = [
        _Identity(sender=sender, rate=plan.rates[sender], texts=iter(texts))
        for sender, texts in plan.texts.items()
    ]
    async with aiohttp.ClientSession(plan.endpoint, headers=HEADERS) as http:
        print('"ready"', flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        await asyncio.gather(
            *(_worker(identity, scripts, http, to) for identity in identities for _ in range(WORKERS))
        )
        print('"done"', flush=True)
    await client.aclose()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main(sys.argv[1]))
