"""
`dispatch`: how fast a dispatcher drains its lanes, beside bare loops with the same requests.

The lean way is measured beside a loop that signs by hand and posts through aiohttp, the way through aioboto3
beside a loop of aioboto3 as it ships; a second one has the gateway's configuration of it (docs/adr/0024).

Both send to a peer that answers at once with a MessageId, because the emulator spends more CPU on a call
than either of them and would be what is measured; `to_emulator_per_s` shows that figure, too.
"""

import msgspec
from msgspec import structs

from gateway.bench.bare_calls import calls, sender_of
from gateway.bench.drain import WITHIN_S, Count, Drained, watch
from gateway.bench.ground import Ground, open_ground
from gateway.bench.progress import Tell, in_rounds
from gateway.bench.report import Report, Round, Target, report_of
from gateway.bench.stack import BareWay, eventually
from gateway.settings import Way

TARGETS = {
    "ratio.lean_per_s": Target(at_least=0.65),
    "ratio.aioboto3_per_s": Target(at_least=0.9),
}
_BARE_OF: dict[Way, BareWay] = {"lean": "hand", "aioboto3": "aioboto3"}
"""The bare component of each way to send."""
_BACKLOGS: dict[Way, int] = {"lean": 4, "aioboto3": 1}
"""What each way drains in a round: it is watched for some seconds, and meets what a longer drain does."""
_BESIDE_OURS = "aioboto3_per_s_as_ours"
_TO_EMULATOR = 1_000
"""Drained to the emulator in every round: fewer can be gone between two looks at them."""


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
        peer, to_peer = self._ground.peer_url, self._sent_to_peer
        figures: dict[str, float] = {}
        baseline: dict[str, float] = {}
        for way, bare in _BARE_OF.items():
            count = _BACKLOGS[way] * backlog
            drained = await self._dispatch(way, count, peer, to_peer)
            figures |= _named(way, drained)
            figures |= {f"{way}_postgres_us": drained.us["postgres"], f"{way}_redis_us": drained.us["redis"]}
            figures["other_side_us"] = drained.us["peer"]
            baseline |= _named(way, await self._bare(bare, count, peer, to_peer), process="bare")
        ours = await self._bare("aioboto3-as-ours", backlog, peer, to_peer)
        figures[_BESIDE_OURS], baseline[_BESIDE_OURS] = figures["aioboto3_per_s"], ours.per_s
        baseline["aioboto3_us_as_ours"] = ours.us["bare"]
        emulator = self._ground.emulator_url
        through = await self._dispatch("lean", _TO_EMULATOR, emulator, self._sent_to_emulator)
        beside = await self._bare("hand", _TO_EMULATOR, emulator, self._sent_to_emulator)
        figures |= {"to_emulator_per_s": through.per_s, "emulator_us": through.us["emulator"]}
        return Round(figures=figures, baseline=baseline | {"to_emulator_per_s": beside.per_s})

    async def _dispatch(self, way: Way, backlog: int, endpoint: str, count: Count) -> Drained:
        """Fill the lanes with nobody to empty them, then start a dispatcher and watch."""
        await self._ground.accept(backlog)
        await self._ground.pool.execute("UPDATE aws_accounts SET endpoint_url = $1", endpoint)
        before = await count()
        settings = structs.replace(self._stack.settings, carrier=way)
        async with self._stack.passing("dispatcher", *self._stack.role("dispatcher"), settings=settings):
            drained = await watch(self._stack, count, before=before, total=backlog)
            await eventually(self._nothing_queued, within_s=WITHIN_S)
        return drained

    async def _bare(self, way: BareWay, count: int, endpoint: str, sent: Count) -> Drained:
        requests = calls(count, *await sender_of(self._ground.pool))
        before = await sent()
        async with self._stack.bare_sends(endpoint, requests, way=way) as bare:
            await bare.say("go")
            drained = await watch(self._stack, sent, before=before, total=count)
            await bare.hear()
        return drained

    async def _sent_to_peer(self) -> int:
        return await self._ground.counted("sends")

    async def _sent_to_emulator(self) -> int:
        async with self._ground.http.get(f"{self._ground.emulator_url}/_emulator/stats") as response:
            return int(msgspec.json.decode(await response.read())["accepted_sends"])

    async def _nothing_queued(self) -> bool:
        return await self._ground.pool.fetchval("SELECT NOT EXISTS (SELECT FROM dispatch_queue)") is True


def _named(way: Way, drained: Drained, *, process: str = "dispatcher") -> dict[str, float]:
    return {f"{way}_per_s": drained.per_s, f"{way}_us": drained.us[process]}
