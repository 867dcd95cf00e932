"""What becomes of a send request: values, mapped to HTTP statuses only at the edge."""

from typing import Final, Literal

from msgspec import Struct

from gateway.messages.view import MessageView

DeclineCode = Literal[
    "insufficient_credits",
    "spend_limit_reached",
    "template_required",
    "template_not_allowed",
    "use_case_mismatch",
    "country_not_allowed",
    "destination_not_verified",
    "opted_out",
    "consent_required",
    "protect_blocked",
    "pumping_suspected",
    "tenant_suspended",
    "not_live",
    "channel_disabled",
    "content_refused",
    "country_parameters_required",
    "quiet_hours",
    "no_originator",
    "no_price",
    "price_over_max",
    "invalid_number",
    "invalid_template_variables",
    "body_too_long",
    "validation_failed",
    "not_supported",
    "rate_limited",
    "queue_full",
    "daily_cap_reached",
    "idempotency_mismatch",
    "message_not_cancelable",
    "media_refused",
    "media_unavailable",
]


class FieldFault(Struct, frozen=True, kw_only=True):
    """One thing wrong with one field of a request."""

    field: str
    """JSON pointer, for example `/template/variables/code`."""
    code: str
    detail: str


REQUESTS: Final = "requests"
"""The name of the plan's request rate."""


class RateState(Struct, frozen=True, kw_only=True):
    """
    Where the tenant stands with a rate of its plan or of a sender, for the `RateLimit` headers.

    Of a country's rate in a plan that queues, and of a sender's, what is left is what would leave at once;
    more of it waits.
    """

    limit_per_s: float
    """Requests, or message parts where a country's rate is meant."""
    name: str = REQUESTS
    """`requests`, or `parts-US` for the rate to a country."""
    remaining: int | None = None
    """None where only the limit is known."""
    reset_ms: int = 0


class Accepted(Struct, frozen=True, kw_only=True, tag="accepted"):
    """The message is in Postgres; this is the only outcome that may become a 202."""

    message: MessageView
    replayed: bool = False
    rates: tuple[RateState, ...] = ()


class Declined(Struct, frozen=True, kw_only=True, tag="declined"):
    """Nothing was stored and nothing was held."""

    code: DeclineCode
    detail: str
    retry_after_ms: int | None = None
    estimated_dispatch_at: str | None = None
    """Of a full queue: when the message would have left, had it lived so long."""
    errors: tuple[FieldFault, ...] = ()
    rates: tuple[RateState, ...] = ()


class Estimate(Struct, frozen=True, kw_only=True):
    """What a text would be on the wire and what it would cost; nothing is sent, held or counted."""

    encoding: str
    parts: int
    characters: int
    units: int
    units_left_in_part: int
    offending: tuple["OffendingCharacter", ...]
    """Characters that force UNICODE, each once, at its first place."""
    gsm_rewrite: str | None
    """The text with typographic characters replaced, where that alone brings it to GSM."""
    country: str
    price: "EstimatedPrice"
    """What would be charged: for what the bundle does not cover, where the plan has one."""
    included: int
    """Parts, or messages, that the month's bundle would cover as it stands; 0 where the plan has none."""
    mms_hint: bool
    """Whether one MMS may cost less than this many parts (US and CA)."""


class OffendingCharacter(Struct, frozen=True, kw_only=True):
    """A character outside GSM 03.38."""

    character: str
    position: int
    name: str
    suggestion: str | None


class EstimatedPrice(Struct, frozen=True, kw_only=True):
    """The message's price in the tenant's own unit."""

    estimated: str | None
    currency: str
    credits: int | None
