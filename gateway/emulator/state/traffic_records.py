"""The records of messages, in both directions."""

import msgspec

from gateway.emulator.state.records import Record


class Step(msgspec.Struct, array_like=True, frozen=True):
    """One event in the life of a message. The chain of steps is drawn when the message is accepted."""

    offset_ms: int
    """Since acceptance, in emulated time."""
    status: str
    """DELIVERED, BLOCKED, ...: the event type without its channel."""
    is_final: bool
    nonce: int
    """Makes the SNS MessageId; a copy under the same id repeats it."""


class Message(Record, gc=False):
    """An accepted send."""

    id: str
    channel: str
    """TEXT, MEDIA or VOICE."""
    destination: str
    body: str
    accepted_ms: float
    country: str
    origination: str | None
    """What recipients see: number, short code or sender id."""
    identity: str | None
    """What the caller named, as given."""
    message_type: str
    encoding: str
    parts: int
    price_micros: int
    fee_micros: int
    steps: tuple[Step, ...]
    outcome: str
    """Status of the last step."""
    operator: str = ""
    mcc: str = ""
    mnc: str = ""
    configuration_set: str | None = None
    context: dict[str, str] = msgspec.field(default_factory=dict)
    country_parameters: dict[str, str] = msgspec.field(default_factory=dict)
    media_urls: list[str] = msgspec.field(default_factory=list)
    protect_id: str | None = None
    protect_status: str | None = None
    pumping: bool = False
    """The protect model suspects artificially inflated traffic."""
    feedback: bool = False
    feedback_status: str | None = None
    dry_run: bool = False
    automatic: bool = False
    """AWS's own reply to a keyword; nobody called for it."""
    ttl_s: int = 259_200
    max_price: str | None = None
    keyword: str | None = None
    steps_done: int = 0
    """Bit n: step n has reached every destination, or was given up."""

    @property
    def key(self) -> str:
        """The MessageId."""
        return self.id


class InboundMessage(Record):
    """What a recipient sent to one of the account's numbers."""

    id: str
    sender: str
    recipient: str
    body: str
    at_ms: float
    keyword: str
    topic_arn: str | None = None
    previous_message_id: str | None = None
    published: bool = False

    @property
    def key(self) -> str:
        """The inbound message's id."""
        return self.id


class Spent(Record):
    """What a channel has cost an account in a calendar month."""

    channel: str
    month: str
    """In UTC, such as ``2026-01``."""
    micros: int

    @property
    def key(self) -> str:
        """Channel and month."""
        return spent_key(self.channel, self.month)


def spent_key(channel: str, month: str) -> str:
    """Return the key of what a channel has cost in a month."""
    return f"{channel}/{month}"


class StepDone(Record):
    """A step whose event has reached every destination, or was given up. Only ever in the journal."""

    message_id: str
    step: int

    @property
    def key(self) -> str:
        """Message and step."""
        return f"{self.message_id}/{self.step}"
