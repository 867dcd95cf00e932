"""
`python -m gateway.embedded --data DIR`: the servers alone, for a test session's controller or a script.

Prints one line of JSON with both URLs when they are ready and serves until standard input ends or a signal
comes, so the servers never outlive whoever started it.
"""

import asyncio
import os
import signal
import sys
import threading
from argparse import ArgumentParser
from pathlib import Path

import msgspec
import structlog

from gateway.embedded.errors import EmbeddedError
from gateway.embedded.stores import embedded_stores


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """What is printed once the servers answer."""

    database_url: str
    redis_url: str


def main() -> int:
    """Run until told to stop; return 1 if the servers cannot be started."""
    parser = ArgumentParser(
        prog="python -m gateway.embedded", description="PostgreSQL and Redis on loopback."
    )
    parser.add_argument("--data", type=Path, required=True, help="folder for their data")
    structlog.configure(
        logger_factory=structlog.PrintLoggerFactory(sys.stderr)
    )  # standard output is the answer's
    try:
        asyncio.run(_serve(parser.parse_args().data))
    except EmbeddedError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


async def _serve(data: Path) -> None:
    told = _told_to_stop()
    async with embedded_stores(data, database_url=None, redis_url=None) as stores:
        ready = Ready(database_url=stores.database_url, redis_url=stores.redis_url)
        sys.stdout.write(msgspec.json.encode(ready).decode() + "\n")
        sys.stdout.flush()
        await told.wait()


def _told_to_stop() -> asyncio.Event:
    """Return an event that is set at the end of standard input and at SIGINT or SIGTERM."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_ in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_, told.set)
    threading.Thread(target=_await_end_of_input, args=(loop, told), daemon=True).start()
    return told


def _await_end_of_input(loop: asyncio.AbstractEventLoop, told: asyncio.Event) -> None:
    """Read past Python's buffer, whose lock a daemon thread must not hold when the interpreter ends."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    loop.call_soon_threadsafe(told.set)


if __name__ == "__main__":
    sys.exit(main())
