"""
`life`: the CPU of a message's whole life, summed over every process of the gateway and its stores.

Messages arrive over HTTP, from as many connections as in `accept`, as fast as they are taken. They travel
through the emulator, come back as four events (one for each step of a text's life) and leave as one signed
webhook. The emulator, the delivery stream, the webhook's receiver and the generator are not the gateway and
are reported apart. What processes do while nothing happens is part of the sum.

The figure with the target is that of the Firehose road: its target was added up with receipts that come in
batches, and it is the road for volume (`docs/how-to/receipts.md`). All events of every message come by it,
through a stream that buffers as the service does (`delivery_stream`). ADR 21 says why. And it is that of a
machine at work: each of the target's parts was measured with as many callers as there could be (ADR 36).

Beside it, without a target: as `…_at_a_pace` the same number of messages at a steady pace, three fifths of
what this machine can do with everything on it, where few share a commit and processors rest in between; and
as `…_sns`, at a pace of its own and in shorter runs, the road that provisioning sets up by itself, where each
event is a signed post.

All background roles run in one process beside the API's, as `docs/how-to/run-on-aws.md` has it for two cores.

The bare components beside both are the request (Litestar with one EVALSHA) and the call (aioboto3), which is
as much as a gateway that keeps no promise would cost.
"""

import asyncio

from gateway.bench.bare_calls import calls, sender_of
from gateway.bench.children import free_port
from gateway.bench.event_roads import EventRoads, Road, open_roads
from gateway.bench.ground import HOOK, Ground
from gateway.bench.progress import Tell, in_rounds
from gateway.bench.report import Report, Round, Target, cores, report_of
from gateway.bench.stack import eventually

TARGETS = {"cpu_ms_per_message": Target(at_most=1.5), "memory_mb": Target(at_most=512.0)}
"""CPU with the lean way to send (2.6 with aioboto3); memory of all roles and both stores."""
_ROLES = ("dispatcher", "receipts", "webhooks", "scheduler")
_GATEWAY = ("api", "worker", "postgres", "redis")
_TOLD = ("message.delivered", "message.undelivered")
_EVENTS = 4
"""That a delivered text has: queued, pending, successful, delivered."""
_HEARD = "SELECT count(*) FROM receipts WHERE message_id <> (SELECT id FROM messages ORDER BY id LIMIT 1)"
"""Of all but the message that opened the lanes, which may have ended in another way."""
_WARM_UP = 500
_WARM_UP_PER_S = 50.0
_A_MINUTES = 5_000
"""Messages that a gateway which is at work takes within its first minute, at the least."""
_LOAD = 0.6
_PACE_STEP = 10
_SLOWEST_PER_S = 50.0
_IDLE_S = 5.0
_FINISHED_WITHIN_S = 120.0
_SNS_SHARE = 0.5
"""Of a round's seconds."""


async def measure(*, quick: bool, tell: Tell) -> Report:
    """Run the rounds."""
    seconds, rounds = (8.0, 3) if quick else (12.0, 5)
    async with open_roads(told=_TOLD) as (ground, roads):
        await ground.stack.work("worker", *_ROLES)
        bench = _Bench(ground, roads)
        await bench.warm_up()
        return report_of("life", await in_rounds(rounds, lambda: bench.round(seconds), tell), TARGETS)


class _Bench:
    def __init__(self, ground: Ground, roads: EventRoads) -> None:
        self._ground = ground
        self._roads = roads
        self._stack = ground.stack
        self._expected = 1
        """Webhooks so far; the message that opened the lanes has had its own."""
        self._per_s: dict[Road, float] = {}

    async def warm_up(self) -> None:
        """Let every process meet what it will do, and find each road's pace from what a burst costs."""
        await self._ground.let_carrier("DELIVERED")
        roads: tuple[Road, ...] = ("sns", "firehose")
        for road in roads:
            await self._roads.take(road)
            await self._lived(_WARM_UP, _WARM_UP_PER_S)  # the last event comes after the last webhook
        # As autovacuum has done wherever a gateway has run for a minute: plans made over empty tables read
        # all of the new ones.
        await self._live(_A_MINUTES, None)
        await self._ground.pool.execute("ANALYZE")
        for road in roads:
            await self._roads.take(road)
            spent = await self._lived(_WARM_UP, None)
            self._per_s[road] = pace(sum(spent.values()), cores())

    async def round(self, seconds: float) -> Round:
        per_s = self._per_s["firehose"]
        count = round(per_s * seconds)
        idle = await self._idle()
        memory = self._stack.memory_mb()
        spent = await self._lived(count, None)
        paced = await self._lived(count, per_s)
        figures = {f"{name}_ms": spent[name] for name in _GATEWAY}
        figures |= {f"{name}_ms_at_a_pace": paced[name] for name in _GATEWAY}
        figures |= {
            "cpu_ms_per_message": _gateway(spent),
            "cpu_ms_per_message_at_a_pace": _gateway(paced),
            "idle_ms_per_message_at_a_pace": idle * 1000 / per_s,
            "memory_mb": _gateway(memory),
            "emulator_ms": spent["emulator"],
            "stream_ms": spent["stream"],
            "sink_ms": spent["peer"],
            "generator_ms": spent["generator"],
            "per_s_at_a_pace": per_s,
        }
        figures |= await self._by_sns(seconds * _SNS_SHARE)
        baseline = await self._bare(count, None, "")
        baseline |= await self._bare(count, per_s, "_at_a_pace")
        return Round(figures=figures, baseline=baseline)

    async def _by_sns(self, seconds: float) -> dict[str, float]:
        """Measure the road of signed posts, at a pace of its own."""
        await self._roads.take("sns")
        per_s = self._per_s["sns"]
        spent = await self._lived(round(per_s * seconds), per_s)
        await self._roads.take("firehose")
        figures = {f"{name}_ms_sns": spent[name] for name in (*_GATEWAY, "emulator")}
        return figures | {"cpu_ms_per_message_sns": _gateway(spent), "per_s_sns": per_s}

    async def _idle(self) -> float:
        """Return the seconds of CPU that all of the gateway uses in a second in which nothing happens."""
        before = self._stack.cpu()
        await asyncio.sleep(_IDLE_S)
        return (_gateway(self._stack.cpu()) - _gateway(before)) / _IDLE_S

    async def _lived(self, count: int, per_s: float | None) -> dict[str, float]:
        """Return milliseconds of CPU per message by process, of messages sent at a pace or at once."""
        before = self._stack.cpu()
        generator_s = await self._live(count, per_s)
        after = self._stack.cpu()
        await eventually(self._all_heard, within_s=_FINISHED_WITHIN_S)
        spent_s = {name: after[name] - before[name] for name in after} | {"generator": generator_s}
        return {name: seconds * 1000 / count for name, seconds in spent_s.items()}

    async def _live(self, count: int, per_s: float | None) -> float:
        """Send and wait for the last webhook; returns the generator's CPU seconds."""
        outcome, _ = await self._stack.load(
            self._ground.sends.next(count),
            targets=[self._ground.api],
            seconds=_FINISHED_WITHIN_S,
            per_second=per_s,
        )
        outcome.require(202, count)
        self._expected += count
        await eventually(self._all_told, within_s=_FINISHED_WITHIN_S)
        return outcome.cpu_s

    async def _all_told(self) -> bool:
        return await self._ground.counted(HOOK) >= self._expected

    async def _all_heard(self) -> bool:
        """Whether every event of every message is stored: a road that lost some would be a cheap one."""
        stored: int = await self._ground.pool.fetchval(_HEARD)
        return stored >= (self._expected - 1) * _EVENTS

    async def _bare(self, count: int, per_s: float | None, suffix: str) -> dict[str, float]:
        request_ms = await self._bare_requests(count, per_s)
        call_ms = await self._bare_calls(count, per_s)
        return {
            f"bare_request_ms{suffix}": request_ms,
            f"bare_call_ms{suffix}": call_ms,
            f"cpu_ms_per_message{suffix}": request_ms + call_ms,
        }

    async def _bare_requests(self, count: int, per_s: float | None) -> float:
        port = free_port()
        seconds = _FINISHED_WITHIN_S if per_s is None else count / per_s + 1.0
        async with self._stack.passing(
            "bare", "gateway.bench.bare_api", str(port), self._stack.settings.redis_url, "redis-py"
        ) as bare:
            await bare.hear()
            _, cpu_s = await self._stack.load(
                self._ground.sends.next(count),
                targets=[("127.0.0.1", port)],
                seconds=seconds,
                per_second=per_s,
            )
        return (cpu_s["bare"] + cpu_s["redis"]) * 1000 / count

    async def _bare_calls(self, count: int, per_s: float | None) -> float:
        requests = calls(count, *await sender_of(self._ground.pool))
        async with self._stack.bare_sends(self._ground.peer_url, requests, per_second=per_s or 0.0) as bare:
            before = self._stack.cpu()
            await bare.say("go")
            await bare.hear()
            return (self._stack.cpu()["bare"] - before["bare"]) * 1000 / count


def _gateway(by_process: dict[str, float]) -> float:
    return sum(by_process[name] for name in _GATEWAY)


def pace(cpu_ms_per_message: float, cores: int) -> float:
    """Return three fifths of the messages per second that the cores can carry at this price."""
    possible = _LOAD * cores * 1000 / cpu_ms_per_message
    return max(_SLOWEST_PER_S, possible // _PACE_STEP * _PACE_STEP)
