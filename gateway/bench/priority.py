"""
`priority`: how long an OTP takes to AWS behind a million promotional messages, beside an empty queue.

Two gateways take turns. Both get OTPs through the REST API; in one of them a campaign of the same tenant
waits for the same sender (a short code's 100 parts a second) and uses all that the OTPs leave. The time runs
from the acceptance, the millisecond inside the message's id, to the arrival at a peer that answers at once.
"""

from contextlib import AsyncExitStack
from typing import Final

from msgspec import Struct

from gateway.bench.ground import Ground, open_ground
from gateway.bench.progress import Tell, in_rounds
from gateway.bench.rebuilding import open_lanes
from gateway.bench.report import Report, Round, Target, percentile, report_of
from gateway.bench.seeding import open_seeder
from gateway.bench.stack import eventually
from gateway.bench.tenant import Sender

TARGETS: Final = {"otp_p99_ms_added": Target(at_most=100.0)}
SHORT_CODE: Final = Sender(value="CAMPAIGN", parts_per_second=100)
_OTP_PER_S: Final = 20.0
_OTP: Final = "Your code is 493817. It is valid for ten minutes. Do not share it. Acme"
_WARM_UP_S: Final = 1.0
_ARRIVED_WITHIN_S: Final = 60.0
_MEANWHILE_S: Final = 10
"""Of a round, in which the campaign goes on before and after the OTPs."""


class Sizes(Struct, frozen=True, kw_only=True):
    """How much is measured."""

    rounds: int
    seconds: float
    queued: int


FULL: Final = Sizes(rounds=5, seconds=10.0, queued=1_000_000)
QUICK: Final = Sizes(rounds=2, seconds=4.0, queued=100_000)


async def measure(*, quick: bool, tell: Tell) -> Report:
    """Run the rounds."""
    return await measured(QUICK if quick else FULL, tell)


async def measured(sizes: Sizes, tell: Tell) -> Report:
    """Build both gateways and run rounds of these sizes."""
    async with AsyncExitStack() as exits:
        tell("starting two gateways")
        calm = await exits.enter_async_context(open_ground(senders=(SHORT_CODE,)))
        busy = await exits.enter_async_context(open_ground(senders=(SHORT_CODE,)))
        await calm.lead_to_peer()
        await busy.lead_to_peer()
        tell(f"queueing {sizes.queued:,} promotional messages")
        await _campaign(busy, sizes)

        async def once() -> Round:
            figures, baseline = await _otps(busy, sizes.seconds), await _otps(calm, sizes.seconds)
            added = {"otp_p99_ms_added": figures["otp_p99_ms"] - baseline["otp_p99_ms"]}
            return Round(figures=figures | added, baseline=baseline)

        return report_of("priority", await in_rounds(sizes.rounds, once, tell), TARGETS)


async def _campaign(ground: Ground, sizes: Sizes) -> None:
    seeder = await open_seeder(ground, kind="promotional")
    leaving = round(SHORT_CODE.parts_per_second * sizes.rounds * (sizes.seconds + _MEANWHILE_S))
    within_reach = min(sizes.queued, leaving)
    await seeder.queue([seeder.owner] * within_reach)
    await seeder.queue_unreachable([seeder.owner], sizes.queued - within_reach)
    await seeder.settle()
    async with open_lanes(ground.stack) as lanes:
        await lanes.rebuild(seeder.route)


async def _otps(ground: Ground, seconds: float) -> dict[str, float]:
    """Return what OTPs waited, sent at a steady pace to a dispatcher that has just warmed up."""
    stack = ground.stack
    async with stack.passing("dispatcher", *stack.role("dispatcher")):
        await _sent(ground, _WARM_UP_S)
        waited = await _sent(ground, seconds)
    return {
        "otp_p50_ms": percentile(waited, 0.5),
        "otp_p99_ms": percentile(waited, 0.99),
        "otp_slowest_ms": max(waited),
    }


async def _sent(ground: Ground, seconds: float) -> list[float]:
    """Send OTPs for so long, and return the milliseconds that each took to the peer."""
    count = round(_OTP_PER_S * seconds)
    outcome, _ = await ground.stack.load(
        [ground.sends.one(body=_OTP, kind="otp") for _ in range(count)],
        targets=[ground.api],
        seconds=seconds + 1.0,
        warm_up_s=0.0,
        per_second=_OTP_PER_S,
    )
    outcome.require(202, count)
    waited: list[float] = []

    async def arrived() -> bool:
        waited.extend((await ground.delays_ms(["otp"])).values())
        return len(waited) >= count

    await eventually(arrived, within_s=_ARRIVED_WITHIN_S)
    return waited
