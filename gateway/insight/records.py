"""One message as one flat row: what searches over tenants, evidence and exports hand out. Never a text."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Literal
from uuid import UUID

import msgspec
import structlog
from msgspec import Struct

from gateway.messages.keys import number_context
from gateway.messages.models import Message
from gateway.messages.view import timestamp
from gateway.telemetry.metrics import BROKEN_SEALS
from tenants.accounts.sealing import DataKey
from tenants.credits.money import format_usd
from tenants.errors import SealBroken
from tenants.ids import encode

Numbers = Literal["masked", "full"]
KeyOf = Callable[[UUID], Awaitable[DataKey]]
_log = structlog.get_logger(__name__)
_SHOWN_FIRST: Final = 4
_SHOWN_LAST: Final = 2


class MessageRecord(Struct, frozen=True, kw_only=True):
    """A message without its text. Times are RFC 3339 in UTC; null where there is none."""

    id: str
    tenant_id: str
    created_at: str
    dispatched_at: str | None
    final_at: str | None
    status: str
    reason: str | None
    """Code of `status_reason`."""
    reason_detail: str | None
    channel: str
    type: str
    country: str
    to: str
    """
    The recipient; but for its ends in asterisks, unless full numbers were asked for. Empty where what is
    stored of it does not open.
    """
    from_: str = msgspec.field(name="from")
    carrier: str | None
    mcc: str | None
    mnc: str | None
    encoding: str
    parts: int
    template_id: str | None
    template_version: int | None
    unit: str
    """`usd` or `credits`: what prices are in."""
    price_estimated: str
    price_final: str | None
    attempts: int
    client_reference: str | None
    context: str | None
    """JSON."""
    feedback: str | None
    provider_message_id: str | None
    """AWS's id."""
    provider_status: str | None
    """AWS's word, such as `CARRIER_BLOCKED`."""
    account: str | None
    """`acc_…`: the AWS account that carried it."""
    region: str | None
    test: bool


def masked(e164: str) -> str:
    """Return a number of which the country and the last two digits can be told, and no more."""
    hidden = len(e164) - _SHOWN_FIRST - _SHOWN_LAST
    if hidden <= 0:
        return "*" * len(e164)
    return f"{e164[:_SHOWN_FIRST]}{'*' * hidden}{e164[-_SHOWN_LAST:]}"


async def records_of(messages: Sequence[Message], key_of: KeyOf, numbers: Numbers) -> list[MessageRecord]:
    """Return messages of any tenants as rows, their recipients opened with each tenant's key."""
    return [record_of(message, await key_of(message.tenant_id), numbers) for message in messages]


def recipient_of(message: Message, key: DataKey) -> str:
    """
    Return the recipient's number; nothing where what is stored does not open.

    One damaged row must not keep a tenant from all the others: it is logged and counted, and shown without.
    """
    try:
        return key.open(message.to_sealed, context=number_context(message.id)).decode()
    except SealBroken as error:
        BROKEN_SEALS.inc()
        _log.warning("recipient_not_opened", message_id=encode("msg", message.id), reason=str(error))
        return ""


def record_of(message: Message, key: DataKey, numbers: Numbers) -> MessageRecord:
    """Return one message as a row."""
    number = recipient_of(message, key)
    return MessageRecord(
        id=encode("msg", message.id),
        tenant_id=encode("ten", message.tenant_id),
        created_at=timestamp(message.created_at) or "",
        dispatched_at=timestamp(message.dispatched_at),
        final_at=timestamp(message.final_at),
        status=message.status,
        reason=message.reason_code,
        reason_detail=message.reason_detail,
        channel=message.channel,
        type=message.type,
        country=message.country,
        to=number if numbers == "full" else masked(number),
        from_=message.sender_value,
        carrier=message.carrier,
        mcc=message.mcc,
        mnc=message.mnc,
        encoding=message.encoding,
        parts=message.parts,
        template_id=None if message.template_id is None else encode("tpl", message.template_id),
        template_version=message.template_version,
        unit="usd" if message.unit == "micros" else message.unit,
        price_estimated=_amount(message.price_estimated, message.unit) or "",
        price_final=_amount(message.price_final, message.unit),
        attempts=message.attempts,
        client_reference=message.client_reference,
        context=None if not message.context else msgspec.json.encode(message.context).decode(),
        feedback=message.feedback,
        provider_message_id=message.provider_message_id,
        provider_status=message.provider_status,
        account=None if message.account_id is None else encode("acc", message.account_id),
        region=None if message.sender_arn is None else message.sender_arn.split(":")[3],
        test=message.test,
    )


def _amount(value: int | None, unit: str) -> str | None:
    if value is None:
        return None
    return format_usd(value) if unit == "micros" else str(value)
