"""A migration as the operator and the tenant see it: country by country, and sender by sender."""

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.advice import rank
from gateway.advice.costs import costs_by
from gateway.advice.facts import Kind
from gateway.advice.rank import Option
from gateway.advice.wish import Wish
from gateway.lanes.gates import identity_rate
from tenants.accounts import service as accounts
from tenants.accounts.models import Tenant
from tenants.countries.facts import by_iso
from tenants.credits import store as prices
from tenants.moves import service
from tenants.moves.plan import MovedNumber, Volume
from tenants.moves.service import MoveState
from tenants.scope import TenantScope

_Best = Callable[[str, Volume | None], Option | None]


class MigrationCountry(Struct, frozen=True, kw_only=True):
    """One country on its way over."""

    country: str
    volume: Volume | None
    """What went there by the provider's reports; null where none says."""
    allowed: bool
    """Whether it is among the tenant's countries."""
    ready: bool
    """Whether the tenant has an active sender for it here."""
    recommended: Kind | None
    """The sender to get for this volume; null where none can do it."""
    registration: str | None
    """`required` or `none`."""
    days_at_least: int | None
    """From a complete application to a sender that may send."""
    days_at_most: int | None
    """Null where nobody names an end."""
    percent: int
    """How many of a hundred recipients are texted from here."""


class MigrationView(Struct, frozen=True, kw_only=True):
    """A tenant's way over from another provider."""

    provider: str
    """Empty where nothing was planned yet."""
    countries: list[MigrationCountry]
    numbers: list[MovedNumber]
    """The senders at the provider, and what became of each."""


async def migration_view(scope: TenantScope, session: AsyncSession, *, now: datetime) -> MigrationView:
    """Return the tenant's migration, an empty one where nothing was planned yet."""
    tenant = await accounts.get(scope, session)
    state = await service.read(scope, session)
    if state is None:
        return MigrationView(provider="", countries=[], numbers=[])
    plan = accounts.plan_of(tenant)
    book = await prices.price_book(session, now, plan.price_book)
    cost_of = costs_by(plan, book, model=tenant.model)

    def best(country: str, volume: Volume | None) -> Option | None:
        if volume is None:
            return None
        wish = Wish(
            countries=[country],
            type=volume.type,
            parts_per_second=volume.parts_per_second,
            messages_per_month=volume.messages_per_month,
            two_way=volume.two_way,
        )
        options = rank.ranked(wish, by_iso()[country], rate_of=identity_rate, cost_of=cost_of)
        return next((option for option in options if not option.blockers), None)

    return MigrationView(
        provider=state.provider,
        countries=[_country(iso, state, tenant, best) for iso in _countries(state)],
        numbers=[state.numbers[value] for value in sorted(state.numbers)],
    )


def _countries(state: MoveState) -> list[str]:
    return sorted({*state.volumes, *state.shares, *(each.country for each in state.numbers.values())})


def _country(iso: str, state: MoveState, tenant: Tenant, best: _Best) -> MigrationCountry:
    volume = state.volumes.get(iso)
    option = best(iso, volume)
    lead = None if option is None else option.lead_time
    return MigrationCountry(
        country=iso,
        volume=volume,
        allowed=iso in tenant.countries,
        ready=iso in state.ready,
        recommended=None if option is None else option.kind,
        registration=None if option is None else "required" if option.registered else "none",
        days_at_least=None if lead is None else lead.days_at_least,
        days_at_most=None if lead is None else lead.days_at_most,
        percent=state.shares.get(iso, 0),
    )
