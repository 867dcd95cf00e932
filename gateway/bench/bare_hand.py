"""
The bare component of the lean way: a loop that signs by hand, posts through aiohttp, and does nothing else.

It is written apart from the gateway's signer on purpose: it has no session tokens, no refresh, no look at
what went wrong, and the fewest headers that AWS would take.
"""

import hmac
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import msgspec

_KEY, _SECRET = "AKIABENCHMARK", "benchmark"
_TARGET: Final = "PinpointSMSVoiceV2.SendTextMessage"
_TYPE: Final = "application/x-amz-json-1.0"
_SIGNED: Final = "content-type;host;x-amz-date;x-amz-target"


@asynccontextmanager
async def open_by_hand(
    endpoint: str, region: str, concurrency: int
) -> AsyncGenerator[Callable[[Mapping[str, Any]], Awaitable[str]]]:
    """Return a function that sends one request and returns its MessageId."""
    host, keys = urlsplit(endpoint).netloc, _Keys(region)
    connector = aiohttp.TCPConnector(limit=concurrency)
    async with aiohttp.ClientSession(connector=connector) as http:

        async def send(members: Mapping[str, Any]) -> str:
            body = msgspec.json.encode(members)
            headers = keys.signed(host, body)
            async with http.post(endpoint, data=body, headers=headers) as response:
                return str(msgspec.json.decode(await response.read())["MessageId"])

        yield send


class _Keys:
    def __init__(self, region: str) -> None:
        self._region = region
        self._key: tuple[str, bytes] = ("", b"")

    def signed(self, host: str, body: bytes) -> dict[str, str]:
        at = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        scope = f"{at[:8]}/{self._region}/sms-voice/aws4_request"
        if self._key[0] != scope:
            self._key = scope, _derived(scope)
        lines = f"content-type:{_TYPE}\nhost:{host}\nx-amz-date:{at}\nx-amz-target:{_TARGET}\n"
        canonical = f"POST\n/\n\n{lines}\n{_SIGNED}\n{sha256(body).hexdigest()}"
        to_sign = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        signature = hmac.digest(self._key[1], to_sign.encode(), "sha256").hex()
        return {
            "content-type": _TYPE,
            "x-amz-date": at,
            "x-amz-target": _TARGET,
            "authorization": (
                f"AWS4-HMAC-SHA256 Credential={_KEY}/{scope}, SignedHeaders={_SIGNED}, Signature={signature}"
            ),
        }


def _derived(scope: str) -> bytes:
    key = f"AWS4{_SECRET}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
