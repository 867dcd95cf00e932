"""Firehose deliveries as the service posts them, and the key that they present."""

import base64
import gzip
from collections.abc import Sequence
from itertools import islice
from uuid import uuid4

import aiohttp
import msgspec
from msgspec import Struct

from gateway.bench.http_wire import request_bytes
from gateway.settings import Settings

PATH = "/v1/ingest/firehose"
PER_DELIVERY = 500
"""Events that Firehose brings at once."""
_QUICKLY = 1
"""Of gzip's levels: what packs is not what is measured."""


class Delivery(Struct, frozen=True):
    """One POST of Firehose's; a retry repeats it."""

    headers: dict[str, str]
    body: bytes


async def firehose_key(settings: Settings) -> str:
    """Return a new access key of the first account."""
    headers = {"Authorization": f"Bearer {settings.operator_key}"}
    async with aiohttp.ClientSession(settings.public_url, headers=headers, raise_for_status=True) as http:
        async with http.get("/v1/admin/aws-accounts") as answer:
            account: str = (await answer.json())["data"][0]["id"]
        async with http.post("/v1/admin/firehose-keys", json={"account": account}) as answer:
            return str((await answer.json())["access_key"])


def deliveries(events: Sequence[bytes], key: str) -> list[bytes]:
    """Return the events as whole requests to the ingest road, so many in each."""
    left = iter(events)
    return [_request(batch, key) for batch in iter(lambda: list(islice(left, PER_DELIVERY)), [])]


def delivery(records: Sequence[str], key: str, *, packed: bool = False) -> Delivery:
    """
    Return the delivery of some records.

    Args:
        records: Each in base64.
        packed: With the content encoding GZIP of a stream's destination.
    """
    request_id = str(uuid4())
    posted = {"requestId": request_id, "timestamp": 0, "records": [{"data": each} for each in records]}
    headers = {
        "content-type": "application/json",
        "x-amz-firehose-request-id": request_id,
        "x-amz-firehose-access-key": key,
    }
    body = msgspec.json.encode(posted)
    if packed:
        return Delivery(headers | {"content-encoding": "gzip"}, gzip.compress(body, _QUICKLY))
    return Delivery(headers, body)


def _request(events: Sequence[bytes], key: str) -> bytes:
    made = delivery([base64.b64encode(each).decode() for each in events], key)
    return request_bytes("POST", PATH, made.headers, made.body)
