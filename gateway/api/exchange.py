"""What is remembered of one request until its log line is written. Ids only."""

import re
import time
from collections.abc import Iterable, MutableMapping
from typing import Any, Final
from uuid import UUID

from tenants.ids import encode, new_uuid

REQUEST_ID_HEADER: Final = b"x-request-id"
_SCOPE_KEY: Final = "tollgate.exchange"
_SANE: Final = re.compile(rb"[A-Za-z0-9._-]{8,64}")


class Exchange:
    """One request and its answer; filled in as they are learnt."""

    __slots__ = ("code", "key_id", "live", "message_id", "request_id", "started", "status", "tenant_id")

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.started = time.perf_counter()
        self.status = 0
        self.code: str | None = None
        """The problem's code, where the request was refused."""
        self.tenant_id: UUID | None = None
        self.live = True
        """False where a test key, or a person who looks at test messages, asks."""
        self.key_id: UUID | None = None
        self.message_id: str | None = None


def begin(scope: MutableMapping[str, Any]) -> Exchange:
    """Return the exchange of a fresh request, under the client's request id if that is a sane one."""
    exchange = scope[_SCOPE_KEY] = Exchange(_given_id(scope["headers"]) or encode("req", new_uuid()))
    return exchange


def _given_id(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    for name, value in headers:
        if name == REQUEST_ID_HEADER:
            return value.decode("ascii") if _SANE.fullmatch(value) else None
    return None


def exchange_of(scope: Any) -> Exchange:
    """Return the exchange that `begin` put into the ASGI scope."""
    exchange: Exchange = scope[_SCOPE_KEY]
    return exchange
