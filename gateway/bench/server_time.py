"""How long Redis itself works on a script: every command goes into its slow log while a block runs."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

_EVERYTHING_US = 0


class ServerTimes:
    """Reads the durations of one script's calls, in whole microseconds, as Redis counted them."""

    def __init__(self, client: Any, room: int) -> None:
        self._client = client
        self._room = room

    async def forget(self) -> None:
        """Begin anew."""
        await self._client.slowlog_reset()

    async def of(self, digest: str) -> list[int]:
        """Return the time of every call of the script since `forget`, without waiting and the network."""
        called = f"EVALSHA {digest}".encode()
        entries = await self._client.slowlog_get(self._room)
        return [entry["duration"] for entry in entries if entry["command"].upper().startswith(called.upper())]


@asynccontextmanager
async def server_times(client: Any, *, room: int) -> AsyncGenerator[ServerTimes]:
    """Log every command for the length of a block; `room` is how many the log keeps."""
    wanted = {"slowlog-log-slower-than": _EVERYTHING_US, "slowlog-max-len": room}
    before = {name: (await client.config_get(name))[name] for name in wanted}
    for name, value in wanted.items():
        await client.config_set(name, value)
    try:
        yield ServerTimes(client, room)
    finally:
        for name, value in before.items():
            await client.config_set(name, value)
        await client.slowlog_reset()
