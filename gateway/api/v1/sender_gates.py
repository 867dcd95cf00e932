"""`/v1/senders/{id}/gates`: what limits a sender now."""

from typing import Final
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, refusals
from gateway.api.path_ids import path_id
from gateway.lanes.quotas import SenderGates, sender_gates
from tenants.accounts import service as accounts
from tenants.errors import NotFound
from tenants.ids import encode
from tenants.scope import TenantScope
from tenants.senders import store
from tenants.senders.quotas import CampaignFacts, QuotaOf, quotas_of

_READ: Final = {NEEDS: "senders:read"}


class SharedGateView(Struct, frozen=True, kw_only=True):
    """A ceiling that all numbers of a 10DLC campaign share."""

    parts_per_second: float


class DailyGateView(Struct, frozen=True, kw_only=True):
    """A ceiling per day: the sender's own, by UTC, or that of its campaign or brand, by Pacific time."""

    parts_per_day: int


class SenderGatesView(Struct, frozen=True, kw_only=True):
    """Every gate that a message of the sender passes, in message parts."""

    id: str
    country: str
    parts_per_second: float
    """The sender's own rate to its country."""
    countries: dict[str, float]
    """Other rates, by destination country."""
    shared: list[SharedGateView]
    daily: list[DailyGateView]
    plan_parts_per_second: float | None
    """What the tenant's plan allows to the country over all senders; null for no such limit."""
    ceiling_parts_per_second: float
    """The least of these rates: what the sender can reach."""
    campaign: CampaignFacts | None
    """Its 10DLC campaign; null where none is known, and then only the number's own rate holds."""


async def read_gates(scope: TenantScope, session: AsyncSession, sender_id: UUID) -> SenderGatesView:
    """
    Return what limits a tenant's sender.

    Raises:
        NotFound: The tenant has no such sender.
    """
    row = await store.sender(scope, session, sender_id)
    if row is None:
        raise NotFound("sender")
    quota = (await quotas_of(scope, session)).get(sender_id, QuotaOf())
    gates = sender_gates(
        identity=row.identity,
        sender_type=row.type,
        usual_rate=row.parts_per_second,
        quota=quota,
    )
    plan_rate = accounts.plan_of(await accounts.get(scope, session)).mps(row.country)
    return _view(row.id, row.country, gates, plan_rate, quota.campaign)


def _view(
    sender_id: UUID,
    country: str,
    gates: SenderGates,
    plan_rate: float | None,
    campaign: CampaignFacts | None,
) -> SenderGatesView:
    return SenderGatesView(
        id=encode("idn", sender_id),
        country=country,
        parts_per_second=gates.rate(country),
        countries=dict(gates.countries),
        shared=[SharedGateView(parts_per_second=gate.parts_per_second) for gate in gates.shared],
        daily=[DailyGateView(parts_per_day=cap.parts_per_day) for cap in gates.daily],
        plan_parts_per_second=plan_rate,
        ceiling_parts_per_second=min(gates.ceiling(country), plan_rate or float("inf")),
        campaign=campaign,
    )


@get(
    "/senders/{sender_id:str}/gates",
    opt=_READ,
    responses=refusals(*TENANT, "not_found"),
    summary="Read what limits a sender",
)
async def get_sender_gates(
    request: ApiRequest, sender_id: FromPath[str], desk: NamedDependency[Desk]
) -> SenderGatesView:
    """Return every gate that a message of the sender passes."""
    async with desk.tenant(request.auth) as session:
        return await read_gates(request.auth, session, path_id("idn", sender_id, "sender"))
