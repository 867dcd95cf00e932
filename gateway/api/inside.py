"""
Asks the API from inside the process, in the name of a person whom the console knows.

The call goes through the whole application, so it is checked, made idempotent, audited and logged like any
other. Who asks stands in the ASGI scope: servers build that themselves, and nothing that a client sends puts
a key of its own there.
"""

from typing import Any, Final

import msgspec
from litestar.types import ASGIApp
from msgspec import Struct

from tenants.scope import TenantScope

_KEY: Final = "tollgate.inside"


class InsideAnswer(Struct, frozen=True, kw_only=True):
    """What the application answered."""

    status: int
    body: Any
    """Decoded JSON; None for an empty body."""


def person_inside(scope: Any) -> TenantScope | None:
    """Return in whose name a call from inside is made; None for every request that came from outside."""
    found: TenantScope | None = scope.get(_KEY)
    return found


async def ask_inside(
    app: ASGIApp,
    method: str,
    path: str,
    body: Any,
    *,
    scope: TenantScope | None,
    operator_key: str,
    once: str | None,
) -> InsideAnswer:
    """
    Return what the application answers.

    Args:
        body: JSON's values, or bytes as they are; None for no body.
        scope: In whose name; None asks with the operator's key.
        once: The Idempotency-Key.
    """
    content = b"" if body is None else body if isinstance(body, bytes) else msgspec.json.encode(body)
    sent = False
    status = 0
    parts: list[bytes] = []

    async def receive() -> Any:
        nonlocal sent
        if sent:
            return {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))

    asked = _request(method, path, content, typed=not isinstance(body, bytes), once=once)
    if scope is None:
        asked["headers"].append((b"authorization", b"Bearer " + operator_key.encode()))
    else:
        asked[_KEY] = scope
    await app(asked, receive, send)  # type: ignore[arg-type] # an ASGI scope is a dict that may carry more keys
    answered = b"".join(parts)
    return InsideAnswer(status=status, body=msgspec.json.decode(answered) if answered else None)


def _request(method: str, path: str, content: bytes, *, typed: bool, once: str | None) -> dict[str, Any]:
    where, _, query = path.partition("?")
    kind = b"application/json" if typed else b"application/octet-stream"
    headers = [
        (b"host", b"inside"),
        (b"content-length", str(len(content)).encode()),
        *([(b"content-type", kind)] if content else []),
        *([(b"idempotency-key", once.encode("ascii", "ignore"))] if once else []),
    ]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": where,
        "raw_path": where.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": headers,
        "client": None,
        "server": None,
        "extensions": {},
    }
