"""
`dispatch`: how fast a dispatcher drains its lanes, beside a bare aioboto3 loop with the same requests.

Both send to a peer that answers at once with a MessageId, because the emulator spends more CPU on a call
than either of them and would be what is measured; `to_emulator_per_s` shows that figure, too.
"""

import msgspec

from gateway.bench.bare_calls import calls, sender_of
from gateway.bench.drain import WITHIN_S, Count, watch
from gateway.bench.ground import Ground, open_ground
from gateway.bench.progress import Tell, in_rounds
from gateway.bench.report import Report, Round, Target, report_of
from gateway.bench.stack import eventually

TARGETS = {"ratio.sent_per_s": Target(at_least=0.9)}


async def measure(*, quick: bool, tell: Tell) -> Report:
    """Run the rounds."""
    backlog, rounds = (1_500, 3) if quick else (4_000, 5)
    async with open_ground() as ground:
        # The emulator answers, and says nothing afterwards: its receipts are another benchmark's.
        await ground.let_carrier("SILENT")
        bench = _Bench(ground)
        return report_of("dispatch", await in_rounds(rounds, lambda: bench.round(backlog), tell), TARGETS)


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
            drained = await watch(self._stack, count, before=before, total=backlog)
            await eventually(self._nothing_queued, within_s=WITHIN_S)
        return {
            "sent_per_s": drained.per_s,
            "sender_us": drained.us["dispatcher"],
            "other_side_us": drained.us["peer"] + drained.us["emulator"],
            "postgres_us": drained.us["postgres"],
            "redis_us": drained.us["redis"],
        }

    async def _bare(self, count: int, endpoint: str, sent: Count) -> dict[str, float]:
        requests = calls(count, *await sender_of(self._ground.pool))
        before = await sent()
        async with self._stack.bare_sends(endpoint, requests) as bare:
            await bare.say("go")
            drained = await watch(self._stack, sent, before=before, total=count)
            await bare.hear()
        return {"sent_per_s": drained.per_s, "sender_us": drained.us["bare"]}

    async def _sent_to_peer(self) -> int:
        return await self._ground.counted("sends")

    async def _sent_to_emulator(self) -> int:
        async with self._ground.http.get(f"{self._ground.emulator_url}/_emulator/stats") as response:
            return int(msgspec.json.decode(await response.read())["accepted_sends"])

    async def _nothing_queued(self) -> bool:
        return await self._ground.pool.fetchval("SELECT NOT EXISTS (SELECT FROM dispatch_queue)") is True
