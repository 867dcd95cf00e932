"""A changed rule is in force in every process within a second of its commit, and under load."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial

import httpx
from redis.asyncio import Redis

from tests.harness.numbers import us_number
from tests.harness.second_api import second_api
from tests.harness.waiting import until

IN_FORCE_WITHIN_S = 1.0
WATCHED_S = 1.0
"""How long sends are counted after that second."""
AT_ONCE = 1
"""Of each tenant at each process; all rules are watched at the same time, and load each other."""
ACCEPTED = 202
RULES = ("template", "country", "protect", "override", "opt_out", "rate", "suspended")
_PER_SECOND = 1
_BROKEN_REDIS = 15
"""A database of the test's Redis that no worker of pytest has."""


@dataclass
class Load:
    """Sends through one process without a pause; notes when each began and what it got."""

    client: httpx.AsyncClient
    body: dict
    answers: list[tuple[float, int]] = field(default_factory=list)

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            began = time.monotonic()
            answer = await self.client.post("/v1/messages", json=self.body)
            assert answer.status_code in {ACCEPTED, 403, 429}, answer.text
            self.answers.append((began, answer.status_code))

    async def accepted(self) -> bool:
        """Tell whether the rule was seen open."""
        return any(status == ACCEPTED for _, status in self.answers)

    def since(self, instant: float) -> list[int]:
        """Return the answers to sends that began after the instant."""
        return [status for began, status in self.answers if began > instant]

    async def answered_since(self, instant: float) -> bool:
        """Tell whether the process has answered to what began after the instant."""
        return bool(self.since(instant))


class Change:
    """One rule: what is sent while it is open, and how it is closed over the API."""

    def __init__(self, stack, customer, rule: str) -> None:
        self._stack, self._customer, self._rule = stack, customer, rule
        self._number = us_number()
        self._template = ""

    async def body(self) -> dict:
        """Prepare what the rule needs, and return a send that passes."""
        if self._rule == "template":
            self._template = await self._stack.approved_template(self._customer)
            return {"to": self._number, "template": {"id": self._template, "variables": {}}}
        if self._rule in {"protect", "override"}:
            made = await self._customer.live.post("/v1/protect/configurations", json={"name": "all"})
            assert made.status_code == 201, made.text
        return {"to": self._number, "body": "Your parcel is here", "type": "transactional"}

    async def close(self) -> None:
        """Return when the change has been committed and answered."""
        home = f"/v1/admin/tenants/{self._customer.id}"
        match self._rule:
            case "template":
                path = f"/v1/admin/templates/{self._template}/retire"
                await self._stack.operate("post", path, {"version": 1})
            case "country":
                await self._stack.operate("patch", home, {"countries": ["CA"]})
            case "rate":
                plan = {"requests_per_second": _PER_SECOND}
                await self._stack.operate("patch", home, {"plan": plan})
            case "suspended":
                await self._stack.operate("post", f"{home}/suspend")
            case "protect":
                await self._put("/v1/protect/country-rules", {"rules": {"US": "BLOCK"}})
            case "override":
                await self._put(f"/v1/protect/overrides/{self._number}", {"action": "ALWAYS_BLOCK"})
            case _:
                await self._put(f"/v1/opt-outs/{self._number}", None)

    def allowed(self, seconds: float) -> float:
        """Return how many sends the closed rule still lets through in so long."""
        return seconds * _PER_SECOND + 1 if self._rule == "rate" else 0

    async def _put(self, path: str, body: dict | None) -> None:
        answer = await self._customer.live.put(path, json=body)
        assert answer.is_success, answer.text


async def _slipped(stack, urls: list[str], rule: str) -> float:
    """Close a rule while every process sends, and return how many sends passed too late."""
    customer = await stack.customer()
    change = Change(stack, customer, rule)
    body = await change.body()
    async with contextlib.AsyncExitStack() as exits:
        loads = [Load(await exits.enter_async_context(_client(url, customer)), body) for url in urls]
        async with asyncio.TaskGroup() as group:
            senders = [group.create_task(load.run()) for load in loads for _ in range(AT_ONCE)]
            for load in loads:
                await until(load.accepted)
            await change.close()
            watched_from = time.monotonic() + IN_FORCE_WITHIN_S
            await asyncio.sleep(IN_FORCE_WITHIN_S + WATCHED_S)
            for load in loads:
                await until(partial(load.answered_since, watched_from))
            for sender in senders:
                sender.cancel()
        seconds = time.monotonic() - watched_from
    late = [load.since(watched_from) for load in loads]
    return max(0.0, sum(each.count(ACCEPTED) for each in late) - change.allowed(seconds))


@contextlib.asynccontextmanager
async def _client(url: str, customer) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": customer.live.headers["authorization"]}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=20, trust_env=False) as client:
        yield client


async def test_no_send_slips_past_a_rule_a_second_after_its_commit(stack) -> None:
    """The change is made at one process; the other learns of it by the notice and by Redis's version."""
    async with second_api(stack) as other:
        urls = [stack.settings.public_url, other]
        slipped = await asyncio.gather(*(_slipped(stack, urls, rule) for rule in RULES))
    assert dict(zip(RULES, slipped, strict=True)) == dict.fromkeys(RULES, 0)


async def test_a_process_that_neither_hears_nor_compares_lets_sends_slip(stack) -> None:
    """The deliberately broken build: a checker that passes it could not be believed about the other."""
    lonely = f"{stack.settings.redis_url.rpartition('/')[0]}/{_BROKEN_REDIS}"
    async with second_api(stack, deaf_on=lonely) as deaf:
        for rule in ("country",):
            assert await _slipped(stack, [stack.settings.public_url, deaf], rule) > 0
    async with Redis.from_url(lonely) as client:
        await client.flushdb()
