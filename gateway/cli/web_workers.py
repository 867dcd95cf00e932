"""Several API processes on one listening socket, kept alive by the process that opened it."""

import asyncio
import os
import signal
import socket
import sys
from typing import Final

from gateway.stack.child import Child, ChildPlan
from gateway.stack.keeper import keep_alive

_LONGER_S: Final = 2.0
"""What a worker is granted beyond the time in which it stops by itself."""


async def run_workers(listener: socket.socket, count: int, *, stop_within_s: float) -> None:
    """Run `count` copies of `tollgate serve api` until SIGTERM; one that dies is started again."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    descriptor = listener.fileno()
    plan = ChildPlan(
        name="api",
        arguments=("serve", "api", "--listener", str(descriptor)),
        environment=dict(os.environ),
        log=None,
        pass_descriptors=(descriptor,),
        patience_s=stop_within_s + _LONGER_S,
    )
    keepers = [asyncio.ensure_future(keep_alive(Child(plan), _say)) for _ in range(count)]
    await stop.wait()
    for keeper in keepers:
        keeper.cancel()
    # The kernel takes connections until the last copy is closed, and nobody would answer them any more.
    listener.close()
    await asyncio.gather(*keepers, return_exceptions=True)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
