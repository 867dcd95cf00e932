"""An account with a bucket, a number that carries every channel, and a server of files."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from tests.harness.stack import US
from tests.unit.media.files import picture


class Files:
    """Serves files over plain HTTP on loopback and counts who asks."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[str] = []
        self.content: dict[str, bytes] = {"/cat.png": picture("PNG")}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Give the file of the path, a redirect for /moved, else 404."""
        self.asked.append(request.path)
        if request.path == "/moved":
            raise web.HTTPFound("/cat.png")
        if request.path not in self.content:
            raise web.HTTPNotFound
        return web.Response(body=self.content[request.path])


@pytest.fixture
async def files() -> AsyncIterator[Files]:
    """A running server of files."""
    served = Files("")
    app = web.Application()
    app.router.add_get("/{name:.*}", served.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    served.url = f"http://127.0.0.1:{port}"
    yield served
    await runner.cleanup()


@pytest.fixture
async def customer(stack):
    """A tenant in the United States with a number for texts, MMS and calls."""
    account = await stack.operate(
        "PUT",
        "/v1/admin/aws-accounts/default",
        {
            "region": "us-east-1",
            "endpoint_url": stack.emulator.base_url,
            "sends_per_second": 1000,
            "media_per_second": 100,
            "voice_per_second": 100,
            "media_bucket": "tollgate-media",
        },
    )
    number = US | {"channels": ["sms", "mms", "voice"]}
    return await stack.customer(countries=("US", "DE"), account=account["id"], senders=(number,))
