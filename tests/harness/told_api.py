"""A stand-in for the API that answers what it was told to and remembers what it was asked."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LOOKS_EVERY_S = 0.02
"""How soon a server hears that it is over; by itself it takes half a second, which each test would wait."""


@dataclass
class ToldApi:
    """Answers, in order, and the method, path and body of each request."""

    url: str
    answers: list[tuple[int, Any]] = field(default_factory=list)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """What a command needs to reach it."""
        return {"TOLLGATE_API_URL": self.url, "TOLLGATE_API_KEY": "secret"}


@contextmanager
def told_api() -> Iterator[ToldApi]:
    """Serve one on loopback for the length of a block."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            api.asked.append((self.command, self.path, json.loads(content) if content else None))
            status, body = api.answers.pop(0)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        do_GET = do_POST = do_DELETE = answer  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        api = ToldApi(f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, args=(LOOKS_EVERY_S,), daemon=True).start()
        yield api
        server.shutdown()
