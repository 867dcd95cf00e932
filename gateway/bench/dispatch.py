"""
`dispatch`: how fast a dispatcher drains its lanes, beside a bare aioboto3 loop with the same requests.

Both send to a peer that answers at once with a MessageId, because the emulator spends more CPU on a call
than either of them and would be what is measured; `to_emulator_per_s` shows that figure, too. The rate is
taken between the first tenth and the last twentieth of the backlog, so a start and a tail do not count.
"""

import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import msgspec

from gateway.bench.bare_calls import calls, sender_of
from gateway.bench.ground import Ground, open_ground
from gateway.bench.report import Report, Round, Target, report_of
from gateway.bench.stack import eventually

TARGETS = {"ratio.sent_per_s": Target(at_least=0.9)}
_FROM = 0.1
_UNTIL = 0.95
_DRAINED_WITHIN_S = 90.0

Count = Callable[[], Awaitable[int]]


async def measure(*, quick: bool) -> Report:
    """Run the rounds."""
    backlog, rounds = (1_500, 3) if quick else (4_000, 5)
    async with open_ground() as ground:
        # The emulator answers, and says nothing afterwards: its receipts are another benchmark's.
        await ground.let_carrier("SILENT")
        bench = _Bench(ground)
        return report_of("dispatch", [await bench.round(backlog) for _ in range(rounds)], TARGETS)


class _Mark(NamedTuple):
    at: float
    sent: int
    cpu_s: dict[str, float]


class _Bench:
    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._stack = ground.stack

    async def round(self, backlog: int) -> Round:
        figures = await self._dispatch(backlog, self._ground.peer_url, self._sent_to_peer)
        baseline = await self._bare(backlog, self._ground.peer_url, self._sent_to_peer)
        through = await self._dispatch(backlog // 4, self._ground.emulator_url, self._sent_to_emulator)
        beside = await self._bare(backlog // 4, self._ground.emulator_url, self._sent_to_emulator)
        return Round(
            figures=figures
            | {"to_emulator_per_s": through["sent_per_s"], "emulator_us": through["other_side_us"]},
            baseline=baseline | {"to_emulator_per_s": beside["sent_per_s"]},
        )

    async def _dispatch(self, backlog: int, endpoint: str, count: Count) -> dict[str, float]:
        """Fill the lanes with nobody to empty them, then start a dispatcher and watch."""
        await self._ground.accept(backlog)
        await self._ground.pool.execute("UPDATE aws_accounts SET endpoint_url = $1", endpoint)
        before = await count()
        async with self._stack.passing("dispatcher", *self._stack.role("dispatcher")):
            figures = await self._watch("dispatcher", before, backlog, count)
            await eventually(self._nothing_queued, within_s=_DRAINED_WITHIN_S)
        return figures

    async def _bare(self, count: int, endpoint: str, sent: Count) -> dict[str, float]:
        requests = calls(count, *await sender_of(self._ground.pool))
        before = await sent()
        async with self._stack.bare_sends(endpoint, requests) as bare:
            await bare.say("go")
            return await self._watch("bare", before, count, sent)

    async def _watch(self, name: str, before: int, total: int, count: Count) -> dict[str, float]:
        """Return rate and CPU per message between the two marks."""
        start = await self._at(count, before + round(_FROM * total))
        end = await self._at(count, before + round(_UNTIL * total))
        messages = end.sent - start.sent
        spent = {key: (end.cpu_s[key] - start.cpu_s[key]) * 1e6 / messages for key in end.cpu_s}
        figures = {"sent_per_s": messages / (end.at - start.at), "sender_us": spent[name]}
        figures["other_side_us"] = spent["peer"] + spent["emulator"]
        if name == "dispatcher":
            figures |= {"postgres_us": spent["postgres"], "redis_us": spent["redis"]}
        return figures

    async def _at(self, count: Count, goal: int) -> "_Mark":
        async def look() -> _Mark | None:
            counted = await count()
            return _Mark(time.monotonic(), counted, self._stack.cpu()) if counted >= goal else None

        mark = await eventually(look, within_s=_DRAINED_WITHIN_S)
        assert mark is not None  # noqa: S101 - `eventually` returns what is true
        return mark

    async def _sent_to_peer(self) -> int:
        return await self._ground.counted("sends")

    async def _sent_to_emulator(self) -> int:
        async with self._ground.http.get(f"{self._ground.emulator_url}/_emulator/stats") as response:
            return int(msgspec.json.decode(await response.read())["accepted_sends"])

    async def _nothing_queued(self) -> bool:
        return await self._ground.pool.fetchval("SELECT NOT EXISTS (SELECT FROM dispatch_queue)") is True
