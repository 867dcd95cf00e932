"""A tenant that people can answer to, in a fleet, and its sends to a crowd with the same few people in it."""

import asyncio
import contextlib
import os
from dataclasses import dataclass, field
from itertools import cycle, islice

import httpx

from tests.harness.clients import ACCEPTED, SERVER_ERROR
from tests.harness.fleet import OPERATOR_KEY, Fleet
from tests.harness.numbers import us_number
from tests.harness.plain import NO_AUTHORITIES

PEOPLE = 5
CROWD = 400
BATCH = int(os.environ.get("SCENARIO_STOP_BATCH_SIZE", "200"))
CARRIED_PER_S = 20
"""Message parts; less than comes, so that people's messages wait in line when they say STOP."""


@dataclass
class Talker:
    """A tenant whose number people can answer to, and what its sends were answered."""

    id: str
    number: str
    api: httpx.AsyncClient
    people: list[str] = field(default_factory=lambda: [us_number() for _ in range(PEOPLE)])
    crowd: list[str] = field(default_factory=lambda: [us_number() for _ in range(CROWD)])
    accepted: int = 0
    refused: set[str] = field(default_factory=set)

    async def send(self, stop: asyncio.Event) -> None:
        """
        Send batch after batch; every fourth text of each is to one of the people.

        A 503 is no verdict on a text: the machine was busy.
        """
        turn = 0
        while not stop.is_set():
            turn += 1
            people, crowd = cycle(self.people), islice(cycle(self.crowd), turn * BATCH % CROWD, None)
            to = [next(crowd if place % 4 else people) for place in range(BATCH)]
            batch = [{"to": each, "body": "Sale!", "type": "transactional"} for each in to]
            answer = await self.api.post("/v1/messages/batch", json={"messages": batch})
            for item in answer.json()["data"]:
                if item["status"] == ACCEPTED:
                    self.accepted += 1
                elif item["status"] < SERVER_ERROR:
                    self.refused.add(item["error"]["code"])


@contextlib.asynccontextmanager
async def talker(fleet: Fleet):
    """Enrol the tenant over the operator's API."""
    headers = {"Authorization": f"Bearer {OPERATOR_KEY}"}
    async with httpx.AsyncClient(
        verify=NO_AUTHORITIES, base_url=fleet.api_url, headers=headers, timeout=30, trust_env=False
    ) as operator:

        async def operate(method: str, path: str, body: object) -> dict:
            answer = await operator.request(method, f"/v1/admin/tenants{path}", json=body)
            assert answer.is_success, answer.text
            return answer.json()

        new = {"name": "Talker", "slug": f"t-{os.urandom(6).hex()}", "model": 2, "countries": ["US"]}
        plan = {"one_text_per_recipient_second": False, "pumping": {"mode": "off"}}
        tenant = await operate("POST", "", new | {"plan": plan})
        home = f"/{tenant['id']}"
        await operate("POST", f"{home}/credits", {"amount": "100000.00"})
        wish = {"country": "US", "type": "LONG_CODE", "parts_per_second": CARRIED_PER_S}
        made = await operate("POST", f"{home}/provision", {"senders": [wish], "dedicated_pool": False})
        sender = made["senders"][0]
        two_way = {"enabled": True, "opt_outs": "self_managed", "confirm_responsibility": True}
        await operate("PUT", f"{home}/senders/{sender['id']}/two-way", two_way)
        key = await operate("POST", f"{home}/api-keys", {"mode": "live"})
    async with httpx.AsyncClient(
        verify=NO_AUTHORITIES,
        base_url=fleet.api_url,
        headers={"Authorization": f"Bearer {key['secret']}"},
        timeout=60,
        trust_env=False,
    ) as api:
        yield Talker(tenant["id"], sender["value"], api)
