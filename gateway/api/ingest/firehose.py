"""`POST /v1/ingest/firehose`: what Amazon Data Firehose delivers, answered in Firehose's own form."""

from dataclasses import dataclass
from typing import Final

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import (
    OpenAPIType,
    Operation,
    Schema,
)

from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.ingest.described import describe
from gateway.receipts.firehose import MAX_BODY_BYTES, FirehoseAnswer, Posted

_HEADERS: Final = {
    "X-Amz-Firehose-Request-Id": "The same over every retry of one delivery.",
    "X-Amz-Firehose-Access-Key": "As set in the stream's destination.",
}
_REFUSED: Final = {
    400: "The body is not a delivery, or its `requestId` is another than the header's.",
    401: "The access key is not one of this gateway's, or was revoked.",
    413: "The body, what it unpacks to, or the number of records is too large.",
    500: "The gateway failed; nothing counts as delivered.",
    503: "The gateway cannot write; Firehose delivers the same again.",
}


@dataclass
class DeliveryOperation(Operation):
    """A POST whose body the receiver reads by itself, after the access key."""

    def __post_init__(self) -> None:
        """Describe the body and the headers of Firehose's protocol."""
        text = Schema(type=OpenAPIType.STRING)
        record = Schema(
            type=OpenAPIType.OBJECT,
            properties={"data": Schema(type=OpenAPIType.STRING, content_encoding="base64")},
            required=["data"],
        )
        delivery = Schema(
            type=OpenAPIType.OBJECT,
            properties={
                "requestId": text,
                "timestamp": Schema(type=OpenAPIType.INTEGER),
                "records": Schema(type=OpenAPIType.ARRAY, items=record),
            },
            required=["requestId", "timestamp", "records"],
        )
        describe(self, delivery, _HEADERS)


@post(
    "/firehose",
    status_code=200,
    request_max_body_size=MAX_BODY_BYTES,
    operation_class=DeliveryOperation,
    responses={
        status: ResponseSpec(FirehoseAnswer, description=said, generate_examples=False)
        for status, said in _REFUSED.items()
    },
    summary="Take a Firehose delivery",
    description=(
        "The HTTP endpoint protocol of Amazon Data Firehose, gzip or plain. The access key of "
        "`POST /v1/admin/firehose-keys` is the credential. 200 only when every record is committed; records "
        "that cannot be read are kept for the operator and do not hold the others up."
    ),
)
async def receive_firehose(request: ApiRequest, desk: NamedDependency[Desk]) -> Response[FirehoseAnswer]:
    """Verify and store one delivery."""

    async def read() -> bytes | None:
        try:
            return await request.body()
        except RequestEntityTooLarge:
            return None

    posted = Posted(
        read=read,
        request_id=_header(request, "x-amz-firehose-request-id"),
        access_key=_header(request, "x-amz-firehose-access-key"),
        encoding=_header(request, "content-encoding").strip().lower(),
    )
    taken = await desk.services.firehose.receive(posted)
    return Response(taken.answer, status_code=taken.status)


def _header(request: ApiRequest, name: str) -> str:
    return request.headers.get(name, "")
