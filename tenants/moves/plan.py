"""
What a tenant brings along: how much it sends where, and what becomes of each of its senders. Pure.

Whether a number can be ported depends on its type, the country and the provider that holds it, and AWS
decides case by case: it is asked for first, because everything else can wait for it.
"""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from tenants.templates.use_cases import MessageType

Way = Literal["adopt", "port", "replace", "leave"]
"""In an AWS account of ours already; ported from the provider; given up for a new one; left there."""
State = Literal["planned", "submitted", "done", "refused"]
"""Nothing happened yet; AWS has the request; it is a sender here, or stays for good; AWS said no."""
SenderType = Literal["SHORT_CODE", "TEN_DLC", "LONG_CODE", "TOLL_FREE", "SENDER_ID"]
_PORTABLE: Final = frozenset({"TEN_DLC", "LONG_CODE", "TOLL_FREE"})


class Volume(Struct, frozen=True, kw_only=True):
    """What went to one country, by the reports of the provider."""

    messages_per_month: int
    parts_per_second: float
    """At the busiest moment of the year: senders are chosen by it."""
    type: MessageType
    two_way: bool
    inbound_per_month: int


class MovedNumber(Struct, frozen=True, kw_only=True):
    """One sender that the tenant has at its provider."""

    value: str
    """The number in E.164, the short code, or the sender id."""
    country: str
    type: SenderType
    way: Way
    state: State = "planned"
    case: str | None = None
    """AWS's number of the support case in which porting was asked for."""
    note: str | None = None


def not_portable(number_type: SenderType) -> str | None:
    """Return why a sender cannot be ported at all; None where AWS may be asked."""
    if number_type in _PORTABLE:
        return None
    if number_type == "SENDER_ID":
        return "a sender id is no number: it is registered or requested anew, with way `replace`"
    return "a short code moves by an application of its own: use /short-codes, and way `replace` here"


def kept(before: MovedNumber | None, wanted: MovedNumber) -> MovedNumber:
    """Return a number as a file wants it, with what came of it so far if the file says nothing new."""
    if before is None or (before.country, before.type, before.way) != (
        wanted.country,
        wanted.type,
        wanted.way,
    ):
        return wanted
    return before


def open_ports(numbers: dict[str, MovedNumber]) -> list[MovedNumber]:
    """Return the numbers whose porting nobody has decided yet."""
    return [
        each for each in numbers.values() if each.way == "port" and each.state in {"planned", "submitted"}
    ]


Percent = Annotated[int, Meta(ge=0, le=100)]


def comes_from_here(recipient_hash: bytes, percent: int) -> bool:
    """
    Return whether a recipient is texted from here while `percent` of its country is.

    The same recipient gets the same answer as long as the share stands, and whoever came over stays when it
    grows: a conversation, a consent and a STOP are not split between two providers.
    """
    return int.from_bytes(recipient_hash[:8]) % 100 < percent
