"""`/v1/senders/advice` and `/v1/senders/plan-sheet`: which sender to ask for, and when it can begin."""

from collections.abc import Sequence
from typing import Final

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Struct

from gateway.advice import rank
from gateway.advice.costs import costs_by
from gateway.advice.facts import Kind, LeadTime
from gateway.advice.plan_sheet import PlanRow, as_csv, planned
from gateway.advice.rank import Option
from gateway.advice.wish import Wish
from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, WITH_BODY, refusals
from gateway.api.refusals import Refusal
from gateway.lanes.gates import identity_rate
from tenants.accounts import service as accounts
from tenants.countries.facts import UNREACHABLE, Country, by_iso
from tenants.credits import store as prices
from tenants.credits.money import format_amount
from tenants.credits.pricing import UNITS, Unit

_READ: Final = {NEEDS: "senders:read"}


class AdvisedCost(Struct, frozen=True, kw_only=True):
    """What the senders needed cost by the tenant's plan."""

    unit: str
    """`usd` or `credits`."""
    one_time: str
    """Registration."""
    monthly: str
    """Leases."""
    per_part: str | None
    """Null where there is no price yet."""
    first_year: str | None
    """All of it for twelve months of the volume asked for."""


class AdvisedSender(Struct, frozen=True, kw_only=True):
    """One kind of sender for one country."""

    type: Kind
    suitable: bool
    """Whether it can do all that was asked for."""
    blockers: list[str]
    """What stands against it."""
    reasons: list[str]
    parts_per_second: float
    """Of one new sender."""
    senders_needed: int
    two_way: bool
    registration: str
    """`required` or `none`."""
    lead_time: LeadTime
    cost: AdvisedCost


class AdvisedCountry(Struct, frozen=True, kw_only=True):
    """The kinds of sender for one country, the best first."""

    country: str
    name: str
    recommended: Kind | None
    """The first suitable one; null where none is."""
    live_from: str | None
    """The earliest day, if the applications are complete today."""
    live_by: str | None
    """The latest day that lead times name; null where they name none."""
    senders: list[AdvisedSender]
    not_available: dict[Kind, str]
    """Kinds that the country does not have, each with why."""


class Advice(Struct, frozen=True, kw_only=True):
    """Countries in the order in which they can go live."""

    data: list[AdvisedCountry]


@post(
    "/senders/advice",
    status_code=200,
    opt=_READ,
    responses=refusals(*TENANT, *WITH_BODY),
    summary="Ask which senders to get",
    description=(
        "Takes what is to be sent and names the kinds of sender per country, the best first, with what each "
        "costs by the tenant's plan, how long it takes to get, and what stands against it. Orders nothing."
    ),
)
async def advise_senders(request: ApiRequest, data: JSONBody[Wish], desk: NamedDependency[Desk]) -> Advice:
    """Rank the kinds of sender."""
    found, unit = await _ranked(request, data, desk)
    options = dict(found)
    rows = planned(found, desk.services.clock.now().date())
    return Advice(data=[_country(row, options[row.country], unit) for row in rows])


@post(
    "/senders/plan-sheet",
    status_code=200,
    opt=_READ,
    media_type="text/csv",
    responses=refusals(*TENANT, *WITH_BODY),
    summary="Get the plan of a roll-out as CSV",
    description="The same advice as a table, a row per country in the order in which they can go live.",
)
async def get_plan_sheet(
    request: ApiRequest, data: JSONBody[Wish], desk: NamedDependency[Desk]
) -> Response[str]:
    """Write the plan sheet."""
    found, _ = await _ranked(request, data, desk)
    saved = {"Content-Disposition": 'attachment; filename="plan.csv"'}
    sheet = as_csv(data, planned(found, desk.services.clock.now().date()))
    return Response(sheet, media_type="text/csv", headers=saved)


async def _ranked(
    request: ApiRequest, wish: Wish, desk: Desk
) -> tuple[list[tuple[Country, list[Option]]], Unit]:
    countries = [_known(iso, at) for at, iso in enumerate(dict.fromkeys(wish.countries))]
    async with desk.tenant(request.auth) as session:
        tenant = await accounts.get(request.auth, session)
        plan = accounts.plan_of(tenant)
        book = await prices.price_book(session, desk.services.clock.now(), plan.price_book)
    cost_of = costs_by(plan, book, model=tenant.model)
    found = [(each, rank.ranked(wish, each, rate_of=identity_rate, cost_of=cost_of)) for each in countries]
    return found, UNITS[plan.pricing]


def _known(iso: str, at: int) -> Country:
    found = by_iso().get(iso)
    if found is None:
        why = "AWS sends nothing to it" if iso in UNREACHABLE else "AWS's table of countries has no such code"
        raise Refusal.of_field(f"/countries/{at}", "unknown_country", f"{iso}: {why}.")
    return found


def _country(row: PlanRow, options: Sequence[Option], unit: Unit) -> AdvisedCountry:
    return AdvisedCountry(
        country=row.country.iso,
        name=row.country.name,
        recommended=None if row.option is None else row.option.kind,
        live_from=None if row.live_from is None else row.live_from.isoformat(),
        live_by=None if row.live_by is None else row.live_by.isoformat(),
        senders=[_sender(option, unit) for option in options],
        not_available=rank.absent(row.country),
    )


def _sender(option: Option, unit: Unit) -> AdvisedSender:
    cost = option.cost
    return AdvisedSender(
        type=option.kind,
        suitable=not option.blockers,
        blockers=option.blockers,
        reasons=option.reasons,
        parts_per_second=option.parts_per_second,
        senders_needed=option.senders_needed,
        two_way=option.two_way,
        registration="required" if option.registered else "none",
        lead_time=option.lead_time,
        cost=AdvisedCost(
            unit="usd" if unit == "micros" else "credits",
            one_time=format_amount(cost.one_time, unit),
            monthly=format_amount(cost.monthly, unit),
            per_part=None if cost.per_part is None else format_amount(cost.per_part, unit),
            first_year=None if option.first_year is None else format_amount(option.first_year, unit),
        ),
    )
