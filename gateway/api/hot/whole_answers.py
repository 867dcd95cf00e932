"""
uvicorn's HTTP protocol with a short way out for an answer that is whole.

An ASGI answer is two messages and a list of headers each of which is checked and lowered once more. Whoever
has the whole answer finds in the scope's extensions a function that writes it in one piece; what uvicorn
keeps of a request and its connection is kept as after any other answer.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final
from weakref import ref

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

WHOLE_ANSWER: Final = "tollgate.whole_answer"
"""The extension's name; a server that lacks it gets ASGI's messages."""
WholeAnswer = Callable[[int, bytes, bytes], bool]
"""
Takes status, header lines and body; False if the answer cannot be written now and must go ASGI's way.

Each line ends with CRLF; `content-length` is among them, and nothing in them came from outside unchecked.
"""


class AnsweringProtocol(HttpToolsProtocol):
    """Offers every request the extension."""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        scope: Any = cycle.scope
        # Weakly: a request that its own scope held would be the garbage collector's to free.
        scope["extensions"] = {WHOLE_ANSWER: partial(_answer, ref(cycle))}
        super()._start_asgi_task(cycle, app)


def _answer(of: "ref[RequestResponseCycle]", status: int, lines: bytes, body: bytes) -> bool:
    cycle = of()
    if cycle is None or cycle.response_started or cycle.flow.write_paused:
        return False
    cycle.response_started = cycle.response_complete = True
    if not cycle.disconnected:
        defaults = b"".join([b"%b: %b\r\n" % header for header in cycle.default_headers])
        closing = b"" if cycle.keep_alive else b"connection: close\r\n"
        cycle.transport.write(b"".join((STATUS_LINE[status], defaults, lines, closing, b"\r\n", body)))
        cycle.message_event.set()
        if not cycle.keep_alive:
            cycle.transport.close()
        cycle.on_response()
    return True
