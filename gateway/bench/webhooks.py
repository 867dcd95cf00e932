"""
`webhooks`: signed webhooks a second out of the outbox, beside a bare aiohttp loop that posts as many.

The sender leases deliveries from Postgres, joins event, message and endpoint, signs, posts and records; the
bare component only posts. Both have the same number of posts in flight, to a receiver that answers at once.
"""

from gateway.bench.drain import watch
from gateway.bench.ground import HOOK, Ground, open_ground
from gateway.bench.progress import Tell, in_rounds
from gateway.bench.report import Report, Round, report_of
from gateway.bench.stack import eventually

_ENDPOINTS = 8
"""One endpoint gets ten posts at a time; eight keep the sender busy."""
_TOLD = ("message.queued",)
_DONE_WITHIN_S = 60.0


async def measure(*, quick: bool, tell: Tell) -> Report:
    """Run the rounds."""
    messages, rounds = (250, 3) if quick else (750, 5)
    async with open_ground(endpoints=_ENDPOINTS, told=_TOLD) as ground:
        return report_of("webhooks", await in_rounds(rounds, lambda: _round(ground, messages), tell), {})


async def _round(ground: Ground, messages: int) -> Round:
    """Every accepted message owes each endpoint one delivery, and nobody delivers until all are owed."""
    await ground.accept(messages)
    figures = await _sender(ground)
    return Round(figures=figures, baseline=await _bare(ground, messages * _ENDPOINTS))


async def _sender(ground: Ground) -> dict[str, float]:
    owed = await ground.pool.fetchval("SELECT count(*) FROM webhook_deliveries WHERE state = 'pending'")
    before = await _arrived(ground)
    async with ground.stack.passing("webhooks", *ground.stack.role("webhooks")):
        drained = await watch(ground.stack, lambda: _arrived(ground), before=before, total=owed)
        await eventually(lambda: _all_recorded(ground), within_s=_DONE_WITHIN_S)
    return {
        "posted_per_s": drained.per_s,
        "sender_us": drained.us["webhooks"],
        "postgres_us": drained.us["postgres"],
    }


async def _bare(ground: Ground, count: int) -> dict[str, float]:
    in_flight = str(ground.stack.settings.webhook_in_flight)
    before = await _arrived(ground)
    arguments = (ground.peer_url + HOOK, in_flight, str(count))
    async with ground.stack.passing("bare", "gateway.bench.bare_posts", *arguments) as bare:
        await bare.hear()
        await bare.say("go")
        drained = await watch(ground.stack, lambda: _arrived(ground), before=before, total=count)
        await bare.hear()
    return {"posted_per_s": drained.per_s, "sender_us": drained.us["bare"]}


async def _arrived(ground: Ground) -> int:
    return await ground.counted(HOOK)


async def _all_recorded(ground: Ground) -> bool:
    pending = "SELECT EXISTS (SELECT FROM webhook_deliveries WHERE state = 'pending')"
    return await ground.pool.fetchval(pending) is False
