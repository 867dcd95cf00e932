"""Which sender a draft gets: the tenant's candidates, less the ill ones, and of the best the least busy."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from uuid import UUID

import asyncpg
from msgspec import Struct, structs

from gateway.clock import Clock
from gateway.intake.building import PRIORITIES, SANDBOX_GATES, route_of
from gateway.intake.last_sender import kept_sender
from gateway.intake.outcome import Declined
from gateway.intake.prepare import Draft
from gateway.intake.request import SendRequest
from gateway.intake.snapshot import TenantSnapshot
from gateway.lanes.backlog import BacklogView, Look
from gateway.lanes.lanes import LaneKey
from gateway.lanes.line_sums import Line
from gateway.routing.candidates import Candidate, Need, best_group, named_senders, rank
from gateway.routing.facts import SenderFact
from gateway.routing.health import Illness
from gateway.routing.judging import judge
from gateway.routing.lanes import channel_gates, lane_identity
from tenants.scope import TenantScope

Ill = Callable[[], Mapping[UUID, Illness]]
"""What is not healthy now, by id of sender and of account; from memory."""
_MOST_REASONS: Final = 3
_MOST_RANKED: Final = 500
"""Kinds of messages whose order is kept per snapshot: countries, types and channels of one tenant."""
_MOST_LINES: Final = 2_000
"""Lines that are kept per snapshot: the same, for each sender."""


class Chosen(Struct, frozen=True):
    """The sender that was taken, and how long its line is."""

    sender: SenderFact | None
    """None is the sandbox's own sender."""
    wait_ms: int
    parts_per_second: float | None = None
    """Of the slowest gate that a message passes there; None where nobody is asked for one."""
    line: Line | None = None
    """None for the sandbox's own sender."""


SANDBOX: Final = Chosen(None, 0, SANDBOX_GATES.parts_per_second)
"""The sandbox's own sender, for test keys of tenants that have none; it has no line."""


class Choosing:
    """One per API process."""

    def __init__(
        self, backlog: BacklogView, ill: Ill, pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock
    ) -> None:
        self._backlog = backlog
        self._ill = ill
        self._pool = pool
        self._clock = clock

    def candidates(self, snapshot: TenantSnapshot, request: SendRequest, draft: Draft) -> Sequence[Candidate]:
        """Return every sender of the tenant, best first, each with why it was taken or not."""
        ill = self._ill()
        ranked = _wanted(snapshot, need_of(request, draft))
        return judge(ranked, ill, draw=random.random()) if ill else ranked  # noqa: S311 - a share, not a secret

    async def choose(
        self, snapshot: TenantSnapshot, scope: TenantScope, request: SendRequest, draft: Draft
    ) -> Chosen | None:
        """Return the sender with the shortest line among the best; None where none may carry the message."""
        return await self.of(self.candidates(snapshot, request, draft), snapshot, scope, request, draft)

    async def of(
        self,
        candidates: Sequence[Candidate],
        snapshot: TenantSnapshot,
        scope: TenantScope,
        request: SendRequest,
        draft: Draft,
    ) -> Chosen | None:
        """Return the choice among candidates that are at hand already."""
        best = best_group(candidates)
        if not best:
            return SANDBOX if not scope.live and not isinstance(request.from_, str) else None
        if len(best) == 1:
            return await self._with_wait(snapshot, scope, draft, best[0])
        if snapshot.plan.sticky_sender:
            recipient = snapshot.key.recipient_hash(draft.number.e164)
            own = await kept_sender(self._pool, scope, best, recipient_hash=recipient, now=self._clock.now())
            return await self._with_wait(snapshot, scope, draft, own)
        lines = [(sender, _line(snapshot, scope, draft, sender)) for sender in best]
        looks = [await self._backlog.look(line, snapshot.tenant_id) for _, line in lines]
        # Compared when all are known: who was looked at first may have been given others meanwhile.
        found = [self._chosen(*each, look) for each, look in zip(lines, looks, strict=True)]
        return min(found, key=lambda each: each.wait_ms)

    def no_sender(self, snapshot: TenantSnapshot, request: SendRequest, draft: Draft) -> Declined:
        """Say why nobody carries it."""
        return none_fits(self.candidates(snapshot, request, draft), snapshot, request, draft)

    async def _with_wait(
        self, snapshot: TenantSnapshot, scope: TenantScope, draft: Draft, sender: SenderFact
    ) -> Chosen:
        line = _line(snapshot, scope, draft, sender)
        return self._chosen(sender, line, await self._backlog.look(line, snapshot.tenant_id))

    def _chosen(self, sender: SenderFact, line: Line, look: Look) -> Chosen:
        return Chosen(sender, self._backlog.wait_ms(line, look), line.slowest, line)


def need_of(request: SendRequest, draft: Draft) -> Need:
    """Return what the message asks of its sender."""
    return Need(
        country=draft.number.country,
        message_type=draft.type,
        channel=request.channel,
        use_case=draft.template.use_case if draft.template else None,
        named=request.from_ if isinstance(request.from_, str) else None,
    )


def none_fits(
    found: Sequence[Candidate], snapshot: TenantSnapshot, request: SendRequest, draft: Draft
) -> Declined:
    """Say why none of the candidates carries it: what keeps those who are there, or whom `from` names."""
    other_use = next((each for each in found if each.reason == "use_case_not_registered"), None)
    if other_use is not None:
        return Declined(
            code="use_case_mismatch", detail=f"the sender {other_use.sender.value}: {other_use.detail}"
        )
    if isinstance(request.from_, str):
        detail = _unusable(found, named_senders(snapshot.routing, request.from_))
    else:
        detail = f"the tenant has no active sender for {draft.type} messages to {draft.number.country}"
    return Declined(code="no_originator", detail=detail)


def _unusable(found: Sequence[Candidate], named: Sequence[UUID]) -> str:
    """Say of the first few senders that a request names why none of them carries it."""
    reasons = [f"{each.sender.value}: {each.detail}" for each in found if each.sender.id in named]
    return f"what `from` names cannot carry the message: {'; '.join(reasons[:_MOST_REASONS])}"


def _wanted(snapshot: TenantSnapshot, need: Need) -> tuple[Candidate, ...]:
    """Order the senders; the plan's `default_from` comes first where it can carry what names none itself."""
    if need.named is not None:
        return rank(snapshot.routing, need)
    if snapshot.plan.default_from is not None:
        by_default = _ranked(snapshot, structs.replace(need, named=snapshot.plan.default_from))
        if any(each.taken for each in by_default):
            return by_default
    return _ranked(snapshot, need)


def _line(snapshot: TenantSnapshot, scope: TenantScope, draft: Draft, sender: SenderFact) -> Line:
    """Say which line a message would join at a sender: once per snapshot and kind of message."""
    country = draft.number.country
    kind = (sender.id, scope.live, draft.channel, draft.type, country)
    known = snapshot.lines.get(kind)
    if known is None:
        gates = channel_gates(sender, draft.channel)
        known = Line(
            route=route_of(scope, sender),
            lane=LaneKey(lane_identity(sender.identity, draft.channel), country, PRIORITIES[draft.type]),
            rate=gates.rate(country),
            tenant_rate=snapshot.plan.mps(country),
            shared=gates.shared,
            caps=gates.daily,
        )
        if len(snapshot.lines) < _MOST_LINES:
            snapshot.lines[kind] = known
    return known


def _ranked(snapshot: TenantSnapshot, need: Need) -> tuple[Candidate, ...]:
    """Order the tenant's senders once per snapshot and kind of message; what clients name is not kept."""
    known = snapshot.ranked.get(need)
    if known is None:
        known = rank(snapshot.routing, need)
        if len(snapshot.ranked) < _MOST_RANKED:
            snapshot.ranked[need] = known
    return known
