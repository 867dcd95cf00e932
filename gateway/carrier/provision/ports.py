"""What the operator asks to be made at AWS for a tenant, and what the asking returns."""

from typing import Annotated, Literal, Protocol
from uuid import UUID

from msgspec import Meta, Struct

from tenants.accounts.plan import CountryCode
from tenants.rates import Rate
from tenants.scope import TenantScope

SenderType = Literal["SHORT_CODE", "TEN_DLC", "LONG_CODE", "TOLL_FREE", "SENDER_ID", "SIMULATOR"]
MessageType = Literal["otp", "transactional", "promotional"]
Channel = Literal["sms", "mms", "voice"]
SenderValue = Annotated[str, Meta(min_length=1, max_length=20)]


class SenderWish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One origination identity to request, or to adopt when the account already has it."""

    country: CountryCode
    type: SenderType
    value: SenderValue | None = None
    """The sender id to request, or the number to adopt; None lets AWS pick a number."""
    message_types: Annotated[tuple[MessageType, ...], Meta(max_length=3)] = ()
    """What it may carry; empty for all."""
    channels: Annotated[tuple[Channel, ...], Meta(min_length=1, max_length=3)] = ("sms",)
    """What a requested number can do; an adopted one keeps what AWS says of it, a sender id only texts."""
    parts_per_second: Rate | None = None
    """Its rate in message parts; None for AWS's default for its type."""


class ProvisionRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a tenant needs at AWS; asking for what exists makes nothing a second time."""

    account_id: UUID | None = None
    """The route that carries the tenant; None for the first one."""
    senders: Annotated[tuple[SenderWish, ...], Meta(max_length=100)] = ()
    """Empty for senders of a fitting type in each of the tenant's countries, for every type of message."""
    dedicated_pool: bool = True
    """Whether one of the account's 25 AWS pools is spent on the tenant."""


class ProvisionResult(Struct, frozen=True, kw_only=True):
    """What the run did; the objects themselves are read from the tenant's tables."""

    created: tuple[str, ...]
    """ARNs made by this run."""
    adopted: tuple[str, ...]
    """ARNs that were already there and are now the tenant's."""
    waiting: tuple[str, ...] = ()
    """ARNs that AWS has not activated yet; run again later."""


class ProvisionRefused(Struct, frozen=True, kw_only=True):
    """AWS or its quotas said no; nothing half-made is forgotten, a second run goes on from there."""

    detail: str
    """One sentence for the operator: what AWS said and the way out."""


class TwoWaySwitch(Protocol):
    """Switches at AWS whether people can answer to a number, and who answers STOP and HELP."""

    async def set_two_way(
        self, scope: TenantScope, sender_id: UUID, *, enabled: bool, self_managed: bool
    ) -> tuple[UUID, ...] | ProvisionRefused:
        """
        Bring the number, or the AWS pool that holds it, to the wish; the account's topic gets the texts.

        Returns the senders whose setting it now is: all of the pool, where there is one.

        Raises:
            tenants.errors.NotFound: The tenant has no such sender.
            gateway.errors.Unavailable: AWS or Postgres does not answer.
        """
        ...


class Provisioner(Protocol):
    """Makes a tenant's world at AWS, idempotently and at the pace AWS allows."""

    async def provision(
        self, scope: TenantScope, request: ProvisionRequest
    ) -> ProvisionResult | ProvisionRefused:
        """
        Create or adopt senders, pool, configuration set, event destination and opt-out list.

        Raises:
            gateway.errors.Unavailable: AWS or Postgres does not answer.
        """
        ...
