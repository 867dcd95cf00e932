"""AWS's front door for one origination identity: a share of its sends is throttled, the rest passes."""

import contextlib
import json
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiohttp import ClientSession, web

from tests.harness.web import free_listener

_NOT_FORWARDED = {"host", "content-length", "transfer-encoding", "connection", "content-encoding", "date"}


@dataclass
class ThrottlingDoor:
    """Stands where the emulator stood; lead the proxy here."""

    port: int
    identity: str
    share: float
    throttled: int = 0


@contextlib.asynccontextmanager
async def throttling_door(base_url: str, *, identity: str, share: float) -> AsyncIterator[ThrottlingDoor]:
    """Throttle this share of the identity's SendTextMessage calls for the length of a block."""
    listener = free_listener()
    door, dice = ThrottlingDoor(listener.getsockname()[1], identity, share), random.Random(1)

    async def answer(request: web.Request) -> web.Response:
        body = await request.read()
        if request.headers.get("x-amz-target", "").endswith("SendTextMessage") and _is_throttled(body):
            door.throttled += 1
            refusal = json.dumps({"__type": "ThrottlingException", "Message": "Rate exceeded"})
            return web.Response(status=400, text=refusal, content_type="application/x-amz-json-1.0")
        kept = {name: value for name, value in request.headers.items() if name.lower() not in _NOT_FORWARDED}
        async with client.request(
            request.method, f"{base_url}{request.rel_url}", data=body, headers=kept
        ) as said:
            headers = {n: v for n, v in said.headers.items() if n.lower() not in _NOT_FORWARDED}
            return web.Response(status=said.status, body=await said.read(), headers=headers)

    def _is_throttled(body: bytes) -> bool:
        return json.loads(body).get("OriginationIdentity") == identity and dice.random() < share

    application = web.Application(client_max_size=2**20)
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application, access_log=None)
    async with ClientSession() as client:
        await runner.setup()
        try:
            await web.SockSite(runner, listener).start()
            yield door
        finally:
            await runner.cleanup()
