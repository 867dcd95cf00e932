"""
`webhooks`: signed webhooks a second out of the outbox, beside a bare aiohttp loop that posts as many; and how
long it takes from a receipt to its webhook at half load, beside the same with a fifth of the endpoints ill.

The sender leases deliveries from Postgres, joins event, message and endpoint, signs, posts and records; the
bare component only posts. Both have the same number of posts in flight, to a receiver that answers at once.
"""

from gateway.bench.drain import watch
from gateway.bench.ground import HOOK, Ground, open_ground
from gateway.bench.progress import Tell, in_rounds
from gateway.bench.report import Report, Round, Target, report_of
from gateway.bench.stack import eventually
from gateway.bench.telling import Telling

TARGETS = {
    "told_p99_ms": Target(at_most=250.0),
    "ratio.others_p99_ms": Target(at_most=1.1),
}
_ENDPOINTS = 8
"""One endpoint gets ten posts at a time; eight keep the sender busy."""
_TOLD = ("message.queued",)
_DONE_WITHIN_S = 60.0
_HALF = 0.5


async def measure(*, quick: bool, tell: Tell) -> Report:
    """Run the rounds."""
    messages, rounds, seconds = (250, 3, 4.0) if quick else (750, 5, 10.0)
    async with open_ground(endpoints=_ENDPOINTS, told=_TOLD) as ground:
        drained = await in_rounds(rounds, lambda: _round(ground, messages), tell)
        telling = Telling(ground)
        await telling.open()
        async with ground.stack.passing("webhooks", *ground.stack.role("webhooks")):
            await telling.run(messages)  # the processes warm up
            full = (await telling.run(messages)).per_s
            told = await in_rounds(rounds, lambda: _paced(telling, _HALF * full, seconds), tell)
    merged = [_merged(*parts) for parts in zip(drained, told, strict=True)]
    return report_of("webhooks", merged, TARGETS)


async def _paced(telling: Telling, per_second: float, seconds: float) -> Round:
    """The same load twice: all endpoints well, and then a fifth of them ill."""
    count = round(per_second * seconds)
    calm = await telling.run(count, per_second=per_second)
    await telling.settled()
    await telling.sicken()
    try:
        others = await telling.run(count, per_second=per_second)
    finally:
        await telling.heal()
    return Round(
        figures={
            "receipts_per_s_at_half_load": per_second,
            "told_p50_ms": calm.p50_ms,
            "told_p99_ms": calm.p99_ms,
            "others_p50_ms": others.p50_ms,
            "others_p99_ms": others.p99_ms,
        },
        baseline={"others_p50_ms": calm.p50_ms, "others_p99_ms": calm.p99_ms},
    )


def _merged(drained: Round, told: Round) -> Round:
    return Round(figures={**drained.figures, **told.figures}, baseline={**drained.baseline, **told.baseline})


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
