"""
``python -m gateway.bench.bare_ingest PORT ORIGIN TOPIC-ARN``: the bare component of `receipts` over SNS.

Litestar that parses and verifies an envelope with the gateway's own verifier, and forgets it.
"""

import asyncio
import sys

import uvloop
from litestar import Litestar, Response, post
from litestar.params import RawBody

from gateway.bench.bare_server import serve
from gateway.clock import SystemClock
from gateway.receipts.certificates import open_certificates
from gateway.receipts.envelope import Malformed, parse
from gateway.receipts.signature import Verified, Verifier


async def _main(port: int, origin: str, topic_arn: str) -> None:
    clock = SystemClock()
    async with open_certificates(regions=["us-east-1"], origins=[origin], clock=clock) as certificates:
        verifier = Verifier(certificates, clock, topics={topic_arn})

        @post("/v1/ingest/sns", status_code=200)
        async def take(body: RawBody) -> Response[dict[str, bool]]:
            envelope = parse(body)
            believed = not isinstance(envelope, Malformed) and isinstance(
                await verifier.verify(envelope), Verified
            )
            return Response({"believed": believed}, status_code=200 if believed else 403)

        await serve(Litestar([take], logging_config=None, openapi_config=None), port)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
