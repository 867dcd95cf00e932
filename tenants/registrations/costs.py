"""
What a registration costs beside its messages, as far as AWS's guides say. Pure.

AWS has no price query: a number's price is in the answer that hands it out, when it is billed already. So
the list price is shown before, and what AWS said is kept after.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Literal

from msgspec import Struct

from tenants.errors import InvalidInput
from tenants.registrations.forms import FormType

NUMBER_MONTHLY_USD: Final = {"TOLL_FREE": "2.00", "TEN_DLC": "1.00", "SIMULATOR": "1.00"}
"""By type, "AWS End User Messaging pricing", US numbers; billed from the request on (seed 003)."""
_ONCE: Final = {"US_TEN_DLC_BRAND_VETTING": "40.00"}
"""US dollars, after AWS's post on 10DLC vetting."""
_NOTHING: Final = "0.00"
_NUMBER_WARNING: Final = (
    "AWS bills the number from the moment it is requested, even if the registration is never submitted or "
    "is rejected."
)
_CAMPAIGN_WARNING: Final = (
    "The number is requested as soon as the campaign is complete and this cost is confirmed; AWS bills it "
    "from then on. More numbers do not raise what a campaign may send."
)
_VETTING_WARNING: Final = (
    "The fee is not paid back, and the score may be lower than the quotas of an unvetted brand assume: "
    "vetting can lower them."
)


class Cost(Struct, frozen=True, kw_only=True):
    """What has to be confirmed before it is caused."""

    monthly_usd: str
    once_usd: str
    warning: str
    before: Literal["submit", "number"] = "submit"
    """What waits for the confirmation: the submission, or the number after the approval."""


def cost_of(form_type: FormType) -> Cost | None:
    """Return what such a registration costs beside its messages, or None where nothing is known to."""
    if form_type.needs_before_submit("PHONE_NUMBER"):
        monthly = NUMBER_MONTHLY_USD.get(form_type.number_type or "", _NOTHING)
        return Cost(monthly_usd=monthly, once_usd=_NOTHING, warning=_NUMBER_WARNING)
    if form_type.number_after_complete:
        monthly = NUMBER_MONTHLY_USD.get(form_type.number_type or "", _NOTHING)
        return Cost(monthly_usd=monthly, once_usd=_NOTHING, warning=_CAMPAIGN_WARNING, before="number")
    once = _ONCE.get(form_type.type)
    return None if once is None else Cost(monthly_usd=_NOTHING, once_usd=once, warning=_VETTING_WARNING)


def charged_as(form_type: FormType, number_terms: Mapping[str, Any]) -> tuple[str, str]:
    """Return for what type of sender and which country a price book has the price of a registration."""
    kind = form_type.number_type or ("SENDER_ID" if form_type.sender_id_country else "TEN_DLC")
    return kind, form_type.sender_id_country or number_terms.get("country", "US")


def check_accepted(cost: Cost, *, monthly_usd: str, once_usd: str) -> None:
    """
    Accept a confirmation of exactly this cost.

    Raises:
        InvalidInput: It confirms another one, such as yesterday's.
    """
    for field, said, is_ in (
        ("/monthly_usd", monthly_usd, cost.monthly_usd),
        ("/once_usd", once_usd, cost.once_usd),
    ):
        if _dollars(said) != Decimal(is_):
            raise InvalidInput(field, "other_cost", f"the cost to confirm is {is_} USD")


def _dollars(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
