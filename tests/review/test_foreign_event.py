"""Events that are authentic and not about any message of ours."""

import asyncio
import json
from datetime import UTC, datetime

from gateway.clock import FixedClock
from gateway.receipts.batch import create_receipts, platform_key
from gateway.receipts.event import parse
from tests.harness.stack import SECRET_KEY


async def test_an_event_that_names_an_impossible_message_is_parked(ingest_pool):
    """Whoever else uses the topic must not be able to stop the process: SNS would post it again and again."""
    commit = create_receipts(ingest_pool, FixedClock(datetime.now(UTC)), platform_key(SECRET_KEY))
    running = asyncio.create_task(commit.run(flushers=1))
    event = {
        "eventType": "TEXT_DELIVERED",
        "messageStatus": "DELIVERED",
        "eventTimestamp": 1_790_000_000_000,
        "messageId": "somebody-elses",
        "context": {"tg_m": "ffffffff-ffff-7fff-bfff-ffffffffffff", "tg_a": "1"},
    }
    answer = await asyncio.gather(commit.submit(parse(json.dumps(event))), return_exceptions=True)
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert answer == ["parked"]
