"""
The candidates for a message in order, each with the reason why it was taken or passed over. Pure.

The gateway picks, and names the identity by ARN, so that it can explain the choice, limit the rate of the
very identity and replace it. First come the tenant's routes in their order, inside a route the types in
AWS's: the one with more throughput first, shared routes last. A simulator number comes after everything.
"""

from collections.abc import Sequence
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct

from gateway.routing.facts import RouteFact, SenderFact, TenantRouting
from tenants.errors import InvalidId
from tenants.ids import decode
from tenants.templates.use_cases import OF_TYPE

ORDER: Final = ("SHORT_CODE", "TEN_DLC", "LONG_CODE", "SENDER_ID", "TOLL_FREE", "SHARED", "SIMULATOR")
"""AWS's order inside a pool; SHARED is its last resort. The simulator serves tests and stands behind all."""
NEVER_SHARED: Final = frozenset({"US", "CN"})
"""AWS has no shared routes there."""
_LAST_RESORTS: Final = {"SHARED": 1, "SIMULATOR": 2}
USES_OF_TYPE: Final = {str(kind): frozenset[str](uses) for kind, uses in OF_TYPE.items()}
"""Registered use cases that a message of a type may have."""

Reason = Literal[
    "fits",
    "not_active",
    "not_named",
    "not_in_pool",
    "other_country",
    "channel_not_carried",
    "type_not_carried",
    "use_case_not_registered",
    "route_not_allowed",
    "shared_routes_off",
    "disabled",
    "unhealthy",
    "probe",
    "last_resort",
]


class Need(Struct, frozen=True, kw_only=True):
    """What a message asks of its sender."""

    country: str
    message_type: str
    channel: str = "sms"
    use_case: str | None = None
    """The registered use case of the message's template; None asks for one that fits the type."""
    named: str | None = None
    """The request's `from`: a number, a sender id, the id of either or of a pool; None for the pool."""


class Candidate(Struct, frozen=True, kw_only=True):
    """One identity of the tenant, and what the choice made of it."""

    sender: SenderFact
    taken: bool
    reason: Reason
    detail: str
    group: int
    """Equal for those of one route and type: among them the shortest line decides."""


def rank(routing: TenantRouting, need: Need) -> tuple[Candidate, ...]:
    """Return every identity of the tenant, best first; health is judged apart (`gateway.routing.judging`)."""
    places = _places(routing, need)
    ordered = sorted(routing.senders.values(), key=lambda sender: _key(routing, places, sender))
    different = dict.fromkeys(_group(routing, sender) for sender in ordered)
    groups = {group: number for number, group in enumerate(different)}
    return tuple(
        _candidate(routing, need, places, sender, groups[_group(routing, sender)]) for sender in ordered
    )


def best_group(candidates: Sequence[Candidate]) -> list[SenderFact]:
    """Return the taken senders that stand first together, in the order of their pool."""
    taken = [candidate for candidate in candidates if candidate.taken]
    return [candidate.sender for candidate in taken if candidate.group == taken[0].group]


def _candidate(
    routing: TenantRouting, need: Need, places: dict[UUID, int], sender: SenderFact, group: int
) -> Candidate:
    fault = _fault(routing, need, places, sender)
    if fault is not None:
        reason, detail = fault
        return Candidate(sender=sender, taken=False, reason=reason, detail=detail, group=group)
    detail = f"{sender.type} carries {need.message_type} messages to {need.country}"
    return Candidate(sender=sender, taken=True, reason="fits", detail=detail, group=group)


def _fault(
    routing: TenantRouting, need: Need, places: dict[UUID, int], sender: SenderFact
) -> tuple[Reason, str] | None:
    """Return the first thing that keeps a sender from this message."""
    if sender.state != "active":
        return "not_active", f"it is {sender.state}"
    if sender.id not in places:
        if need.named is not None:
            return "not_named", "the request's `from` names another"
        return "not_in_pool", f"it is in no pool for {need.message_type} messages"
    if sender.country != need.country:
        return "other_country", f"it serves {sender.country}"
    return _capability_fault(need, sender) or route_fault(routing, need.country, sender)


def _capability_fault(need: Need, sender: SenderFact) -> tuple[Reason, str] | None:
    if need.channel not in sender.channels:
        return "channel_not_carried", f"it carries {', '.join(sorted(sender.channels))}, not {need.channel}"
    if need.message_type not in sender.message_types:
        return "type_not_carried", f"it carries {', '.join(sorted(sender.message_types))} messages"
    return _use_case_fault(need, sender)


def _use_case_fault(need: Need, sender: SenderFact) -> tuple[Reason, str] | None:
    """A template has its own use case; free text may have any that fits its type."""
    if not sender.use_cases:
        return None
    wanted = USES_OF_TYPE[need.message_type] if need.use_case is None else {need.use_case}
    if not sender.use_cases.isdisjoint(wanted):
        return None
    registered = ", ".join(sorted(sender.use_cases))
    what = need.use_case or f"{need.message_type} messages"
    return "use_case_not_registered", f"it is registered for {registered}, not for {what}"


def route_fault(
    routing: TenantRouting, country: str, sender: SenderFact
) -> tuple[Literal["route_not_allowed", "shared_routes_off"], str] | None:
    """Return why nothing of the tenant's may leave by the sender's account, or None."""
    route = routing.routes.get(sender.account_id)
    if route is None:
        return "route_not_allowed", "its AWS account is not among the tenant's routes"
    if sender.type != "SHARED":
        return None
    if country in NEVER_SHARED:
        return "shared_routes_off", f"there are no shared routes to {country}"
    if not (routing.shared_routes and route.shared_routes):
        return "shared_routes_off", "shared routes are not enabled for the tenant and its route"
    return None


def _places(routing: TenantRouting, need: Need) -> dict[UUID, int]:
    """Return the place of each sender that the request names or the tenant's pools hold for the type."""
    return {sender_id: place for place, sender_id in enumerate(dict.fromkeys(_wanted(routing, need)))}


def _wanted(routing: TenantRouting, need: Need) -> list[UUID]:
    if need.named is None:
        if not routing.pools:
            return list(routing.senders)
        return [
            i for pool in routing.pools if need.message_type in pool.message_types for i in pool.sender_ids
        ]
    return named_senders(routing, need.named)


def named_senders(routing: TenantRouting, named: str) -> list[UUID]:
    """Return the senders that a `from` means by value, id or pool; none where it names nothing."""
    if (pool_id := _id("pool", named)) is not None:
        return [i for pool in routing.pools if pool.id == pool_id for i in pool.sender_ids]
    if (sender_id := _id("idn", named)) is not None:
        return [sender_id] if sender_id in routing.senders else []
    return [sender.id for sender in routing.senders.values() if _shows(sender, named)]


def _id(prefix: str, text: str) -> UUID | None:
    try:
        return decode(prefix, text)
    except InvalidId:
        return None


def _shows(sender: SenderFact, named: str) -> bool:
    """A sender id is the same in any case; a phone number that was released may come back as another row."""
    return sender.value == named or (sender.type == "SENDER_ID" and sender.value.lower() == named.lower())


_Group = tuple[int, int, int]
_NOWHERE: Final = RouteFact(account_id=UUID(int=0), region="", position=2**15)


def _group(routing: TenantRouting, sender: SenderFact) -> _Group:
    route = routing.routes.get(sender.account_id, _NOWHERE)
    return _LAST_RESORTS.get(sender.type, 0), route.position, ORDER.index(sender.type)


def _key(routing: TenantRouting, places: dict[UUID, int], sender: SenderFact) -> tuple[_Group, int]:
    return _group(routing, sender), places.get(sender.id, len(places))
