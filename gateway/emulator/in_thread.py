"""The emulator beside synchronous code: its event loop in a thread, started and stopped by a `with` block."""

import asyncio
import threading
from collections.abc import Generator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from gateway.emulator.server import RunningEmulator, running_emulator

_STARTS_WITHIN_S = 30.0


@contextmanager
def emulator_in_thread(**changes: Any) -> Generator[RunningEmulator]:
    """
    Run an emulator until the block ends.

    Args:
        changes: Members of `EmulatorOptions`, such as `seed=7` or `strict=True`; a free port by default.
    """
    started: Future[tuple[RunningEmulator, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        async with running_emulator(**changes) as running:
            started.set_result((running, asyncio.get_running_loop(), stop))
            await stop.wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    thread = threading.Thread(target=run, name="sms-emulator", daemon=True)
    thread.start()
    running, loop, stop = started.result(timeout=_STARTS_WITHIN_S)
    try:
        yield running
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
