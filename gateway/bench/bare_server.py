"""uvicorn as the web process runs it, for the bare components; says when it listens."""

import asyncio

import uvicorn
from litestar import Litestar

_POLL_S = 0.01


async def serve(app: Litestar, port: int) -> None:
    """Serve until SIGTERM; writes `"ready"` once connections are taken."""
    server = uvicorn.Server(
        uvicorn.Config(app, port=port, http="httptools", access_log=False, log_level="warning")
    )
    serving = asyncio.ensure_future(server.serve())
    while not server.started:
        await asyncio.sleep(_POLL_S)
    print('"ready"', flush=True)
    await serving
