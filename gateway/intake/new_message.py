"""A send on its way into the commit: what is stored of it, held for it and counted against it."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

from gateway.lanes.entry import LaneEntry
from gateway.messages.rulings import Rulings
from tenants.budgets.budget import Count


class IdempotentRequest(Struct, frozen=True, kw_only=True):
    """The client's key and what it was used for."""

    key: str
    fingerprint: bytes
    expires_at: datetime


class NewMessage(Struct, frozen=True, kw_only=True):
    """A send that passed every gate but money, ready to be stored. Amounts are in the tenant's `unit`."""

    id: UUID
    tenant_id: UUID
    created_at: datetime
    test: bool
    status: Literal["queued", "scheduled"]
    channel: str
    type: str
    country: str
    recipient_hash: bytes
    to_sealed: bytes
    body_sealed: bytes
    template_id: UUID | None
    template_version: int | None
    encoding: str
    parts: int
    unit: str
    price_estimated: int
    max_price_micros: int
    account_id: UUID | None
    sender_id: UUID | None
    sender_value: str
    sender_arn: str | None
    configuration_set: str | None
    protect_configuration_id: UUID | None
    """By which it was judged; None for none."""
    send_at: datetime | None
    estimated_dispatch_at: datetime | None
    expires_at: datetime
    content: dict[str, Any] | None = None
    """What an MMS or a call has beside its body; `gateway.messages.content`."""
    context: dict[str, str] | None
    client_reference: str | None
    feedback: str | None
    route: str
    entry: LaneEntry
    need: dict[str, str] | None
    """What the request asks of its sender beyond country and type, kept for a fail-over; None for nothing."""
    idempotent: IdempotentRequest | None
    cost_estimated: int = 0
    """What AWS is expected to charge, in micro-dollars."""
    counts: tuple[Count, ...] = ()
    """What it adds to monthly budgets; nothing for a test message, which costs nothing."""
    bundle: Count | None = None
    """What it would draw on the tenant's bundle if enough of it is left; `price_estimated` is without it."""
    included: int = 0
    """What it draws, once that is decided; `price_estimated` is then for the rest."""
    least_included: int = 0
    """What the bundle has to cover of it for it to cost no more than the request's `max_price`."""
    rulings: Rulings | None = None

    @property
    def hold(self) -> int:
        """What is taken from the tenant's available credit; a test message costs nothing."""
        return 0 if self.test else self.price_estimated

    @property
    def too_dear(self) -> bool:
        """Whether it would cost more than the request's `max_price`, with what the bundle covers of it."""
        return self.included < self.least_included
