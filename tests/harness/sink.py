"""A tenant's webhook receiver: keeps what is posted, answers as told, verifies with another library."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook

from tests.harness.waiting import until
from tests.harness.web import free_listener, serving, url_of


@dataclass(frozen=True)
class Post:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float
    """When it came, on the monotonic clock."""

    @property
    def webhook_id(self) -> str:
        """The id that stays the same over retries."""
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> dict[str, Any]:
        """Return the body as the third-party library reads it, which refuses a wrong signature."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass
class Sink:
    """What came, and what to answer next; 204 when nothing is planned."""

    url: str
    posts: list[Post] = field(default_factory=list)
    answers: deque[tuple[int, dict[str, str]]] = field(default_factory=deque)
    reply: bytes = b""
    """The body of every answer."""
    held: asyncio.Event | None = None
    """While there is one that is not set, posts arrive and are not answered."""

    def answer_next(self, *statuses: int, **headers: str) -> None:
        """Plan the status of the next posts."""
        self.answers.extend((status, headers) for status in statuses)

    def of(self, path: str) -> list[Post]:
        """Return what was posted to one path, in order of arrival."""
        return [post for post in self.posts if post.path == path]

    async def wait_for(self, path: str, count: int, *, within_s: float = 60.0) -> list[Post]:
        """Return the posts to a path once there are `count` of them."""

        async def enough() -> list[Post]:
            found = self.of(path)
            return found if len(found) >= count else []

        return await until(enough, within_s=within_s)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Take one request (ASGI)."""
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        self.posts.append(Post(scope["path"], headers, body, time.monotonic()))
        if self.held is not None:
            await self.held.wait()
        status, extra = self.answers.popleft() if self.answers else (200 if self.reply else 204, {})
        lines = [(name.encode(), value.encode()) for name, value in extra.items()]
        await send({"type": "http.response.start", "status": status, "headers": lines})
        await send({"type": "http.response.body", "body": self.reply})


@asynccontextmanager
async def running_sink() -> AsyncIterator[Sink]:
    """Run a receiver for the length of a block."""
    listener = free_listener()
    sink = Sink(url_of(listener))
    async with serving(sink, listener):
        yield sink
