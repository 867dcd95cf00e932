"""`/v1/credits`: what the tenant has, and every movement of it."""

from typing import Final

from litestar import get
from litestar.di import NamedDependency
from msgspec import Struct

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, refusals
from gateway.api.paging import DEFAULT_LIMIT, After, Limit, Page, page_of, text_after, text_cursor
from gateway.messages.view import timestamp
from tenants.credits import service
from tenants.credits.money import format_amount
from tenants.credits.service import BalanceView, LedgerEntry

_READ: Final = {NEEDS: "credits:read"}


class CreditsView(Struct, frozen=True, kw_only=True):
    """A balance; amounts are decimal dollars, or whole credits where `unit` says so."""

    unit: str
    """`usd` or `credits`."""
    available: str
    """What new messages may hold."""
    held: str
    """What is promised to messages under way."""


class LedgerEntryView(Struct, frozen=True, kw_only=True):
    """One movement between the tenant's accounts; never changed afterwards."""

    id: str
    kind: str
    """`top_up`, `adjust`, `hold`, `capture`, `release` or `recapture`."""
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


def credits_view(balance: BalanceView) -> CreditsView:
    """Return a balance as the wire writes it."""
    return CreditsView(unit=_unit(balance.unit), available=balance.available_text, held=balance.held_text)


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
    """Return what may be spent and what is held."""
    async with desk.tenant(request.auth) as session:
        return credits_view(await service.balance(request.auth, session))


@get(
    "/credits/ledger",
    opt=_READ,
    responses=refusals(*TENANT),
    summary="List the movements of the balance",
    description="The newest message or top-up first; the movements of one message stand together.",
)
async def list_ledger(
    request: ApiRequest, desk: NamedDependency[Desk], limit: Limit = DEFAULT_LIMIT, after: After = None
) -> Page[LedgerEntryView]:
    """Return a page of the ledger."""
    async with desk.tenant(request.auth) as session:
        entries = await service.ledger_page(request.auth, session, limit=limit + 1, after=text_after(after))
    return page_of(entries, limit, view=ledger_entry_view, cursor=lambda entry: text_cursor(entry.cursor))


def _unit(unit: str) -> str:
    return "usd" if unit == "micros" else unit
