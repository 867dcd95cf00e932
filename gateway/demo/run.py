"""
The order of things: start the stack, onboard, refuse, send, wait, let the money run out, prove.

Everything goes through the REST API, as a tenant's and an operator's own programs would; only the last proof
reads the database, with the code of `tollgate reconcile`.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Coroutine
from time import monotonic
from typing import Any, Final

import aiohttp
from msgspec import Struct
from rich.console import Console

from gateway.db.engine import create_pool
from gateway.demo import acts, display
from gateway.demo.acts import Act, Stage
from gateway.demo.calling import Caller
from gateway.demo.crowd import measure_crowd
from gateway.demo.display import Display
from gateway.demo.onboarding import DemoTenant, Onboarding
from gateway.demo.receiver import Receiver, running_receiver
from gateway.demo.script import CROWDED, Script, Send, write_script
from gateway.demo.tally import Tally
from gateway.demo.verdict import Evidence, judge
from gateway.messages.reconcile import Proof, prove
from gateway.stack.stack import Stack

_AT_ONCE: Final = 8
"""Sends under way at once from one tenant's program."""
_CREDITS_PER_MESSAGE: Final = 100
_WITHIN_S: Final = 45.0
_LOOK_EVERY_S: Final = 0.2
_CAMPAIGN_CHUNK: Final = 500


class DemoPlan(Struct, frozen=True, kw_only=True):
    """What was asked for on the command line."""

    messages: int
    seed: int
    began: float
    """`time.monotonic()` when the command began."""


class Outcome(Struct, frozen=True, kw_only=True):
    """What the command needs afterwards."""

    held: bool
    tenants: list[DemoTenant]


async def run_demo(stack: Stack, plan: DemoPlan, console: Console) -> Outcome:
    """Play the whole script on a running stack and print what happened."""
    script = write_script(plan.messages, plan.seed)
    tally, shown = Tally(), Display(console, script.total)
    async with running_receiver(tally.told) as receiver, aiohttp.ClientSession() as http:
        play = _Play(stack, http, receiver=receiver, script=script, tally=tally, shown=shown)
        await play.onboard()
        played = await play.play()
        evidence = await play.evidence(played, began=plan.began)
    checks = judge(evidence)
    console.print()
    console.print(display.summary(evidence))
    console.print(display.verdict(checks))
    return Outcome(held=all(check.held for check in checks), tenants=[play.stage.acme, play.stage.bolt])


class _Play:
    """One run; its methods are the scenes, in order."""

    stage: Stage

    def __init__(
        self,
        stack: Stack,
        http: aiohttp.ClientSession,
        *,
        receiver: Receiver,
        script: Script,
        tally: Tally,
        shown: Display,
    ) -> None:
        self._stack = stack
        self._http = http
        self._receiver = receiver
        self._script = script
        self._tally = tally
        self._shown = shown
        self._operator = self._caller(stack.settings.operator_key)
        self._emulator = Caller(http, str(stack.emulator_url), "")

    async def onboard(self) -> None:
        """Make both tenants at once."""
        self._shown.heading("Onboarding two tenants")
        onboarding = Onboarding(self._operator, self._caller, self._receiver)
        budget = self._script.total * _CREDITS_PER_MESSAGE
        acme, bolt = await asyncio.gather(onboarding.acme(self._script.crowded_mps), onboarding.bolt(budget))
        self.stage = Stage(
            operator=self._operator,
            acme=acme,
            bolt=bolt,
            script=self._script,
            tally=self._tally,
            show=self._shown.act,
        )
        self._shown.note("acme  pays in dollars, templates only, US GB DE FR")
        self._shown.note("bolt  pays in credits, free text,      US GB ES NL")

    async def play(self) -> list[Act]:
        """Send everything and wait for the last receipt."""
        self._shown.heading("What must not leave, does not")
        played = await acts.refusals(self.stage)
        self._shown.heading("Sending")
        campaign, mps = len(self._script.campaign), self._script.crowded_mps
        self._shown.note(
            f"{campaign} promotional messages to {CROWDED}, whose sender may carry {mps} parts/s;"
        )
        self._shown.note(
            f"then {len(self._script.otps)} OTPs there, and {len(self._script.traffic)} messages elsewhere"
        )
        with self._shown.watching():
            async with _watched(self._watch):
                await self._campaign()
                await asyncio.gather(self._spread(self._script.otps, 1), self._traffic())
                played.append(await acts.replay(self.stage))
                await self._all_final(lambda: self._open_of("bolt"))
                played.append(await acts.last_credits(self.stage))
                await self._all_final(lambda: self._tally.open)
                await self._no_webhook_owed()
        return played

    async def evidence(self, played: list[Act], *, began: float) -> Evidence:
        """Read everything once more, from where it is kept."""
        tenants = (self.stage.acme, self.stage.bolt)
        messages = [row for tenant in tenants for row in await tenant.caller.rows("/v1/messages")]
        at_aws = (await self._emulator.must("GET", "/_emulator/messages?limit=100000"))["data"]
        return Evidence(
            wanted=self._script.total,
            tally=self._tally,
            acts=played,
            crowd=measure_crowd(messages, at_aws, self._script.crowded_mps),
            messages=messages,
            at_aws=at_aws,
            webhooks_received=self._receiver.received,
            webhooks_verified=self._receiver.verified,
            webhooks_pending=await self._owed(),
            proof=await self._proof(),
            balances={tenant.name: await tenant.caller.must("GET", "/v1/credits") for tenant in tenants},
            seconds=monotonic() - began,
        )

    async def _campaign(self) -> None:
        for start in range(0, len(self._script.campaign), _CAMPAIGN_CHUNK):
            chunk = self._script.campaign[start : start + _CAMPAIGN_CHUNK]
            body = {"messages": [send.body for send in chunk]}
            reply = await self.stage.acme.caller.call("POST", "/v1/messages/batch", body)
            self._tally.answered_batch("acme", reply)

    async def _traffic(self) -> None:
        await self._spread(self._script.traffic, _AT_ONCE)

    async def _spread(self, sends: list[Send], at_once: int) -> None:
        """Send with `at_once` calls under way."""
        waiting = iter(sends)

        async def program() -> None:
            for send in waiting:
                caller = self.stage.tenant(send.tenant).caller
                self._tally.answered(send.tenant, await caller.call("POST", "/v1/messages", send.body))

        await asyncio.gather(*(program() for _ in range(at_once)))

    def _open_of(self, tenant: str) -> set[str]:
        return {each for each in self._tally.open if self._tally.accepted[each] == tenant}

    async def _all_final(self, still_open: Callable[[], set[str]]) -> None:
        """Wait for the webhooks to say so; what is open at the end is for the verdict to name."""
        looks = round((_WITHIN_S + self._script.total / 50) / _LOOK_EVERY_S)
        for _ in range(looks):
            if not still_open():
                return
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _no_webhook_owed(self) -> None:
        for _ in range(round(_WITHIN_S / _LOOK_EVERY_S)):
            if await self._owed() == 0:
                return
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _owed(self) -> int:
        summary = await self._operator.must("GET", "/v1/admin/metrics/summary")
        return int(summary["webhook_deliveries_pending"])

    async def _watch(self) -> None:
        while True:
            stats = await self._emulator.must("GET", "/_emulator/stats")
            self._tally.at_aws = stats["accepted_sends"]
            self._shown.update(self._tally, self._receiver.verified)
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _proof(self) -> Proof:
        pool = await create_pool(self._stack.settings.database_url, "worker", size=1)
        try:
            return await prove(pool)
        finally:
            await pool.close()

    def _caller(self, key: str) -> Caller:
        return Caller(self._http, self._stack.settings.public_url, key)


@contextlib.asynccontextmanager
async def _watched(watch: Callable[[], Coroutine[Any, Any, None]]) -> AsyncGenerator[None]:
    """Run `watch` beside the block, and once more at its end so that the last figures are shown."""
    watching = asyncio.ensure_future(watch())
    try:
        yield
        await asyncio.sleep(_LOOK_EVERY_S * 2)
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
