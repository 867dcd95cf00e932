"""What a search of messages may be narrowed to, as query parameters; lists and exports share it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from litestar.params import QueryParameter
from msgspec import Struct, structs

from gateway.api.path_ids import query_id
from gateway.api.refusals import Refusal
from gateway.insight.search import PriceRange, Wanted
from gateway.intake.request import MessageType
from gateway.messages.status import MessageStatus
from tenants.accounts.sealing import DataKey
from tenants.countries.numbers import Number, parse_number
from tenants.credits.money import MICROS_PER_USD, parse_usd
from tenants.instants import named_instant

Channel = Literal["sms", "mms", "voice"]
Feedback = Literal["pending", "received", "failed"]
_MOST_PAIRS: Final = 3
_LONGEST: Final = 128
_REASON: Final = "Code of `status_reason`, such as `spam`."
_Text = str | None


class MessageQuery(Struct, frozen=True, kw_only=True):
    """The parameters, checked; the recipient still as a number."""

    to: str | None
    wanted: Wanted

    @property
    def names(self) -> tuple[str, ...]:
        """What it is narrowed by, without the values."""
        given = [name for name in self.wanted.__struct_fields__ if getattr(self.wanted, name) is not None]
        return (*given, "to") if self.to is not None else tuple(given)

    def under(self, keys: Sequence[tuple[UUID, DataKey]]) -> Wanted:
        """Return the search with the recipient under the keys of those tenants that are searched."""
        if self.to is None:
            return self.wanted
        hashed = tuple((tenant_id, key.recipient_hash(self.to)) for tenant_id, key in keys)
        return structs.replace(self.wanted, recipients=hashed)


async def message_query(
    *,
    status: Annotated[MessageStatus | None, QueryParameter()] = None,
    country: Annotated[_Text, QueryParameter(pattern=r"^[A-Z]{2}\Z")] = None,
    to: Annotated[_Text, QueryParameter(max_length=40, description="Recipient, E.164")] = None,
    sender: Annotated[
        _Text, QueryParameter(name="from", max_length=40, description="Number, short code or sender id")
    ] = None,
    message_type: Annotated[MessageType | None, QueryParameter(name="type")] = None,
    channel: Annotated[Channel | None, QueryParameter()] = None,
    template: Annotated[_Text, QueryParameter(max_length=40, description="Template id")] = None,
    carrier: Annotated[_Text, QueryParameter(max_length=_LONGEST, description="As receipts name it")] = None,
    mcc: Annotated[_Text, QueryParameter(pattern=r"^[0-9]{3}\Z", description="Mobile country code")] = None,
    mnc: Annotated[_Text, QueryParameter(pattern=r"^[0-9]{2,3}\Z", description="Mobile network code")] = None,
    reason: Annotated[_Text, QueryParameter(max_length=_LONGEST, description=_REASON)] = None,
    provider_status: Annotated[
        _Text, QueryParameter(max_length=_LONGEST, description="AWS's word, such as `CARRIER_BLOCKED`")
    ] = None,
    provider_message_id: Annotated[
        _Text, QueryParameter(max_length=_LONGEST, description="AWS's id of the message")
    ] = None,
    client_reference: Annotated[_Text, QueryParameter(max_length=255)] = None,
    context: Annotated[
        list[str] | None,
        QueryParameter(
            max_items=_MOST_PAIRS,
            description="`name=value` of a pair in the message's context; up to three, all of them there.",
        ),
    ] = None,
    feedback: Annotated[Feedback | None, QueryParameter()] = None,
    price_from: Annotated[
        _Text,
        QueryParameter(
            max_length=40, description="Least price: dollars, or credits where it was paid in them"
        ),
    ] = None,
    price_to: Annotated[_Text, QueryParameter(max_length=40, description="Greatest price, included")] = None,
    created_after: Annotated[datetime | None, QueryParameter(description="RFC 3339, inclusive")] = None,
    created_before: Annotated[datetime | None, QueryParameter(description="RFC 3339, exclusive")] = None,
) -> MessageQuery:
    """Return the checked parameters."""
    return MessageQuery(
        to=None if to is None else _recipient(to),
        wanted=Wanted(
            status=status,
            country=country,
            type=message_type,
            channel=channel,
            sender=sender,
            template_id=None if template is None else query_id("tpl", template, "?template"),
            carrier=carrier,
            mcc=mcc,
            mnc=mnc,
            reason=reason,
            provider_status=provider_status,
            provider_message_id=provider_message_id,
            client_reference=client_reference,
            context=_pairs(context),
            feedback=feedback,
            price_from=_price(price_from, "?price_from"),
            price_to=_price(price_to, "?price_to"),
            created_after=aware(created_after, "?created_after"),
            created_before=aware(created_before, "?created_before"),
        ),
    )


def aware(value: datetime | None, field: str) -> datetime | None:
    """
    Return an instant in UTC.

    Raises:
        InvalidInput: It breaks the rule of `named_instant`.
    """
    return None if value is None else named_instant(value, field)


def _recipient(text: str) -> str:
    number = parse_number(text)
    if isinstance(number, Number):
        return number.e164
    raise Refusal.of_field("?to", "invalid_number", number.detail)


def _pairs(given: list[str] | None) -> dict[str, str] | None:
    if not given:
        return None
    split = [pair.partition("=") for pair in given]
    if any(not name or not equals for name, equals, _ in split):
        raise Refusal.of_field("?context", "invalid_pair", "Write a pair as name=value.")
    return {name: value for name, _, value in split}


def _price(text: str | None, field: str) -> PriceRange | None:
    """Read one figure in both units; a search over a change of units finds in either."""
    if text is None:
        return None
    micros = parse_usd(text, field=field)
    return PriceRange(micros=micros, credits=micros // MICROS_PER_USD)
