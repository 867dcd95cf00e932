"""Delivery events through an SQS queue: what a process that reads it spends on each, beside a bare reader."""

from collections.abc import Sequence
from itertools import islice

import aiohttp
import msgspec
from msgspec import Struct

from gateway.bench.children import free_port
from gateway.bench.drain import Drained, watch
from gateway.bench.ground import Ground
from gateway.bench.queue_peer import PATH
from gateway.bench.stack import eventually

_FILLED_AT_ONCE = 1_000
_WITHIN_S = 120.0


class QueueRoad(Struct, frozen=True):
    """A queue peer that runs, and whose queue the gateway's receipts role reads."""

    ground: Ground
    origin: str

    async def read(self, events: Sequence[bytes]) -> Drained:
        """Have the gateway read so many events out of the queue."""
        async with self.ground.stack.passing("receipts", *self.ground.stack.role("receipts")):
            return await self._drained(events)

    async def forget(self, events: Sequence[bytes]) -> Drained:
        """Have a bare reader read and delete them."""
        settings = self.ground.stack.settings
        arguments = (self.origin + PATH, settings.aws_region, str(settings.queue_pollers))
        async with self.ground.stack.passing("bare queue", "gateway.bench.bare_queue", *arguments) as bare:
            await bare.hear()
            return await self._drained(events)

    async def _drained(self, events: Sequence[bytes]) -> Drained:
        before = await self._deleted()
        left = iter(events)
        while some := list(islice(left, _FILLED_AT_ONCE)):
            body = msgspec.json.encode([each.decode() for each in some])
            async with self.ground.http.post(f"{self.origin}/fill", data=body) as answer:
                answer.raise_for_status()
        drained = await watch(self.ground.stack, self._deleted, before=before, total=len(events))
        await self._all_deleted(before + len(events))
        return drained

    async def _all_deleted(self, goal: int) -> None:
        async def reached() -> bool:
            return await self._deleted() >= goal

        await eventually(reached, within_s=_WITHIN_S)

    async def _deleted(self) -> int:
        async with self.ground.http.get(f"{self.origin}/counts") as answer:
            return msgspec.json.decode(await answer.read(), type=dict[str, int])["deleted"]


async def open_queue_road(ground: Ground) -> QueueRoad:
    """Start the peer and name its queue to the gateway; the peer lives as long as the stack."""
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    peer = await ground.stack.start("queue", "gateway.bench.queue_peer", str(port))
    await peer.hear()
    settings = ground.stack.settings
    headers = {"Authorization": f"Bearer {settings.operator_key}"}
    async with aiohttp.ClientSession(settings.public_url, headers=headers, raise_for_status=True) as http:
        async with http.get("/v1/admin/aws-accounts") as answer:
            account: str = (await answer.json())["data"][0]["id"]
        queue = {"account": account, "url": origin + PATH}
        async with http.post("/v1/admin/receipt-queues", json=queue):
            pass
    return QueueRoad(ground, origin)
