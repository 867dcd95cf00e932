"""`/v1/credits`: what the tenant has, and every movement of it."""

from collections.abc import Sequence
from typing import Final

from litestar import get
from litestar.di import NamedDependency
from msgspec import Struct

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, refusals
from gateway.api.lists.ledger_query import Kinds, OfMessage, Since, Until, ledger_filter
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, page_of, text_after
from gateway.messages.view import timestamp
from tenants.budgets import service as budgets
from tenants.budgets.allowance import BundleUse, bundle_use
from tenants.budgets.budget import public_name
from tenants.budgets.service import BudgetUse
from tenants.credits import service
from tenants.credits.money import format_amount
from tenants.credits.pricing import Unit
from tenants.credits.service import BalanceView, LedgerEntry

_READ: Final = {NEEDS: "credits:read"}


class BudgetView(Struct, frozen=True, kw_only=True):
    """A cap per calendar month (UTC) and where it stands; amounts in the unit of the balance."""

    name: str
    """`all`, `country:US`, `type:otp` or `account:` with its id."""
    cap: str
    used: str
    """What this month's messages hold or have cost; one that costs nothing after all is taken off again."""
    left: str
    """At nothing, sends are refused with `spend_limit_reached`."""
    unit: str
    resets_at: str | None


class BundleView(Struct, frozen=True, kw_only=True):
    """What the plan includes per calendar month (UTC); messages beyond it are charged."""

    counts: str
    """`parts` or `messages`."""
    included: int
    used: int
    """Of messages accepted this month; one that costs nothing after all is taken off again."""
    left: int
    resets_at: str | None


class CreditsView(Struct, frozen=True, kw_only=True):
    """A balance; amounts are decimal dollars, or whole credits where `unit` says so."""

    unit: str
    """`usd` or `credits`."""
    available: str
    """What new messages may hold."""
    held: str
    """What is promised to messages under way."""
    budgets: list[BudgetView] = []
    """The monthly caps and what is used of them."""
    bundle: BundleView | None = None
    """Null where the plan includes nothing."""


class LedgerEntryView(Struct, frozen=True, kw_only=True):
    """One movement between the tenant's accounts; never changed afterwards."""

    id: str
    kind: str
    """
    By hand: `top_up`, `adjust`, `correction`, `fee`, `reconcile`. By a message: `hold`, then `capture` what
    it costs and `release` the rest (`expire` where its time ran out), then `recapture` what a late receipt
    changes.
    """
    unit: str
    available: str
    """Change of what may be spent."""
    held: str
    """Change of what is promised."""
    charged: str
    """What the operator earned by it; negative for a refund."""
    message_id: str | None
    revision: int
    note: str | None
    at: str | None


def credits_view(
    balance: BalanceView, budgets: Sequence[BudgetUse] = (), bundle: BundleUse | None = None
) -> CreditsView:
    """Return a balance as the wire writes it."""
    return CreditsView(
        unit=_unit(balance.unit),
        available=balance.available_text,
        held=balance.held_text,
        budgets=[budget_view(each, balance.unit) for each in budgets],
        bundle=None if bundle is None else _bundle_view(bundle),
    )


def _bundle_view(use: BundleUse) -> BundleView:
    return BundleView(
        counts=use.counts,
        included=use.included,
        used=use.used,
        left=use.left,
        resets_at=timestamp(use.resets_at),
    )


def budget_view(use: BudgetUse, unit: Unit) -> BudgetView:
    """Return a budget as the wire writes it."""
    return BudgetView(
        name=public_name(use.name),
        cap=format_amount(use.cap, unit),
        used=format_amount(use.used, unit),
        left=format_amount(use.left, unit),
        unit=_unit(unit),
        resets_at=timestamp(use.resets_at),
    )


def ledger_entry_view(entry: LedgerEntry) -> LedgerEntryView:
    """Return a movement as the wire writes it."""
    return LedgerEntryView(
        id=entry.id,
        kind=entry.kind,
        unit=_unit(entry.unit),
        available=format_amount(entry.available, entry.unit),
        held=format_amount(entry.held, entry.unit),
        charged=format_amount(entry.charged, entry.unit),
        message_id=entry.message_id,
        revision=entry.revision,
        note=entry.note,
        at=timestamp(entry.at),
    )


@get("/credits", opt=_READ, responses=refusals(*TENANT), summary="Read the balance")
async def get_credits(request: ApiRequest, desk: NamedDependency[Desk]) -> CreditsView:
    """Return what may be spent, what is held, and how far the monthly budgets and the bundle are used."""
    async with desk.tenant(request.auth) as session:
        now = desk.services.clock.now()
        uses = await budgets.uses(request.auth, session, now=now)
        bundle = await bundle_use(request.auth, session, now=now)
        return credits_view(await service.balance(request.auth, session), uses, bundle)


@get(
    "/credits/ledger",
    opt=_READ,
    responses=refusals(*TENANT),
    summary="List the movements of the balance",
    description="The newest message or top-up first; the movements of one message stand together.",
)
async def list_ledger(
    *,
    request: ApiRequest,
    desk: NamedDependency[Desk],
    limit: Limit = DEFAULT_LIMIT,
    after: After = None,
    kind: Kinds = None,
    message_id: OfMessage = None,
    since: Since = None,
    until: Until = None,
) -> Page[LedgerEntryView]:
    """Return a page of the ledger."""
    wanted = ledger_filter(kind, message_id, since, until)
    async with desk.tenant(request.auth) as session:
        entries = await service.ledger_page(
            request.auth, session, limit=limit + 1, after=text_after(request, after), wanted=wanted
        )
    return page_of(request, entries, limit, view=ledger_entry_view, place=lambda entry: entry.cursor)


def _unit(unit: str) -> str:
    return "usd" if unit == "micros" else unit
