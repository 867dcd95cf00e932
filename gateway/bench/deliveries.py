"""Firehose deliveries made before a run, and the key that they present."""

import base64
from collections.abc import Sequence
from itertools import islice
from uuid import uuid4

import aiohttp
import msgspec

from gateway.bench.http_wire import request_bytes
from gateway.settings import Settings

PER_DELIVERY = 500
"""Events that Firehose brings at once."""


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


def _request(events: Sequence[bytes], key: str) -> bytes:
    request_id = str(uuid4())
    body = {
        "requestId": request_id,
        "timestamp": 0,
        "records": [{"data": base64.b64encode(each).decode()} for each in events],
    }
    headers = {
        "content-type": "application/json",
        "x-amz-firehose-request-id": request_id,
        "x-amz-firehose-access-key": key,
    }
    return request_bytes("POST", "/v1/ingest/firehose", headers, msgspec.json.encode(body))
