"""What senders cost a tenant by its plan and its price book. Pure."""

from typing import Final

from gateway.advice.facts import Kind
from gateway.advice.rank import Cost, CostOf
from tenants.accounts.plan import Plan
from tenants.credits.monthly_fees import lease_of, registration_fee_of
from tenants.credits.pricing import NoPrice, PriceBook, price

_ONE_REGISTRATION: Final[frozenset[Kind]] = frozenset({"TEN_DLC"})
"""A campaign is registered once for all of its numbers; other senders are registered one by one."""


def costs_by(plan: Plan, book: PriceBook, *, model: int) -> CostOf:
    """Return what asks the price book; amounts are of the plan's unit."""

    def cost_of(kind: Kind, country: str, senders: int) -> Cost:
        quote = price(plan, book, country=country, channel="sms", parts=1, sender_type=kind, model=model)
        fee = registration_fee_of(plan, book, country=country, type_=kind)
        return Cost(
            one_time=fee if kind in _ONE_REGISTRATION else fee * senders,
            monthly=lease_of(plan, book, country=country, type_=kind) * senders,
            per_part=None if isinstance(quote, NoPrice) else quote.amount,
        )

    return cost_of
