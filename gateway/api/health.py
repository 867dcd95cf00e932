"""`/healthz`, `/readyz` and `/metrics`: what the machinery around the process asks."""

from typing import Final

from litestar import MediaType, Response, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from msgspec import Struct
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from gateway.api.desk import Desk

_DONE_WITHOUT: Final = frozenset({"redis"})
"""What the process does its work without: balancers must not end what the fallback keeps open."""


class Alive(Struct, frozen=True, kw_only=True):
    """The process answers."""

    status: str = "ok"


class ReadyView(Struct, frozen=True, kw_only=True):
    """Whether the process can do its work."""

    status: str
    """`ready`, `degraded` (sends are accepted without what failed) or `not_ready`."""
    failures: dict[str, str]
    """What does not answer, and why."""


@get("/healthz", tags=["process"], summary="Is the process alive?", description="Touches no database.")
async def get_health() -> Alive:
    """Answer."""
    return Alive()


@get(
    "/readyz",
    tags=["process"],
    summary="Can the process do its work?",
    description=(
        "503 where it cannot. Without Redis it can: sends are accepted from Postgres, so a balancer that asks"
        " here must go on sending them. The status is `degraded` then, and `failures` says why."
    ),
    responses={
        503: ResponseSpec(ReadyView, description="Something does not answer.", generate_examples=False)
    },
)
async def get_readiness(desk: NamedDependency[Desk]) -> Response[ReadyView]:
    """Ask Postgres, Redis and the schema."""
    failures = await desk.services.readiness.failures()
    able = failures.keys() <= _DONE_WITHOUT
    status = "not_ready" if not able else "degraded" if failures else "ready"
    return Response(ReadyView(status=status, failures=failures), status_code=200 if able else 503)


@get(
    "/metrics",
    tags=["process"],
    summary="Prometheus metrics",
    media_type=MediaType.TEXT,
    sync_to_thread=False,
)
def get_metrics() -> Response[bytes]:
    """Return every metric of this process."""
    return Response(
        generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST}, media_type=MediaType.TEXT
    )
