"""The roads of receipts into a fleet: a queue it reads, a Firehose stream, posts as SNS makes them."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID, uuid4

import httpx

from tenants.ids import encode
from tests.harness.clients import Clients
from tests.harness.envelopes import signed_envelope
from tests.harness.fleet import OPERATOR_KEY, Fleet
from tests.harness.plain import NO_AUTHORITIES
from tests.harness.queues import TestQueue, open_test_queue
from tests.harness.receipts import event
from tests.harness.waiting import eventually, until

_ACKNOWLEDGED_WITHIN_S = 300.0
LOST = {"receipts": {"lose_rate": 1.0}}
"""The emulator's own receipts never come: the test brings them."""
LIFE = ("QUEUED", "PENDING", "SENT", "UNKNOWN", "SUCCESSFUL", "DELIVERED")


async def operate(fleet: Fleet, method: str, path: str, body: Any = None) -> Any:
    """Call the operator's API of a fleet."""
    headers = {"Authorization": f"Bearer {OPERATOR_KEY}"}
    async with httpx.AsyncClient(
        verify=NO_AUTHORITIES, base_url=fleet.api_url, headers=headers, timeout=30, trust_env=False
    ) as client:
        answer = await client.request(method, f"/v1/admin{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None


async def sent(fleet: Fleet, clients: Clients, count: int) -> list[UUID]:
    """Send messages whose receipts never come, and return their ids once AWS has all of them."""
    await fleet.emulate("faults", LOST)
    await fleet.start("dispatcher")
    before = {row["id"] for row in await _sent_rows(fleet, clients)}
    await clients.send(count)

    async def all_sent() -> list[UUID]:
        found = [row["id"] for row in await _sent_rows(fleet, clients) if row["id"] not in before]
        return found if len(found) == count else []

    return await eventually(all_sent, within_s=60)


async def _sent_rows(fleet: Fleet, clients: Clients) -> list[Any]:
    return await fleet.database.fetch(
        "SELECT id FROM messages WHERE tenant_id = $1 AND status = 'sent'", clients.tenant_id
    )


async def aws_ids(fleet: Fleet, ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return by which ids AWS knows messages that were sent."""
    query = "SELECT id, provider_message_id FROM messages WHERE id = ANY($1::uuid[])"
    return {row["id"]: row["provider_message_id"] for row in await fleet.database.fetch(query, list(ids))}


def life(message_id: UUID, names: Sequence[str] = LIFE, *, aws_id: str | None = None) -> list[str]:
    """
    Return a message's events in order, as AWS writes them.

    Args:
        aws_id: By which AWS knows it; by another one they are of a second text of the message.
    """
    named = aws_id or f"aws-{message_id}"
    return [
        json.dumps(event(name, message_id=message_id, provider_message_id=named, second=second))
        for second, name in enumerate(names)
    ]


@contextlib.asynccontextmanager
async def reading_queue(fleet: Fleet, moto_url: str, *, max_receives: int = 50) -> AsyncIterator[TestQueue]:
    """Have the fleet read a queue for the length of a block; its messages die after so many receives."""
    [account, *_] = (await operate(fleet, "GET", "/aws-accounts"))["data"]
    async with open_test_queue(moto_url, f"roads-{uuid4().hex[:8]}", max_receives=max_receives) as queue:
        row = await operate(fleet, "POST", "/receipt-queues", {"account": account["id"], "url": queue.url})
        yield queue
        await operate(fleet, "DELETE", f"/receipt-queues/{row['id']}")


class Poster:
    """Posts events as SNS does, again until each is acknowledged; remembers when each was."""

    def __init__(self, fleet: Fleet, topic_arn: str) -> None:
        self._fleet = fleet
        self._topic_arn = topic_arn
        self.acknowledged_at: dict[str, float] = {}
        self.answers: list[int] = []

    async def post(self, client: httpx.AsyncClient, text: str) -> None:
        """Post one event until it is acknowledged."""
        body = signed_envelope(self._fleet.emulator, self._topic_arn, text)
        await until(lambda: self._acknowledged(client, body), within_s=_ACKNOWLEDGED_WITHIN_S)
        self.acknowledged_at[text] = asyncio.get_running_loop().time()

    async def _acknowledged(self, client: httpx.AsyncClient, body: bytes) -> bool:
        with contextlib.suppress(httpx.TransportError):
            answer = await client.post("/v1/ingest/sns", content=body)
            self.answers.append(answer.status_code)
            return answer.status_code == 200
        return False

    async def post_all(self, texts: Sequence[str], *, at_once: int = 8) -> None:
        """Post events, some at a time, in the given order."""
        waiting = list(reversed(texts))
        async with httpx.AsyncClient(
            verify=NO_AUTHORITIES, base_url=self._fleet.api_url, timeout=10, trust_env=False
        ) as client:

            async def one() -> None:
                while waiting:
                    await self.post(client, waiting.pop())

            await asyncio.gather(*(one() for _ in range(at_once)))


async def poster_of(fleet: Fleet) -> Poster:
    """Return a poster of the account's topic, which provisioning has made."""
    return Poster(fleet, await fleet.database.fetchval("SELECT topic_arn FROM aws_accounts"))


async def deliver(fleet: Fleet, key: str, texts: Sequence[str]) -> int:
    """Deliver events as Firehose does, once; return the status."""
    request_id = str(uuid4())
    records = [{"data": base64.b64encode(each.encode()).decode()} for each in texts]
    async with httpx.AsyncClient(
        verify=NO_AUTHORITIES, base_url=fleet.api_url, timeout=60, trust_env=False
    ) as client:
        answer = await client.post(
            "/v1/ingest/firehose",
            json={"requestId": request_id, "timestamp": 1, "records": records},
            headers={"X-Amz-Firehose-Request-Id": request_id, "X-Amz-Firehose-Access-Key": key},
        )
    return answer.status_code


async def not_once(fleet: Fleet, message_ids: Sequence[UUID], *, events: int) -> list[str]:
    """Return each message that has not each of its events once, or was told delivered other than once."""
    rows = await fleet.database.fetch(
        """
        SELECT m.id, m.status, m.provider_status,
            (SELECT count(*) FROM receipts r WHERE r.message_id = m.id) AS receipts,
            (SELECT count(*) FROM events e WHERE e.message_id = m.id AND e.type = 'message.delivered') AS told
        FROM messages m WHERE m.id = ANY($1::uuid[])
        """,
        list(message_ids),
    )
    wanted = ("delivered", "DELIVERED", events, 1)
    return [f"{encode('msg', row['id'])}: {tuple(row)[1:]}" for row in rows if tuple(row)[1:] != wanted]
