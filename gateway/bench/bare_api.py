"""
``python -m gateway.bench.bare_api PORT REDIS-URL``: the bare component of `accept`.

Litestar with a Struct in and a Struct out, and one EVALSHA per request through the same coalescing client:
the gateway's own admission script with the arguments of one message. No authentication, no number parsing,
no pricing, no Postgres.
"""

import asyncio
import sys
import uuid
from typing import Annotated, Any
from uuid import UUID

import uvloop
from litestar import Litestar, post
from litestar.params import JSONBody
from msgspec import Meta, Struct

from gateway.admission.gate import AdmissionGate
from gateway.admission.policy import TenantPolicy
from gateway.admission.verdict import Admission
from gateway.bench.bare_server import serve
from gateway.lanes.scripts import RedisScripts, connect

_TENANT = UUID(int=1)
POLICY = TenantPolicy(
    tenant_id=_TENANT, version=1, state="active", live=True, free_text=True, countries=frozenset({"US"})
)
ADMISSION = Admission(
    tenant_id=_TENANT,
    policy_version=1,
    live=True,
    country="US",
    template=None,
    recipient_hash=b"0123456789abcdef",
    use_cases=("all", "transactional"),
    parts=1,
    estimated_wait_ms=0,
    ttl_ms=60_000,
)
"""One message that every gate lets through."""


class Send(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The members of the request that the benchmark sends."""

    to: str
    body: Annotated[str, Meta(max_length=1600)]
    type: str
    client_reference: str


class Taken(Struct, frozen=True, kw_only=True):
    """A small message."""

    id: str
    status: str
    to: str
    body: str


def create(gate: AdmissionGate) -> Litestar:
    """Return the application."""

    @post("/v1/messages", status_code=202)
    async def send(data: JSONBody[Send]) -> Taken:
        await gate.decide(ADMISSION)
        return Taken(id=uuid.uuid4().hex, status="queued", to=data.to, body=data.body)

    return Litestar([send], logging_config=None, openapi_config=None)


async def _main(port: int, redis_url: str) -> None:
    client: Any = connect(redis_url)
    gate = AdmissionGate(RedisScripts(client))
    await gate.project(POLICY, nobody)
    await serve(create(gate), port)


async def nobody() -> dict[str, list[bytes]]:
    """Return the opt-outs: there are none."""
    return {}


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main(int(sys.argv[1]), sys.argv[2]))
