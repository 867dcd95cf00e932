"""Impatient clients of one tenant: whatever is not a clear answer is asked again with the same key."""

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx

from tenants.ids import decode
from tests.harness.fleet import OPERATOR_KEY, Fleet
from tests.harness.numbers import us_number
from tests.harness.plain import NO_AUTHORITIES

TYPES = ("otp", "transactional", "promotional")
ACCEPTED_WITHIN_S = 60.0
ACCEPTED = 202
SERVER_ERROR = 500
_AGAIN_S = 0.1


@dataclass
class Clients:
    """Who sends, and the log of every 202."""

    api_url: str
    tenant_id: UUID
    token: str
    accepted: dict[str, list[str]] = field(default_factory=dict)
    """Idempotency key to the message ids that its 202s named."""
    refused: int = 0
    """Answers and broken connections that were asked again."""

    async def send(
        self,
        count: int,
        *,
        at_once: int = 8,
        types: Sequence[str] = TYPES,
        repeat: bool = False,
        pause_s: float = 0.0,
        patience_s: float = 10.0,
        **members: Any,
    ) -> None:
        """
        Send so many messages, types in turn, and return when each has its 202.

        Args:
            repeat: Ask once more with the same key after each 202.
            pause_s: Between two sends of one client.
            patience_s: For an answer, before the same is asked again.
        """
        first = len(self.accepted)
        waiting = list(range(first, first + count))
        self.accepted |= {f"key-{number}": [] for number in waiting}
        async with httpx.AsyncClient(
            verify=NO_AUTHORITIES,
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=patience_s,
            trust_env=False,
        ) as client:

            async def one() -> None:
                while waiting:
                    number = waiting.pop(0)
                    body = {
                        "to": us_number(),
                        "body": f"Message {number}",
                        "type": types[number % len(types)],
                    }
                    for _ in range(2 if repeat else 1):
                        await self._send(client, f"key-{number}", body | members)
                    await asyncio.sleep(pause_s)

            await asyncio.gather(*(one() for _ in range(at_once)))

    async def send_until(
        self, stop: asyncio.Event, accepted_at: list[float], *, at_once: int, patience_s: float
    ) -> None:
        """Send one message after the other until told to stop; note the time of each 202."""
        async with httpx.AsyncClient(
            verify=NO_AUTHORITIES,
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=patience_s,
            trust_env=False,
        ) as client:

            async def one() -> None:
                while not stop.is_set():
                    key = f"key-{len(self.accepted)}"
                    self.accepted[key] = []
                    await self._send(client, key, {"to": us_number(), "body": "Storm", "type": "otp"})
                    accepted_at.append(time.monotonic())

            await asyncio.gather(*(one() for _ in range(at_once)))

    async def _send(self, client: httpx.AsyncClient, key: str, body: Mapping[str, Any]) -> None:
        async with asyncio.timeout(ACCEPTED_WITHIN_S):
            while (answer := await self._ask(client, key, body)) is None or answer.status_code != ACCEPTED:
                assert answer is None or answer.status_code >= SERVER_ERROR, answer.text
                self.refused += 1
                await asyncio.sleep(_AGAIN_S)
        self.accepted[key].append(answer.json()["id"])

    async def _ask(
        self, client: httpx.AsyncClient, key: str, body: Mapping[str, Any]
    ) -> httpx.Response | None:
        """Return the answer, or None where the connection gave none."""
        try:
            url = f"{self.api_url}/v1/messages"
            return await client.post(url, json=body, headers={"Idempotency-Key": key})
        except httpx.TransportError:
            return None


async def new_clients(fleet: Fleet, *, parts_per_second: float = 1000) -> Clients:
    """Create a live tenant with money and numbers for every type of message, over the operator's API."""
    headers = {"Authorization": f"Bearer {OPERATOR_KEY}"}
    async with httpx.AsyncClient(
        verify=NO_AUTHORITIES, base_url=fleet.api_url, headers=headers, timeout=30, trust_env=False
    ) as operator:

        async def operate(path: str, body: Any) -> Any:
            answer = await operator.post(f"/v1/admin/tenants{path}", json=body)
            assert answer.is_success, answer.text
            return answer.json()

        slug = f"f-{os.urandom(6).hex()}"
        tenant = await operate("", {"name": "Fault", "slug": slug, "model": 2, "countries": ["US"]})
        home = f"/{tenant['id']}"
        await operate(f"{home}/credits", {"amount": "1000.00"})
        sender = {"country": "US", "type": "TOLL_FREE", "parts_per_second": parts_per_second}
        senders = [sender, sender | {"message_types": ["promotional"]}]
        await operate(f"{home}/provision", {"senders": senders, "dedicated_pool": False})
        key = await operate(f"{home}/api-keys", {"mode": "live"})
    return Clients(fleet.api_url, decode("ten", tenant["id"]), key["secret"])
