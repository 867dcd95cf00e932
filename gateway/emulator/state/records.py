"""
The records that an emulated account owns.

Every record knows its ``scope`` (account and Region) and its ``key`` inside its table, which is all the
journal needs to replay it. Timestamps ending in ``_s`` are epoch seconds, in ``_ms`` epoch milliseconds;
money is in micro-dollars.
"""

from abc import ABCMeta, abstractmethod

import msgspec


class _AbstractStruct(msgspec.StructMeta, ABCMeta):
    """Makes a struct of which a member may be abstract."""


class Record(msgspec.Struct, metaclass=_AbstractStruct, kw_only=True, tag=True, tag_field="record"):
    """A thing that is kept: one row of one table of one scope."""

    scope: str

    @property
    @abstractmethod
    def key(self) -> str:
        """Unique inside the record's table and scope."""

    @property
    def group(self) -> str:
        """What records of the table are also looked up by, fixed for life; empty for most."""
        return ""


class PhoneNumber(Record):
    """An origination number."""

    id: str
    number: str
    status: str
    country: str
    message_type: str
    capabilities: list[str]
    number_type: str
    monthly_price: str
    created_s: float
    settles_ms: float = 0.0
    """When a transitional status ends; 0 is never on its own."""
    two_way: bool = False
    channel_arn: str | None = None
    channel_role: str | None = None
    self_managed: bool = False
    opt_out_list: str = "Default"
    international: bool = False
    protected: bool = False
    pool_id: str | None = None
    registration_id: str | None = None

    @property
    def key(self) -> str:
        """The number's id."""
        return self.id

    @property
    def group(self) -> str:
        """The number itself, in digits."""
        return self.number.lstrip("+")


class SenderId(Record):
    """An alphanumeric sender in one country."""

    sender_id: str
    country: str
    message_types: list[str]
    monthly_price: str
    created_s: float
    protected: bool = False
    registered: bool = False
    registration_id: str | None = None

    @property
    def key(self) -> str:
        """Upper-cased name and country: matching ignores case."""
        return f"{self.sender_id.upper()}/{self.country}"


class Pool(Record):
    """Origination identities that send as one."""

    id: str
    status: str
    message_type: str
    created_s: float
    members: list[str]
    """Keys of phone numbers and sender ids, oldest first; only sender ids contain a slash."""
    settles_ms: float = 0.0
    two_way: bool = False
    channel_arn: str | None = None
    channel_role: str | None = None
    self_managed: bool = False
    opt_out_list: str = "Default"
    shared_routes: bool = False
    protected: bool = False

    @property
    def key(self) -> str:
        """The pool's id."""
        return self.id


class EventDestination(msgspec.Struct, kw_only=True):
    """Where a configuration set sends some event types. ``kind`` is the member name of the API."""

    name: str
    enabled: bool
    event_types: list[str]
    kind: str
    arn: str
    role: str | None = None


class ConfigurationSet(Record):
    """Defaults and event destinations for sends that name it."""

    name: str
    created_s: float
    destinations: list[EventDestination] = []
    default_message_type: str | None = None
    default_sender_id: str | None = None
    default_feedback: bool = False
    protect_id: str | None = None

    @property
    def key(self) -> str:
        """The set's name."""
        return self.name


class OptOutList(Record):
    """A named list of recipients that must not be sent to."""

    name: str
    created_s: float

    @property
    def key(self) -> str:
        """The list's name."""
        return self.name


class OptedOutNumber(Record):
    """One recipient on one opt-out list."""

    list_name: str
    number: str
    at_s: float
    by_recipient: bool

    @property
    def key(self) -> str:
        """List and number."""
        return f"{self.list_name}/{self.number}"

    @property
    def group(self) -> str:
        """The list."""
        return self.list_name


class OptOutRemoval(Record):
    """When a recipient was last taken off a list; only once in 30 days is allowed."""

    list_name: str
    number: str
    at_s: float

    @property
    def key(self) -> str:
        """List and number."""
        return f"{self.list_name}/{self.number}"


class NetworkOptOut(Record):
    """A recipient that the carrier network blocks for one toll-free number; AWS does not show it."""

    number: str
    recipient: str

    @property
    def key(self) -> str:
        """Number and recipient."""
        return f"{self.number}/{self.recipient}"


class Keyword(Record):
    """A word that starts an inbound message, and what happens then."""

    owner_id: str
    keyword: str
    message: str
    action: str

    @property
    def key(self) -> str:
        """Owner and upper-cased keyword."""
        return f"{self.owner_id}/{self.keyword}"

    @property
    def group(self) -> str:
        """The owner."""
        return self.owner_id


class ProtectConfiguration(Record):
    """Country rules; a country that is absent is allowed."""

    id: str
    created_s: float
    protected: bool = False
    rules: dict[str, dict[str, str]] = {}
    """Capability -> country -> ALLOW, BLOCK, MONITOR or FILTER."""

    @property
    def key(self) -> str:
        """The configuration's id."""
        return self.id


class NumberOverride(Record):
    """A recipient that a protect configuration treats differently from its country."""

    protect_id: str
    number: str
    action: str
    created_s: float
    country: str | None = None
    expires_s: float | None = None

    @property
    def key(self) -> str:
        """Configuration and number."""
        return f"{self.protect_id}/{self.number}"

    @property
    def group(self) -> str:
        """The configuration."""
        return self.protect_id


class AccountSettings(Record):
    """What the account itself is set to in one Region."""

    default_protect_id: str | None = None
    spend_overrides: dict[str, int] = {}
    """Channel (TEXT, VOICE, MEDIA) -> whole dollars."""

    @property
    def key(self) -> str:
        """There is one per scope."""
        return "settings"


class TagSet(Record):
    """The tags of one resource."""

    arn: str
    tags: dict[str, str]

    @property
    def key(self) -> str:
        """The resource's ARN."""
        return self.arn


class ResourcePolicy(Record):
    """Who else may use a resource."""

    arn: str
    policy: str
    created_s: float

    @property
    def key(self) -> str:
        """The resource's ARN."""
        return self.arn


class VerifiedNumber(Record):
    """A destination that a sandbox account may send to once it is verified."""

    id: str
    number: str
    status: str
    created_s: float
    code: str | None = None
    code_at_ms: float = 0.0
    codes_sent_ms: list[float] = []

    @property
    def key(self) -> str:
        """The entry's id."""
        return self.id


class ReplayedCall(Record):
    """The answer that a ClientToken replays."""

    action: str
    token: str
    fingerprint: str
    answer: str
    at_s: float

    @property
    def key(self) -> str:
        """Action and token."""
        return f"{self.action}/{self.token}"
