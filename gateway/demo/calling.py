"""The REST API and the emulator's extras, called from the demo's own event loop; each call is timed."""

from time import perf_counter
from typing import Any, cast

import aiohttp
from msgspec import Struct

from gateway.errors import GatewayError


class DemoError(GatewayError):
    """Something answered in a way the demo has no use for; the text says what."""


class Reply(Struct, frozen=True, kw_only=True):
    """What one call got."""

    status: int
    headers: dict[str, str]
    """With lower-case names."""
    body: Any
    seconds: float

    @property
    def code(self) -> str:
        """The problem's code, or nothing where there was none."""
        return str(cast("dict[str, Any]", self.body).get("code", "")) if isinstance(self.body, dict) else ""


class Caller:
    """One key at one base URL."""

    def __init__(self, http: aiohttp.ClientSession, base_url: str, key: str) -> None:
        self._http = http
        self._base_url = base_url
        self._headers = {"Authorization": f"Bearer {key}"}

    async def call(
        self, method: str, path: str, body: Any = None, *, idempotency_key: str | None = None
    ) -> Reply:
        """Return the answer, whatever its status."""
        headers = self._headers | ({} if idempotency_key is None else {"Idempotency-Key": idempotency_key})
        began = perf_counter()
        async with self._http.request(method, self._base_url + path, json=body, headers=headers) as response:
            content = await response.json(content_type=None)
            return Reply(
                status=response.status,
                headers={name.lower(): value for name, value in response.headers.items()},
                body=content,
                seconds=perf_counter() - began,
            )

    async def must(self, method: str, path: str, body: Any = None) -> Any:
        """
        Return the body of an answer below 400.

        Raises:
            DemoError: It was refused.
        """
        reply = await self.call(method, path, body)
        if reply.status >= 400:  # noqa: PLR2004 - where refusals begin
            raise DemoError(f"{method} {path} was answered {reply.status} {reply.code}: {reply.body}")
        return reply.body

    async def rows(self, path: str) -> list[Any]:
        """Return every row of a list."""
        found: list[Any] = []
        after = ""
        while True:
            page = await self.must("GET", f"{path}?limit=100{after}")
            found.extend(page["data"])
            if page["next_cursor"] is None:
                return found
            after = f"&after={page['next_cursor']}"
