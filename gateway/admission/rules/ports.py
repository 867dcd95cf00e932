"""
What a rule sees and what it may say.

A rule is a pure gate: it takes one send as far as it is known at the edge and returns a verdict. What needs
shared counters (rates, velocity, caps) is no rule but a gate of the admission script.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct

from tenants.accounts.plan import Plan
from tenants.accounts.sending_rules import ContentScreen
from tenants.countries.numbers import Number

RuleName = Literal[
    "channel",
    "rollout_phase",
    "verified_destination",
    "content",
    "country_parameters",
    "quiet_hours",
]
RefusalCode = Literal[
    "channel_disabled",
    "country_not_allowed",
    "destination_not_verified",
    "content_refused",
    "country_parameters_required",
    "quiet_hours",
]


class SendFacts(Struct, frozen=True, kw_only=True):
    """One send at the edge: parsed, rendered and with its sender, before anything is stored."""

    plan: Plan
    number: Number
    message_type: str
    channel: str
    text: str
    from_template: bool
    """Approved texts were screened at their approval."""
    screen: ContentScreen = "off"
    """What free text is screened for."""
    sender_type: str | None
    """None in the sandbox and where no sender was found."""
    verified: bool
    """Whether the recipient is one of the tenant's verified destination numbers."""
    account_in_sandbox: bool = False
    """Whether AWS lets the sender's account reach verified numbers only."""
    verified_in_account: bool = False
    """Whether the recipient is verified in that very account."""
    entity_id: str | None = None
    """India's DLT principal entity, from the request, the template or the plan."""
    dlt_template_id: str | None = None
    leaves_at: datetime
    """The asked time, or now."""


class Open(Struct, frozen=True, kw_only=True, tag="open"):
    """The rule lets it pass."""

    note: str
    """What was looked at and why it passes, for /explain."""


class Closed(Struct, frozen=True, kw_only=True, tag="closed"):
    """The rule refuses it; nothing is stored."""

    code: RefusalCode
    detail: str
    field: str | None = None
    """JSON pointer, where one member of the request is at fault."""
    opens_at: datetime | None = None
    """When the same send would pass, where waiting helps."""


class HeldUntil(Struct, frozen=True, kw_only=True, tag="held"):
    """It is taken and leaves later."""

    at: datetime
    note: str


RuleVerdict: TypeAlias = Open | Closed | HeldUntil
Rule: TypeAlias = Callable[[SendFacts], RuleVerdict]
