"""``python -m gateway.bench.roles api|ROLE…``: a production process, as the command line starts it."""

import asyncio
import os
import sys
from collections.abc import Coroutine
from typing import Any

import uvicorn
import uvloop

from gateway.asgi import create_app
from gateway.settings import Settings, read_settings
from gateway.telemetry.logs import configure
from gateway.wiring import open_api, open_resources
from gateway.worker import run


async def serve_api(settings: Settings) -> None:
    """Serve until told to stop."""
    async with open_resources(settings) as shared, open_api(shared) as api:
        server = uvicorn.Server(
            uvicorn.Config(
                create_app(api.services),
                host=settings.host,
                port=settings.port,
                http="httptools",
                access_log=False,
                log_level="warning",
            )
        )
        beside = [asyncio.ensure_future(task()) for task in api.tasks]
        await server.serve()
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)


def main(arguments: list[str]) -> None:
    """Run one process with the settings of its environment."""
    settings = read_settings(os.environ)
    configure(settings.log_format, settings.log_level)
    work: Coroutine[Any, Any, None] = (
        serve_api(settings) if arguments == ["api"] else run(settings, arguments)
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)


if __name__ == "__main__":
    main(sys.argv[1:])
