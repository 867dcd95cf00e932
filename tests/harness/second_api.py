"""Another web process's worth of gateway beside a stack: own connections, own snapshots of tenants."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import msgspec

from gateway.asgi import create_app
from gateway.intake.notices import PolicyNotices
from gateway.wiring.api import open_api
from gateway.wiring.resources import Task, open_resources
from tests.harness.stack import Stack
from tests.harness.web import free_listener, serving, url_of


@contextlib.asynccontextmanager
async def second_api(stack: Stack, *, deaf_on: str | None = None) -> AsyncIterator[str]:
    """
    Serve on the stack's stores for the length of a block, and yield the base URL.

    Args:
        deaf_on: A broken build: it hears no notice, and compares versions with the Redis of this URL, which
            nobody else writes.
    """
    listener = free_listener()
    settings = stack.settings
    if deaf_on is not None:
        settings = msgspec.structs.replace(settings, redis_url=deaf_on)
    async with open_resources(settings) as shared, open_api(shared) as api:
        tasks = [task for task in api.tasks if deaf_on is None or not _listens(task)]
        running = [asyncio.ensure_future(task()) for task in tasks]
        try:
            async with serving(create_app(api.services), listener):
                yield url_of(listener)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)


def _listens(task: Task) -> bool:
    return isinstance(getattr(task, "__self__", None), PolicyNotices)
