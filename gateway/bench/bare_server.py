"""uvicorn as the web process runs it, for the bare components; says when it listens."""

import socket

import uvicorn
from litestar import Litestar


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print('"ready"', flush=True)


async def serve(app: Litestar, port: int) -> None:
    """Serve until SIGTERM; writes `"ready"` once connections are taken."""
    config = uvicorn.Config(app, port=port, http="httptools", access_log=False, log_level="warning")
    await _Server(config).serve()
