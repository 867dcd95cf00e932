"""
How long it takes from a receipt to the webhook about it, with and without receivers that are dead.

Receipts of messages that wait for one are posted by SNS at a pace; a webhook's delay counts from the instant
at which its receipt was due to be posted, so a gateway that falls behind is charged for it. Each event goes
to ten endpoints, and then once more with a fifth of them ill: one refuses connections, one never answers.
"""

import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid4

import msgspec
from msgspec import Struct

from gateway.bench.children import free_port
from gateway.bench.envelopes import delivered, posts
from gateway.bench.ground import Ground
from gateway.bench.load import WrongAnswers
from gateway.bench.peer import SILENT, TOLD
from gateway.bench.report import percentile
from gateway.bench.stack import eventually
from gateway.bench.tenant import add_webhook
from tenants.ids import decode

ENDPOINTS = 10
ILL = 2
"""The last so many endpoints are those that can be made ill."""
_DONE_WITHIN_S = 60.0
_POST_WITHIN_S = 120.0
_SENT = """
    UPDATE messages SET status = 'sent', provider_message_id = gen_random_uuid()::text, attempts = 1,
        sequence = 2, dispatched_at = now()
    WHERE status = 'queued' RETURNING id
"""
_FORGET = "UPDATE webhook_deliveries SET state = 'failed' WHERE state = 'pending'"
_POINT = """
    UPDATE webhook_endpoints SET url = $2, failures = 0, paused_until = NULL, pause_reason = NULL,
        failing_since = NULL, holding = false
    WHERE url = $1
"""


class Told(Struct, frozen=True, kw_only=True):
    """The webhooks of one run."""

    per_s: float
    """Receipts, from the first post to the last webhook."""
    p50_ms: float
    p99_ms: float


class Telling:
    """Runs on a ground whose tenant has ten more endpoints; a sender has to run beside it."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._healthy_urls = [ground.peer_url + path for path in paths()]
        self._moved: dict[str, str] = {}
        """Where ill endpoints were, and where they are."""

    async def open(self) -> None:
        """Leave only our own endpoints, told of deliveries."""
        await self._ground.pool.execute("UPDATE webhook_endpoints SET state = 'disabled'")
        await self._ground.pool.execute(_SENT)  # what an earlier part of the benchmark left behind
        for url in self._healthy_urls:
            await add_webhook(self._ground.stack.settings, self._ground.customer, url, ("message.delivered",))

    async def run(self, count: int, *, per_second: float | None = None) -> Told:
        """
        Post so many receipts, and wait until every healthy endpoint was told of each.

        Args:
            per_second: Their pace; None for as fast as they are taken, when delays count from the first.
        """
        requests, ids = await self._prepare(count)
        await self._collect()
        outcome, _ = await self._ground.stack.load(
            requests,
            targets=[self._ground.api],
            seconds=_POST_WITHIN_S,
            warm_up_s=0.0,
            per_second=per_second,
        )
        outcome.require(200, count)
        healthy = set(paths()[: ENDPOINTS - ILL])
        due_at = {
            message_id: outcome.began_at_ms + (1000 * place / per_second if per_second else 0.0)
            for place, message_id in enumerate(ids)
        }
        came: dict[tuple[str, UUID], float] = {}

        async def all_came() -> bool:
            for path, message_id, at in await self._collect():
                if path in healthy:
                    came.setdefault((path, message_id), at)
            return len(came) >= len(healthy) * count

        await eventually(all_came, within_s=_DONE_WITHIN_S)
        delays = [at - due_at[message_id] for (_, message_id), at in came.items()]
        return Told(
            per_s=count * 1000 / (max(came.values()) - outcome.began_at_ms),
            p50_ms=percentile(delays, 0.5),
            p99_ms=percentile(delays, 0.99),
        )

    async def sicken(self) -> None:
        """Let one endpoint refuse connections and one never answer."""
        dead, silent = self._healthy_urls[ENDPOINTS - ILL :]
        self._moved = {
            dead: f"http://127.0.0.1:{free_port()}/dead",
            silent: self._ground.peer_url + SILENT,
        }
        for url, other in self._moved.items():
            await self._ground.pool.execute(_POINT, url, other)

    async def heal(self) -> None:
        """Let them answer again, and forget what they are still owed."""
        for url, other in self._moved.items():
            await self._ground.pool.execute(_POINT, other, url)
        self._moved = {}
        await self._ground.pool.execute(_FORGET)

    async def settled(self) -> None:
        """Wait until the results of all posts are written."""
        pending = "SELECT EXISTS (SELECT FROM webhook_deliveries WHERE state = 'pending')"

        async def nothing_pending() -> bool:
            return await self._ground.pool.fetchval(pending) is False

        await eventually(nothing_pending, within_s=_DONE_WITHIN_S)

    async def _prepare(self, count: int) -> tuple[list[bytes], list[UUID]]:
        """Accept messages, say that they were sent, and sign the receipts of their delivery."""
        await self._ground.accept(count)
        rows = await self._ground.pool.fetch(_SENT)
        await self._ground.pool.execute("DELETE FROM dispatch_queue")
        topic_arn = await self._ground.pool.fetchval("SELECT topic_arn FROM aws_accounts")
        ids: list[UUID] = [row["id"] for row in rows]
        if len(ids) != count:
            raise WrongAnswers(f"{len(ids)} messages wait for a receipt instead of {count}")
        return await asyncio.to_thread(self._signed, ids, topic_arn), ids

    def _signed(self, ids: Sequence[UUID], topic_arn: str) -> list[bytes]:
        return posts(
            (delivered(each, str(uuid4()), "+447400000000") for each in ids),
            self._ground.signer,
            topic_arn=topic_arn,
            certificate_url=self._ground.certificate_url,
        )

    async def _collect(self) -> list[tuple[str, UUID, float]]:
        async with self._ground.http.get(self._ground.peer_url + TOLD) as response:
            told = msgspec.json.decode(await response.read(), type=list[tuple[str, str, float]])
        return [(path, decode("msg", message_id), at) for path, message_id, at in told]


def paths() -> list[str]:
    """Return the peer's paths of the endpoints."""
    return [f"{TOLD}/{number}" for number in range(ENDPOINTS)]
