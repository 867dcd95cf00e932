"""
`dispatch`: how fast a dispatcher drains its lanes, beside a bare aioboto3 loop with the same requests.

Both send to a peer that answers at once with a MessageId, because the emulator spends more CPU on a call
than either of them and would be what is measured; `to_emulator_per_s` shows that figure, too. The rate is
taken between the first tenth and the last twentieth of the backlog, so a start and a tail do not count.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import asyncpg
import msgspec

from gateway.bench.bare_calls import calls, sender_of
from gateway.bench.children import free_port
from gateway.bench.report import Report, Round, Target, report_of
from gateway.bench.stack import Stack, eventually, open_stack
from gateway.bench.tenant import COUNTRY, Sends, create_customer

TARGETS = {"ratio.sent_per_s": Target(at_least=0.9)}
_FROM = 0.1
_UNTIL = 0.95
_DRAINED_WITHIN_S = 90.0
_ACCEPT_SECONDS = 120.0

Count = Callable[[], Awaitable[int]]


async def measure(*, quick: bool) -> Report:
    """Run the rounds."""
    backlog, rounds = (1_500, 3) if quick else (4_000, 5)
    async with open_stack() as stack:
        port = free_port()
        peer = await stack.start("peer", "gateway.bench.peer", str(port))
        await peer.hear()
        api = await stack.api()
        customer = await create_customer(stack.settings)
        sends = Sends(customer.token)
        await stack.open_lanes(*sends.next(1))
        async with aiohttp.ClientSession() as http, asyncpg.create_pool(stack.settings.database_url, min_size=1, max_size=2) as pool:
            bench = _Bench(stack, api, sends, http, pool, f"http://127.0.0.1:{port}")
            await bench.remember_emulator()
            return report_of("dispatch", [await bench.round(backlog) for _ in range(rounds)], TARGETS)


class _Bench:
    def __init__(
        self,
        stack: Stack,
        api: tuple[str, int],
        sends: Sends,
        http: aiohttp.ClientSession,
        pool: Any,
        peer_url: str,
    ) -> None:
        self._stack = stack
        self._api = api
        self._sends = sends
        self._http = http
        self._pool = pool
        self._peer_url = peer_url
        self._emulator_url = str(stack.settings.aws_endpoint_url)

    async def remember_emulator(self) -> None:
        """Let the emulator answer, and say nothing afterwards: its receipts are another benchmark's."""
        silent = {COUNTRY: {"outcomes": {"SILENT": 1.0}}}
        async with self._http.post(f"{self._emulator_url}/_emulator/carriers", json=silent) as response:
            response.raise_for_status()

    async def round(self, backlog: int) -> Round:
        figures = await self._dispatch(backlog, self._peer_url, self._sent_to_peer)
        baseline = await self._bare(backlog, self._peer_url, self._sent_to_peer)
        through = await self._dispatch(backlog // 4, self._emulator_url, self._sent_to_emulator)
        beside = await self._bare(backlog // 4, self._emulator_url, self._sent_to_emulator)
        return Round(
            figures=figures | {"to_emulator_per_s": through["sent_per_s"], "emulator_us": through["other_side_us"]},
            baseline=baseline | {"to_emulator_per_s": beside["sent_per_s"]},
        )

    async def _dispatch(self, backlog: int, endpoint: str, count: Count) -> dict[str, float]:
        """Fill the lanes with nobody to empty them, then start a dispatcher and watch."""
        await self._accept(backlog)
        await self._pool.execute("UPDATE aws_accounts SET endpoint_url = $1", endpoint)
        before = await count()
        async with self._stack.passing("dispatcher", *self._stack.role("dispatcher")):
            figures = await self._watch("dispatcher", before, backlog, count)
            await eventually(self._nothing_queued, within_s=_DRAINED_WITHIN_S)
        return figures

    async def _bare(self, count: int, endpoint: str, sent: Count) -> dict[str, float]:
        requests = calls(count, *await sender_of(self._pool))
        before = await sent()
        async with self._stack.bare_sends(endpoint, requests) as bare:
            await bare.say("go")
            return await self._watch("bare", before, count, sent)

    async def _watch(self, name: str, before: int, total: int, count: Count) -> dict[str, float]:
        """Return rate and CPU per message between the two marks."""
        start = await eventually(self._reached(count, before + round(_FROM * total)), within_s=_DRAINED_WITHIN_S)
        end = await eventually(self._reached(count, before + round(_UNTIL * total)), within_s=_DRAINED_WITHIN_S)
        messages = end[1] - start[1]
        spent = {key: (end[2][key] - start[2][key]) * 1e6 / messages for key in end[2]}
        figures = {"sent_per_s": messages / (end[0] - start[0]), "sender_us": spent[name]}
        figures["other_side_us"] = spent["peer"] + spent["emulator"]
        if name == "dispatcher":
            figures |= {"postgres_us": spent["postgres"], "redis_us": spent["redis"]}
        return figures

    def _reached(
        self, count: Count, goal: int
    ) -> Callable[[], Awaitable[tuple[float, int, dict[str, float]] | None]]:
        async def look() -> tuple[float, int, dict[str, float]] | None:
            counted = await count()
            return (time.monotonic(), counted, self._stack.cpu()) if counted >= goal else None

        return look

    async def _accept(self, backlog: int) -> None:
        outcome, _ = await self._stack.load(
            self._sends.next(backlog), targets=[self._api], seconds=_ACCEPT_SECONDS, warm_up_s=0.0
        )
        if outcome.statuses != {202: backlog}:
            raise RuntimeError(f"the backlog was not accepted: {outcome.statuses}")
        # The lanes are pushed after the answers.
        await eventually(self._stack.all_pushed, within_s=_DRAINED_WITHIN_S)

    async def _sent_to_peer(self) -> int:
        async with self._http.get(f"{self._peer_url}/counts") as response:
            counts = msgspec.json.decode(await response.read(), type=dict[str, int])
        return counts.get("sends", 0)

    async def _sent_to_emulator(self) -> int:
        async with self._http.get(f"{self._emulator_url}/_emulator/stats") as response:
            return int(msgspec.json.decode(await response.read())["accepted_sends"])

    async def _nothing_queued(self) -> bool:
        await asyncio.sleep(0.1)
        return await self._pool.fetchval("SELECT NOT EXISTS (SELECT FROM dispatch_queue)")  # type: ignore[no-any-return]
