"""One tenant's slow servers of files are nobody else's business."""

import asyncio
from uuid import uuid4

import pytest
from aiohttp import web

from gateway.media.fetch import open_fetcher
from gateway.media.kinds import MediaRefused
from gateway.webhooks.addresses import Targets
from tests.harness.waiting import until
from tests.unit.media.files import picture


@pytest.fixture
async def slow(files):
    """A second server, which takes every request and answers none; returns its URL and what it was asked."""
    asked: list[str] = []
    over = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        await over.wait()
        return web.Response()

    app = web.Application()
    app.router.add_get("/{name:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    over.set()
    await runner.cleanup()


async def test_a_batch_of_files_that_never_come_leaves_room_for_other_tenants(files, slow) -> None:
    """A thousand addresses of one tenant must not fail every picture that anybody sends."""
    url, asked = slow
    async with open_fetcher(Targets(["127.0.0.0/8"]), deadline_s=2.0) as fetcher:
        tenant = uuid4()
        batch = [asyncio.create_task(fetcher.fetch(tenant, f"{url}/{n}")) for n in range(200)]

        async def under_way():
            return len(asked) >= 8

        await until(under_way)
        found = await fetcher.fetch(uuid4(), f"{files.url}/cat.png")
        missed = await asyncio.gather(*batch)
    assert {each.fault for each in missed if isinstance(each, MediaRefused)} == {"timeout"}
    assert found == picture("PNG")
