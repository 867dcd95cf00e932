"""`/v1/migration`: a tenant's way over from another provider, and which of the two texts a recipient."""

from typing import Final, Literal

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, refusals
from gateway.api.moving.views import MigrationView, migration_view
from gateway.api.refusals import Refusal
from tenants.countries.numbers import Number, parse_number
from tenants.moves import store
from tenants.moves.plan import comes_from_here

_READ: Final = {NEEDS: "senders:read"}


class RecipientSide(Struct, frozen=True, kw_only=True):
    """Who texts a recipient while two providers do."""

    number: str
    country: str
    percent: int
    """How many of a hundred recipients of the country are texted from here."""
    side: Literal["here", "provider"]
    """The same for a recipient as long as the share stands; `here` stays `here` when it grows."""


@get(
    "/migration",
    opt=_READ,
    responses=refusals(*TENANT),
    summary="Read the migration from another provider",
    description="Country by country and sender by sender; empty where nothing was planned.",
)
async def get_migration(request: ApiRequest, desk: NamedDependency[Desk]) -> MigrationView:
    """Return the migration."""
    async with desk.tenant(request.auth) as session:
        return await migration_view(request.auth, session, now=desk.services.clock.now())


@get(
    "/migration/recipients/{number:str}",
    opt=_READ,
    responses=refusals(*TENANT, "invalid_number"),
    summary="Ask who texts a recipient",
    description=(
        "While two providers send, by the operator's cut-over share of the country. Opt-outs count on both "
        "sides whatever the answer: `/v1/opt-outs/changes` tells those of here, `/v1/opt-outs/import` takes "
        "the provider's."
    ),
)
async def get_recipient_side(
    request: ApiRequest, number: FromPath[str], desk: NamedDependency[Desk]
) -> RecipientSide:
    """Return the side of one number."""
    found = parse_number(number)
    if not isinstance(found, Number):
        raise Refusal.of_field("/number", "invalid_number", found.detail)
    key = await desk.services.data_keys.of(request.auth.tenant_id)
    async with desk.tenant(request.auth) as session:
        move = await store.get(request.auth, session)
    percent = 0 if move is None else int(move.shares.get(found.country, 0))
    here = comes_from_here(key.recipient_hash(found.e164), percent)
    return RecipientSide(
        number=found.e164, country=found.country, percent=percent, side="here" if here else "provider"
    )
