"""`POST /v1/ingest/intakes/{id}`: a platform hands in a customer, signed as Standard Webhooks says."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.openapi.spec import (
    OpenAPIType,
    Operation,
    Schema,
)
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.bodies import ApiRequest, decoded
from gateway.api.desk import Desk
from gateway.api.documented import WITH_BODY, refusals
from gateway.api.ingest.described import describe
from gateway.api.intakes.bodies import IntakeBody, IntakeView
from gateway.api.intakes.signature import proven_id
from gateway.api.intakes.work import forms_of, take_in
from tenants.errors import InvalidId
from tenants.ids import decode
from tenants.inbox.service import PLATFORM
from tenants.intakes import store
from tenants.intakes.models import Intake

MAX_BODY_BYTES: Final = 1024 * 1024
_HEADERS: Final = {
    "webhook-id": "The same over every retry of one post.",
    "webhook-timestamp": "Seconds since 1970, at most five minutes off.",
    "webhook-signature": "`v1,` and the HMAC-SHA256 of id, timestamp and body, in base64.",
}


@dataclass
class IntakeOperation(Operation):
    """A POST whose body is read after its signature."""

    def __post_init__(self) -> None:
        """Describe the body and the headers."""
        text = Schema(type=OpenAPIType.STRING)
        customer = Schema(
            type=OpenAPIType.OBJECT,
            properties={
                "reference": text,
                "name": text,
                "onboarding": Schema(type=OpenAPIType.OBJECT, description="As in `PATCH /v1/onboarding`."),
                "registrations": Schema(
                    type=OpenAPIType.ARRAY,
                    description="Each `{reference, type, name, values}`, values by field path.",
                    items=Schema(type=OpenAPIType.OBJECT),
                ),
            },
            required=["reference", "name"],
        )
        posted = Schema(
            type=OpenAPIType.OBJECT,
            properties={
                "type": Schema(type=OpenAPIType.STRING, enum=["customer.submitted"]),
                "timestamp": text,
                "data": customer,
            },
            required=["type", "data"],
        )
        describe(self, posted, _HEADERS)


@post(
    "/intakes/{intake_id:str}",
    status_code=200,
    request_max_body_size=MAX_BODY_BYTES,
    operation_class=IntakeOperation,
    responses=refusals(
        *WITH_BODY, "signature_rejected", "idempotency_mismatch", "idempotency_in_flight",
        "onboarding_not_ready", "tenant_closed",
    ),
    summary="Hand a platform's customer in",
    description=(
        "Signed by Standard Webhooks 1.0 with the intake's secret. The customer becomes a tenant whose "
        "answers and registrations wait as drafts for the operator; posted again by its `reference`, they "
        "are filled further. A retry with the same `webhook-id` gets the first answer."
    ),
)  # fmt: skip
async def receive_intake(
    request: ApiRequest, intake_id: FromPath[str], desk: NamedDependency[Desk]
) -> Response[IntakeView]:
    """Verify, then take in what it says, once."""
    body = await request.body()
    intake, secrets = await _believed(desk, intake_id)
    webhook_id = proven_id(request.headers, body, secrets)
    posted = decoded(body, _DECODER)
    forms = await forms_of(desk, posted.data.registrations)

    async def work(session: AsyncSession) -> IntakeView:
        return await take_in(desk, session, intake, posted.data, forms)

    return await desk.posted_once(request, work, owner=intake.id, key=webhook_id)


async def _believed(desk: Desk, text: str) -> tuple[Intake, list[str]]:
    """Return the intake and the secrets that are good now; none where there is no such intake."""
    try:
        wanted = decode("itk", text)
    except InvalidId:
        wanted = UUID(int=0)
    now, key = desk.services.clock.now(), await desk.services.data_keys.of(PLATFORM)
    async with desk.operator() as session:
        intake = await store.get(session, wanted)
    if intake is None or intake.disabled_at is not None:
        return Intake(id=wanted, name="", model=1), []
    sealed = [intake.secret_sealed]
    if intake.previous_sealed is not None and intake.previous_until is not None:
        sealed += [intake.previous_sealed] if now < intake.previous_until else []
    return intake, [key.open(each, context=secret_context(wanted)).decode() for each in sealed]


def secret_context(intake_id: UUID) -> bytes:
    """Return what binds a sealed secret to its intake."""
    return b"intake:" + intake_id.bytes


_DECODER: Final = msgspec.json.Decoder(IntakeBody)
