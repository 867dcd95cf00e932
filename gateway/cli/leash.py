"""
A child process that must not outlive its supervisor, on any Unix and however the supervisor dies.

The supervisor holds the only other end of the child's standard input; the kernel closes it with its owner.
"""

import os
import signal
import sys
import threading
import time
from typing import Final

_GRACE_S: Final = 10.0


def hold_on_to_parent() -> None:
    """Watch standard input from a thread; at its end, ask this process to stop and, after 10 s, make it."""
    threading.Thread(target=_watch, args=(sys.stdin.fileno(),), name="leash", daemon=True).start()


def _watch(descriptor: int) -> None:
    """Read past Python's buffer, whose lock a daemon thread must not hold when the interpreter ends."""
    while os.read(descriptor, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_S)
    os.kill(os.getpid(), signal.SIGKILL)
