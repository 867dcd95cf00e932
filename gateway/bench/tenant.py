"""A tenant made over the operator API, as an operator makes one, and the requests it sends."""

import secrets
from collections.abc import Iterator, Sequence
from typing import Any, Final

import aiohttp
import msgspec
from msgspec import Struct

from gateway.bench.http_wire import request_bytes
from gateway.errors import GatewayError
from gateway.settings import Settings

COUNTRY = "GB"
"""A sender id needs no registration there."""
PARTS_PER_SECOND = 9_000
"""Of its one sender: the lanes must not be what slows a benchmark down."""
BODY = "Your order 4711 has left our warehouse and will be with you tomorrow between 9 and 12. Acme"
COUNTRY_CODE = "+44"
FIRST_NUMBER = 7_400_000_000
"""+44 7400 000000 and up: valid mobile numbers, one per message, for a recipient gets one text a second."""


class SetUpFailed(GatewayError):
    """The API refused what an operator does first."""


class Sender(Struct, frozen=True, kw_only=True):
    """A sender id of the tenant's."""

    value: str
    """3 to 11 letters and digits."""
    parts_per_second: float


FAST: Final = Sender(value="BENCH", parts_per_second=PARTS_PER_SECOND)


class Customer(Struct, frozen=True, kw_only=True):
    """A tenant that may send."""

    id: str
    token: str


async def create_customer(settings: Settings, senders: Sequence[Sender] = (FAST,)) -> Customer:
    """Create, provision and fund a tenant through a running API; `from` may name a sender."""
    operator = {"Authorization": f"Bearer {settings.operator_key}"}
    async with aiohttp.ClientSession(settings.public_url, headers=operator) as http:
        new = {
            "name": "Benchmark",
            "slug": f"bench-{secrets.token_hex(4)}",
            "model": 3,
            "countries": [COUNTRY],
            "plan": {"pricing": "dollars"},
        }
        tenant_id = (await _post(http, "/v1/admin/tenants", new))["id"]
        wishes = [
            {
                "country": COUNTRY,
                "type": "SENDER_ID",
                "value": each.value,
                "parts_per_second": each.parts_per_second,
            }
            for each in senders
        ]
        tenant = f"/v1/admin/tenants/{tenant_id}"
        await _post(http, f"{tenant}/provision", {"senders": wishes})
        await _post(http, f"{tenant}/credits", {"amount": "1000000.00"})
        token = (await _post(http, f"{tenant}/api-keys", {"mode": "live"}))["secret"]
    return Customer(id=tenant_id, token=token)


async def add_webhook(settings: Settings, customer: Customer, url: str, events: tuple[str, ...]) -> None:
    """Have the tenant told of some types of events."""
    own = {"Authorization": f"Bearer {customer.token}"}
    async with aiohttp.ClientSession(settings.public_url, headers=own) as http:
        await _post(http, "/v1/webhook-endpoints", {"url": url, "events": list(events)})


async def _post(http: aiohttp.ClientSession, path: str, body: Any) -> Any:
    async with http.post(path, json=body) as response:
        text = await response.text()
        if not response.ok:
            raise SetUpFailed(f"{path}: {response.status} {text}")
        return msgspec.json.decode(text)


class Sends:
    """Prepared sends; each has a number and an Idempotency-Key of its own."""

    def __init__(self, token: str, numbers: Iterator[str] | None = None) -> None:
        self._headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        self._numbers = numbers or recipients()

    def next(self, count: int) -> list[bytes]:
        """Return the next `count` requests; bodies of about 180 bytes."""
        return [self.one() for _ in range(count)]

    def one(self, *, body: str = BODY, kind: str = "transactional", sender: str | None = None) -> bytes:
        """Return the next request; without a sender, the gateway picks one."""
        number = next(self._numbers)
        members = {"to": number, "body": body, "type": kind, "client_reference": f"order-{number}"}
        if sender is not None:
            members["from"] = sender
        headers = self._headers | {"idempotency-key": secrets.token_hex(16)}
        return request_bytes("POST", "/v1/messages", headers, msgspec.json.encode(members))


def recipients() -> Iterator[str]:
    """Return numbers without end; tenants whose messages meet must share them."""
    at = FIRST_NUMBER
    while True:
        yield f"{COUNTRY_CODE}{at}"
        at += 1
