"""`POST /v1/ingest/sns`: what Amazon SNS posts. 200 is given only for what is committed."""

from typing import Final

import msgspec
from litestar import post
from litestar.di import NamedDependency
from litestar.params import RawBody
from msgspec import Struct

from gateway.api.desk import Desk
from gateway.api.documented import refusals
from gateway.api.ports import IngestAnswer
from gateway.api.refusals import Refusal
from gateway.receipts.envelope import MAX_BODY_BYTES


class IngestView(Struct, frozen=True, kw_only=True):
    """What became of the post."""

    outcome: str
    """`stored` or `confirmed`."""


@post(
    "/sns",
    status_code=200,
    request_max_body_size=MAX_BODY_BYTES,
    responses=refusals("envelope_rejected", "body_too_large"),
    summary="Take an SNS post",
    description=(
        "Any content type: SNS posts JSON as text/plain. The signature is the credential; a post that is not "
        "believed leaves nothing but a count."
    ),
)
async def receive_sns(body: RawBody, desk: NamedDependency[Desk]) -> IngestView:
    """Verify and store one envelope."""
    answer = await desk.services.ingest.receive(body)
    if (refusal := refusal_of_post(answer)) is not None:
        raise refusal
    return IngestView(outcome=answer.outcome)


def refusal_of_post(answer: IngestAnswer) -> Refusal | None:
    """Return the refusal of a post that is not believed."""
    if answer.outcome != "rejected":
        return None
    return Refusal("envelope_rejected", f"The envelope is not believed: {answer.reason}.")


def encode_ingest(answer: IngestAnswer) -> bytes:
    """Return the body of an acknowledged post."""
    return _encoder.encode(IngestView(outcome=answer.outcome))


_encoder: Final = msgspec.json.Encoder()
