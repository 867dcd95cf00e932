"""
The messages that go into lanes and the claims that come out, with their packed forms.

Redis holds no content and no number: a queued message is the 28 bytes of `pack_item`, and where it belongs
is the 35 bytes of `pack_flow`. Both layouts are described on top of `structure.lua`, which reads them.
"""

import enum
import struct
from uuid import UUID

from msgspec import Struct

from gateway.lanes.gates import SECOND_US
from tenants.ids import from_bytes

RECIPIENT_BYTES = 8
ANY_RECIPIENT = bytes(RECIPIENT_BYTES)
"""The recipient hash that switches the one-message-a-second gate off."""
_MAX_BYTE = 255
_COUNTRY_LETTERS = 2
_ITEM = struct.Struct("!16s8sBBBB")
_FLOW = struct.Struct("!1s16s2s16s")
_PROBE = 2
_AHEAD = struct.Struct("!I")
ITEM_BYTES = _ITEM.size
FLOW_BYTES = _FLOW.size
IN_PACIFIC_TIME = "pt:"
"""How the names of daily caps begin whose day is the Pacific's; `gates.lua` has the same."""


class Priority(enum.IntEnum):
    """Which message goes first when two wait at one gate; the smaller number wins."""

    OTP = 0
    TRANSACTIONAL = 1
    PROMOTIONAL = 2


class RateGate(Struct, frozen=True):
    """A ceiling that several identities share, such as the one of a 10DLC campaign."""

    name: str
    parts_per_second: float


class DailyCap(Struct, frozen=True):
    """A ceiling per day that several identities may share, such as T-Mobile's for a 10DLC brand."""

    name: str
    """Begins with `IN_PACIFIC_TIME` where its midnight is the Pacific's, as T-Mobile's is; else UTC's."""
    parts_per_day: int


class LaneEntry(Struct, frozen=True, kw_only=True):
    """
    A message that may leave as soon as every gate is open.

    The rates are facts of the lane (identity and country) and of the tenant, not of the message: the push
    with the newest policy version decides them for everything queued there.

    Raises:
        ValueError: A field does not fit its place in the packed form.
    """

    message_id: UUID
    route: str
    """AWS account and Region, for example `main.us-east-1`; letters, digits, dots, dashes, underscores."""
    identity: UUID
    country: str
    """ISO 3166 alpha-2 code of the destination."""
    priority: Priority
    tenant_id: UUID
    parts: int
    """1 to 255."""
    identity_rate: float
    """Parts per second of this identity in this country."""
    recipient_hash: bytes = ANY_RECIPIENT
    """8 bytes, equal for equal recipients of one route, whoever the tenant is."""
    attempt: int = 1
    weight: int = 1
    """The tenant's share against the other tenants of the lane."""
    tenant_rate: float | None = None
    """Parts per second of this tenant in this country over all identities, None for no such gate."""
    shared_gates: tuple[RateGate, ...] = ()
    daily_caps: tuple[DailyCap, ...] = ()
    version: int = 0
    """Policy version of the tenant that the rates are from; older ones never replace newer ones."""

    def __post_init__(self) -> None:
        """Refuse what the packed form cannot hold."""
        if len(self.recipient_hash) != RECIPIENT_BYTES or len(self.country) != _COUNTRY_LETTERS:
            raise ValueError("a recipient hash has 8 bytes and a country 2 letters")
        if not (1 <= self.parts <= _MAX_BYTE and 0 <= self.attempt <= _MAX_BYTE and self.weight >= 1):
            raise ValueError("parts are 1 to 255, attempts 0 to 255, a weight at least 1")
        if self.identity_rate <= 0 or (self.tenant_rate is not None and self.tenant_rate <= 0):
            raise ValueError("a rate is above zero")


class LaneTerms(Struct, frozen=True, kw_only=True):
    """What holds for one tenant's messages of an identity to a country, without a message."""

    route: str
    identity: UUID
    country: str
    tenant_id: UUID
    identity_rate: float
    weight: int = 1
    tenant_rate: float | None = None
    shared_gates: tuple[RateGate, ...] = ()
    daily_caps: tuple[DailyCap, ...] = ()
    version: int = 0
    priority: Priority = Priority.OTP
    """Terms hold for every priority; this one only names a flow."""


class ClaimedMessage(Struct, frozen=True, kw_only=True):
    """A message whose gates are charged; it must leave now, or be given back."""

    message_id: UUID
    route: str
    tenant_id: UUID
    identity: UUID
    country: str
    priority: Priority
    parts: int
    attempt: int
    claims: int
    """1, and one more for each time a lease ran out with it: a message that kills workers shows here."""
    recipient_hash: bytes
    probe: bool = False
    """Its flow or its route is held, and this message asks whether that is over."""
    send_at_us: int = 0
    """The instant at which it may leave, by the route's clock, in microseconds."""
    release_at: float = 0.0
    """The same instant by this process's monotonic clock, in seconds."""
    by_lanes: bool = True
    """False for one that leaves at a static share, while Redis is away."""


class Claimed(Struct, frozen=True, kw_only=True):
    """What one claim brought, and when to come back."""

    messages: list[ClaimedMessage]
    unreadable: list[UUID] = []
    """Messages that were claimed and whose entry makes no sense; Postgres has to take them out."""
    next_open_ms: int | None = None
    """Milliseconds until the next claim can bring something; 0 for at once, None when nothing is queued."""
    epoch_missing: bool = False
    """The route's lanes were lost with Redis's memory and must be rebuilt from Postgres."""


def pack_flow(entry: LaneEntry | LaneTerms | ClaimedMessage) -> bytes:
    """Return where the message belongs: priority, identity, country, tenant."""
    return _FLOW.pack(
        b"%d" % entry.priority, entry.identity.bytes, entry.country.encode("ascii"), entry.tenant_id.bytes
    )


def pack_item(entry: LaneEntry | ClaimedMessage, *, attempt: int) -> bytes:
    """Return the message itself: id, recipient, parts, attempt, and two bytes that the scripts keep."""
    return _ITEM.pack(entry.message_id.bytes, entry.recipient_hash, entry.parts, attempt, 0, 0)


def parts_leased(packed: bytes) -> int:
    """Return the parts of a lease's entry, which is a flow followed by an item."""
    _message_id, _recipient_hash, parts, *_rest = _ITEM.unpack_from(packed, FLOW_BYTES)
    return int(parts)


def unpack_claimed(route: str, packed: bytes, *, now_us: int, now: float) -> ClaimedMessage:
    """Return the claim behind a flow, an item and the us to its instant; `now` is `now_us` by our clock."""
    priority, identity, country, tenant_id = _FLOW.unpack_from(packed)
    message_id, recipient_hash, parts, attempt, claims, flags = _ITEM.unpack_from(packed, FLOW_BYTES)
    (ahead_us,) = _AHEAD.unpack_from(packed, FLOW_BYTES + ITEM_BYTES)
    return ClaimedMessage(
        message_id=from_bytes(message_id),
        route=route,
        tenant_id=from_bytes(tenant_id),
        identity=from_bytes(identity),
        country=country.decode("ascii"),
        priority=Priority(int(priority)),
        parts=parts,
        attempt=attempt,
        claims=claims,
        recipient_hash=recipient_hash,
        probe=bool(flags & _PROBE),
        send_at_us=now_us + ahead_us,
        release_at=now + ahead_us / SECOND_US,
    )
