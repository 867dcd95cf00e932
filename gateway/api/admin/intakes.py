"""`/v1/admin/intakes`: the platforms that may hand customers in."""

from datetime import timedelta
from typing import Annotated, Final

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct, structs
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.admin.own_trail import note
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.ingest.intake import secret_context
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, page_of
from gateway.api.path_ids import path_id
from gateway.messages.view import timestamp
from gateway.webhooks.signing import new_secret
from tenants.errors import NotFound
from tenants.ids import encode, new_uuid
from tenants.inbox.service import PLATFORM
from tenants.intakes import store
from tenants.intakes.models import Intake

_KIND: Final = "intake"
_OVERLAP: Final = timedelta(hours=24)
_ONE: Final = "/intakes/{intake_id:str}"


class NewIntake(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A platform to be."""

    name: Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+\Z")]
    model: Annotated[int, Meta(ge=1, le=6)] = 3
    """Of the tenants that it brings; 3 where customers hand in and the operator registers."""


class IntakeSourceView(Struct, frozen=True, kw_only=True):
    """A platform without its secret."""

    id: str
    name: str
    model: int
    url: str
    """Where it posts."""
    disabled_at: str | None
    created_at: str | None


class IntakeWithSecret(IntakeSourceView, frozen=True, kw_only=True):
    """A platform whose secret is new."""

    secret: str
    """`whsec_…`, shown this once; the one before stays good for 24 hours."""


@get("/intakes", responses=refusals(*OPERATOR), summary="List intakes")
async def list_intakes(
    request: ApiRequest, desk: NamedDependency[Desk], limit: Limit = DEFAULT_LIMIT, after: After = None
) -> Page[IntakeSourceView]:
    """Return a page of platforms, the newest first."""
    async with desk.operator() as session:
        rows = await store.page(session, limit=limit + 1, after=id_after(request, after))
    return page_of(request, rows, limit, view=lambda row: _view(desk, row), place=lambda row: row.id)


@post(
    "/intakes",
    status_code=201,
    responses=refusals(*OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "name_taken"),
    summary="Let a platform hand customers in",
    description="It signs its posts by Standard Webhooks 1.0 with the secret, which is shown this once.",
)
async def create_intake(
    request: ApiRequest, data: JSONBody[NewIntake], desk: NamedDependency[Desk]
) -> Response[IntakeWithSecret]:
    """Add a platform."""
    key = await desk.services.data_keys.of(PLATFORM)

    async def work(session: AsyncSession) -> IntakeWithSecret:
        intake_id, secret = new_uuid(), new_secret()
        sealed = key.seal(secret.encode(), context=secret_context(intake_id))
        intake = Intake(id=intake_id, name=data.name, model=data.model, secret_sealed=sealed)
        row = await store.add(session, intake)
        await note(session, "intake.created", encode("itk", row.id), name=row.name, model=row.model)
        return _with_secret(desk, row, secret)

    return await desk.operator_once(request, work, status=201)


@post(
    _ONE + "/rotate-secret",
    status_code=200,
    responses=refusals(*OPERATOR, *WITH_IDEMPOTENCY, "not_found"),
    summary="Give an intake a new secret",
    description="The one before is good for another 24 hours.",
)
async def rotate_intake_secret(
    request: ApiRequest, intake_id: FromPath[str], desk: NamedDependency[Desk]
) -> Response[IntakeWithSecret]:
    """Change the secret and show it this once."""
    wanted, now = path_id("itk", intake_id, _KIND), desk.services.clock.now()
    key = await desk.services.data_keys.of(PLATFORM)

    async def work(session: AsyncSession) -> IntakeWithSecret:
        row = _found(await store.get(session, wanted, lock=True))
        secret = new_secret()
        row.previous_sealed, row.previous_until = row.secret_sealed, now + _OVERLAP
        row.secret_sealed = key.seal(secret.encode(), context=secret_context(wanted))
        await session.flush()
        await note(session, "intake.secret_rotated", encode("itk", wanted))
        return _with_secret(desk, row, secret)

    return await desk.operator_once(request, work, status=200)


@delete(
    _ONE,
    status_code=200,
    responses=refusals(*OPERATOR, "not_found"),
    summary="Take no more from an intake",
    description="At once; whom it brought stays. Disabling it again changes nothing.",
)
async def disable_intake(intake_id: FromPath[str], desk: NamedDependency[Desk]) -> IntakeSourceView:
    """Refuse every later post."""
    wanted, now = path_id("itk", intake_id, _KIND), desk.services.clock.now()
    async with desk.operator() as session:
        row = _found(await store.get(session, wanted, lock=True))
        if row.disabled_at is None:
            row.disabled_at = now
            await session.flush()
            await note(session, "intake.disabled", encode("itk", wanted))
        return _view(desk, row)


def _found(row: Intake | None) -> Intake:
    if row is None:
        raise NotFound(_KIND)
    return row


def _view(desk: Desk, row: Intake) -> IntakeSourceView:
    shown = encode("itk", row.id)
    return IntakeSourceView(
        id=shown,
        name=row.name,
        model=row.model,
        url=f"{desk.public_url}/v1/ingest/intakes/{shown}",
        disabled_at=timestamp(row.disabled_at),
        created_at=timestamp(row.created_at),
    )


def _with_secret(desk: Desk, row: Intake, secret: str) -> IntakeWithSecret:
    return IntakeWithSecret(**structs.asdict(_view(desk, row)), secret=secret)
