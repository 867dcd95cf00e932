"""What the gateway asks of a carrier, and the four things a carrier can answer."""

import math
from collections.abc import Mapping
from typing import Literal, Protocol, TypeAlias
from uuid import UUID

from msgspec import Struct

CONTEXT_MESSAGE = "tg_m"
"""Context key whose value is our message id; AWS echoes it in every event of a configuration set."""
CONTEXT_ATTEMPT = "tg_a"
"""Context key whose value is the number of the attempt, from 1."""


Channel = Literal["sms", "mms", "voice"]


class Voice(Struct, frozen=True, kw_only=True):
    """How a call reads its text."""

    voice_id: str
    ssml: bool


class OutboundText(Struct, frozen=True, kw_only=True):
    """One SMS, MMS or phone call, as one request."""

    message_id: UUID
    attempt: int
    """From 1; a flagged resend of an unknown outcome is 2."""
    destination: str
    """E.164."""
    body: str
    """Empty only for an MMS that is its file alone."""
    origination_identity: str | None
    """ARN of the number, sender id or pool; None only in the sandbox."""
    promotional: bool
    configuration_set: str | None
    protect_configuration: str | None = None
    """AWS's `protect-…`, which stands before the configuration set's; None leaves it to that."""
    max_price_micros: int
    """AWS refuses rather than charge more; micro-dollars for the whole message, of a call per minute."""
    ttl_s: int
    """5 to 259200; AWS drops the message when it could not hand it over in that time."""
    context: dict[str, str]
    country_parameters: Mapping[str, str] | None = None
    """DestinationCountryParameters: what the country demands beside the text."""
    channel: Channel = "sms"
    media_url: str | None = None
    """The file of an MMS, `s3://bucket/key` in the account and Region that send it."""
    voice: Voice | None = None
    """For calls."""
    feedback: bool = False
    """Whether AWS is to expect feedback on it within the hour."""
    leaves_by: float = math.inf
    """On the monotonic clock; later than this it must not be written to the carrier, for what allowed it to
    leave (no opt-out, a fresh lease) may not be true any more."""


class Sent(Struct, frozen=True, kw_only=True, tag="sent"):
    """The carrier took it."""

    provider_message_id: str


Fault = Literal["passing", "throttled", "sender", "account"]
"""
What kept a text from being sent, and so who waits.

    passing     a fault of the moment: the message alone, for a moment
    throttled   more than the carrier grants: the lane goes slower for a while
    sender      the origination identity, or what belongs to it, is not fit: its line waits for the operator
    account     nothing of this route is taken: the route waits for the operator
"""


class NotSent(Struct, frozen=True, kw_only=True, tag="not_sent"):
    """The carrier certainly did not take it, and may later; does not count as an attempt."""

    reason: str
    """A short and stable code: the tenant reads it where the message is moved or ends without having left."""
    retry_after_ms: int
    """When the message itself may be offered again; its line may have to wait longer."""
    fault: Fault = "passing"
    detail: str = ""
    """What more there is to say, to the operator alone."""


class Refused(Struct, frozen=True, kw_only=True, tag="refused"):
    """The carrier certainly did not take it, and asking again would not help."""

    code: str
    """Stable, lower-case; becomes the message's status_reason code."""
    detail: str


class Unknown(Struct, frozen=True, kw_only=True, tag="unknown"):
    """The request left and no usable answer came back: it may have been taken."""

    reason: str


Outcome: TypeAlias = Sent | NotSent | Refused | Unknown


class Carrier(Protocol):
    """Sends one text, once on the wire; never raises for what the other side does."""

    async def send(self, text: OutboundText) -> Outcome:
        """Make exactly one attempt and say what is known about it."""
        ...
