"""
``python -m gateway.bench.bare_queue URL REGION LOOPS``: the bare component of `receipts` over SQS.

aioboto3 that receives ten, deletes ten, and forgets them, in as many loops as the gateway polls with.
"""

import asyncio
import sys

import uvloop

from gateway.carrier.session import open_session
from gateway.receipts.sqs import SqsQueue, open_queue


async def _forget(queue: SqsQueue) -> None:
    while True:
        if letters := await queue.receive(wait_s=20, hidden_s=30):
            await queue.delete(letters)


async def _main(url: str, region: str, loops: int) -> None:
    async with open_queue(open_session(), url, region=region, connections=loops) as queue:
        print('"ready"', flush=True)
        await asyncio.gather(*(_forget(queue) for _ in range(loops)))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
