"""
Writes log lines, those of one turn of the event loop together.

A line per request is a call of the kernel per request, which costs more than making the line. Only what
informs waits for the end of the turn; a warning goes out at once and takes along what waited, and so does
whatever is written where no loop runs. A process that is killed loses the lines of its last turn.
"""

import asyncio
import atexit
from collections import deque
from typing import BinaryIO


class LineLogger:
    """What structlog writes to; one per stream and process. Threads may write, too."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._waiting: deque[bytes] = deque()
        self._due = False
        atexit.register(self.flush)

    def info(self, line: bytes) -> None:
        """Write at the end of this turn of the loop."""
        self._waiting.append(line)
        if self._due:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.flush()
        else:
            self._due = True
            loop.call_soon(self._end_turn)

    def warning(self, line: bytes) -> None:
        """Write now."""
        self._waiting.append(line)
        self.flush()

    def flush(self) -> None:
        """Write what waits."""
        lines: list[bytes] = []
        while self._waiting:
            try:
                lines.append(self._waiting.popleft() + b"\n")
            except IndexError:  # another thread took it
                break
        if lines:
            self._stream.write(b"".join(lines))
            self._stream.flush()

    def _end_turn(self) -> None:
        self._due = False
        self.flush()

    debug = info
    error = critical = exception = log = msg = fatal = warning
