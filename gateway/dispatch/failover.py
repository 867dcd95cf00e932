"""
Whether a message goes to another sender after a call, and to which. Pure.

Only what AWS certainly did not take moves on: a refusal of the identity, of the account, or a connection that
was never made. An unknown outcome never does: the text may be on its way, and a second sender would send it
again. From the one that failed it goes to the next identity, then the next account, then the next Region,
each once; the tenant's own order of routes comes first where the operator has set one. A connection that was
not made is the Region's fault as a rule, so another account there is tried last: its endpoint may be its own.
What the operator puts out of use it leaves for one that it left before, too, where there is no other: here it
could only expire.
With `sticky_sender` it goes where new messages of its recipient go, so that a person sees one number: to the
sender that it had last among those that are left, and by hash where it had none.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal, TypeAlias
from uuid import UUID

from msgspec import Struct

from gateway.carrier.ports import NotSent, Refused, Sent, Unknown
from gateway.dispatch.record import Expired, NotOpened, Result
from gateway.routing.candidates import Candidate, best_group
from gateway.routing.facts import SenderFact, TenantRouting
from gateway.routing.sticky import sticky
from gateway.routing.tally import CallResult

Blame = Literal["sender", "account", "region"]

_OF_THE_SENDER: Final = frozenset({"no_originator", "sender_not_registered"})
"""Refusals that another identity may not meet."""
_OF_THE_PRICE: Final = "price_over_max"
_OF_THE_WAY: Final = "connect_failed"
DISABLED: Final = "disabled"
"""Why a message was kept back, without a call, whose sender or route the operator has put out of use."""
OFF_ROUTE: Final = "route_not_allowed"
"""Why one was kept back whose AWS account is not among the tenant's routes any more."""
SHARED_OFF: Final = "shared_routes_off"
"""Why one was kept back that would leave by shared routes, which its tenant or its account has no more."""
_BY_HAND: Final = frozenset({DISABLED, OFF_ROUTE, SHARED_OFF})
NO_IDENTITY: Final = "NO_ORIGINATION_IDENTITIES_FOUND"


class Step(Struct, frozen=True, kw_only=True):
    """One sender that a message was moved away from."""

    sender: UUID
    account: UUID
    region: str
    value: str
    blame: Blame
    code: str
    """Stable; the tenant reads it in `message.rerouted`."""
    at: datetime
    lease: datetime | None = None
    """The end of the mark's lease, which names the attempt; None for a message that had none under way."""


class Failure(Struct, frozen=True, kw_only=True):
    """A call that AWS certainly did not take."""

    blame: Blame
    code: str
    definite: bool
    """Whether one such answer says enough; a connection that fails may come back in a second."""
    by_hand: bool = False
    """Whether the operator took the sender away, which says nothing of those that were left before it."""


class Stay(Struct, frozen=True, tag="stay"):
    """It stays with its sender and is recorded as usual."""


class GoTo(Struct, frozen=True, tag="go_to"):
    """It moves on."""

    sender: SenderFact


Move: TypeAlias = Stay | GoTo


def failure_of(result: Result, *, moved: bool) -> Failure | None:
    """
    Return what failed, or None for an outcome that must not, or need not, lead to another sender.

    Args:
        moved: Whether the message was moved before. Only then is a price above the hold the sender's fault:
            the first one's was known when the hold was taken, and a dearer one is passed over.
    """
    match result:
        case Refused(code=code) if code in _OF_THE_SENDER or (moved and code == _OF_THE_PRICE):
            return Failure(blame="sender", code=code, definite=True)
        case NotSent(fault="sender" | "account" as fault, reason=reason):
            return Failure(blame=fault, code=reason, definite=True, by_hand=reason in _BY_HAND)
        case NotSent(fault="passing", reason=reason) if reason == _OF_THE_WAY:
            return Failure(blame="region", code=reason, definite=False)
        case Sent() | Refused() | NotSent() | NotOpened() | Unknown() | Expired():
            return None


def next_move(
    failure: Failure,
    *,
    current: UUID,
    account: UUID,
    failures: int,
    after: int,
    trail: Sequence[Step],
    candidates: Sequence[Candidate],
    routing: TenantRouting,
    spread: int = 0,
    had: Sequence[UUID] = (),
    recipient_hash: bytes = b"",
) -> Move:
    """
    Return where a message goes after a failure.

    Args:
        current: The sender that failed.
        account: The AWS account by which it did; where the sender has another by now, that is a way, too.
        failures: Its failures with this message before this one.
        after: How many failures of a kind that may pass move a message on.
        candidates: All of the tenant's senders as they are judged now, best first.
        spread: Any number of the message's own: it chooses between equals.
        recipient_hash: Chooses in its stead for a tenant with `sticky_sender`, as it does for new messages.
        had: What comes before the hash there: senders of the recipient's last days, that of the newest first.
    """
    if not failure.definite and failures + 1 < after:
        return Stay()
    tried = {(current, account), *((step.sender, step.account) for step in trail)}
    accounts = {step.account for step in trail if step.blame != "sender"}
    regions = {step.region for step in trail if step.blame == "region"}
    if failure.blame != "sender":
        accounts.add(account)
    if failure.blame == "region":
        regions.add(_region(routing, account))
    untried = [
        candidate
        for candidate in candidates
        if candidate.taken
        and (candidate.sender.id, candidate.sender.account_id) not in tried
        and candidate.sender.account_id not in accounts
    ]
    elsewhere = [each for each in untried if _region(routing, each.sender.account_id) not in regions]
    left = elsewhere or untried or (_but(candidates, current, account) if failure.by_hand else [])
    if not left:
        return Stay()
    if routing.sticky_sender:
        return GoTo(sticky(best_group(left), recipient_hash, had))
    here = _region(routing, account)
    distances = [_distance(routing, candidate, account, here) for candidate in left]
    nearest = [
        candidate for candidate, distance in zip(left, distances, strict=True) if distance == min(distances)
    ]
    return GoTo(nearest[spread % len(nearest)].sender)


def call_result(result: Result) -> CallResult | None:
    """
    Return what a call says about the health of its sender and route; None for nothing.

    A route without keys has failed: nothing left, and nothing can until they are back.
    """
    match result:
        case NotSent(fault="throttled"):
            return "throttled"
        case NotSent(fault=fault, reason=reason):
            return "failed" if fault != "passing" or reason == _OF_THE_WAY else None
        case Refused(code=code):
            return "failed" if code in _OF_THE_SENDER else "answered"
        case Unknown():
            return "unknown"
        case Sent() | NotOpened() | Expired():
            return "answered" if isinstance(result, Sent) else None


def _distance(
    routing: TenantRouting, candidate: Candidate, home: UUID, region: str
) -> tuple[bool, int, bool, int]:
    """Identity before account before Region, then the candidates' own order."""
    route = routing.routes[candidate.sender.account_id]
    return route.account_id != home, route.position, route.region != region, candidate.group


def _but(candidates: Sequence[Candidate], sender: UUID, account: UUID) -> list[Candidate]:
    """Return the taken ones without one; what is out of use is not taken, so nothing moves to and fro."""
    return [
        each
        for each in candidates
        if each.taken and (each.sender.id, each.sender.account_id) != (sender, account)
    ]


def _region(routing: TenantRouting, account: UUID) -> str:
    route = routing.routes.get(account)
    return "" if route is None else route.region
