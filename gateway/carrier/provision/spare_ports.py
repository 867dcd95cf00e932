"""A number that the operator leases for no tenant yet: what is asked, and what AWS has."""

from msgspec import Struct

from gateway.carrier.provision.ports import Channel, SenderType


class SpareWish(Struct, frozen=True, kw_only=True):
    """A number to lease."""

    reference: str
    country: str
    type: SenderType
    promotional: bool
    channels: tuple[Channel, ...]
    protected: bool
    registration_id: str | None = None
    """AWS's id of the registration that it is for."""


class SpareNumber(Struct, frozen=True, kw_only=True):
    """A number as AWS has it."""

    number_id: str
    arn: str
    value: str
    status: str
    monthly_usd: str
    protected: bool
    created: bool = False
    """Whether this request leased it."""
