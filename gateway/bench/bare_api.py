"""
``python -m gateway.bench.bare_api PORT REDIS-URL CLIENT``: the bare component of `accept`.

Litestar with a Struct in and a Struct out, and one EVALSHA per request: the gateway's own admission script
with the arguments of one message. CLIENT is `redis-py`, as its makers ship it, or `own` for the gateway's
(docs/adr/0016). No authentication, no number parsing, no pricing, no Postgres.
"""

import asyncio
import sys
import uuid
from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

import uvloop
from litestar import Litestar, post
from litestar.params import JSONBody
from msgspec import Meta, Struct
from redis.asyncio import Redis

from gateway.admission.gate import ADMIT, AdmissionGate, script_arguments
from gateway.admission.policy import TenantPolicy
from gateway.admission.projection import tenant_prefix
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


def create(ask: Callable[[], Awaitable[object]]) -> Litestar:
    """Return the application; `ask` runs the script."""

    @post("/v1/messages", status_code=202)
    async def send(data: JSONBody[Send]) -> Taken:
        await ask()
        return Taken(id=uuid.uuid4().hex, status="queued", to=data.to, body=data.body)

    return Litestar([send], logging_config=None, openapi_config=None)


async def _main(port: int, redis_url: str, kind: str) -> None:
    gate = AdmissionGate(RedisScripts(connect(redis_url)))
    await gate.project(POLICY, nobody)
    if kind == "own":
        await serve(create(lambda: gate.decide(ADMISSION)), port)
        return
    library: Any = Redis  # its keywords are not annotated
    client = library.from_url(redis_url)
    digest = await client.script_load(ADMIT.text)
    key, arguments = tenant_prefix(_TENANT), script_arguments(ADMISSION)
    await serve(create(lambda: client.evalsha(digest, 1, key, *arguments)), port)


async def nobody() -> dict[str, list[bytes]]:
    """Return the opt-outs: there are none."""
    return {}


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
