"""The tenants' side of the webhooks: a web server that believes nothing it cannot verify."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

Told = Callable[[str, dict[str, Any]], None]
"""Takes the tenant's name and the verified event."""


class Receiver:
    """Verifies with the third-party library, never with our own signing code."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._secrets: dict[str, str] = {}
        self._seen: set[str] = set()
        self.url = ""
        self.received = 0
        self.verified = 0

    @property
    def distinct(self) -> int:
        """Events received, not counting a second delivery of the same."""
        return len(self._seen)

    def trust(self, tenant: str, secret: str) -> None:
        """Expect this secret's signature at `/{tenant}`."""
        self._secrets[tenant] = secret

    async def receive(self, request: web.Request) -> web.Response:
        """Answer 204 to what verifies and 400 to all else."""
        self.received += 1
        tenant = request.match_info["tenant"]
        try:
            event = Webhook(self._secrets[tenant]).verify(await request.text(), dict(request.headers))
        except (WebhookVerificationError, KeyError):
            return web.Response(status=400)
        self.verified += 1
        self._seen.add(request.headers["webhook-id"])
        self._told(tenant, event)
        return web.Response(status=204)


@asynccontextmanager
async def running_receiver(told: Told) -> AsyncGenerator[Receiver]:
    """Listen on a free port of loopback."""
    receiver = Receiver(told)
    app = web.Application()
    app.router.add_post("/{tenant}", receiver.receive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield receiver
    finally:
        await runner.cleanup()
