"""What would become of a send, without sending it: `/v1/messages/estimate` and `/v1/messages/explain`."""

from contextlib import suppress
from typing import Any

import asyncpg
from msgspec import Struct, structs

from gateway.admission.gate import AdmissionGate
from gateway.admission.peeking import Peek
from gateway.admission.verdict import Admission
from gateway.clock import Clock
from gateway.intake.allowance import counted
from gateway.intake.asking import admission_of, priced_by_sender
from gateway.intake.building import counts_against, drawn_on
from gateway.intake.choosing import Choosing, Chosen, none_fits
from gateway.intake.consented import consent_gate, without_consent
from gateway.intake.estimating import estimate_of
from gateway.intake.explained_gates import Surroundings, gates_of
from gateway.intake.explaining import Explanation, explain
from gateway.intake.outcome import Declined, Estimate
from gateway.intake.policies import Policies
from gateway.intake.prepare import TOO_DEAR, Draft, prepare
from gateway.intake.prices import Prices, Tariff
from gateway.intake.request import SendRequest
from gateway.intake.ruling import explained_rules
from gateway.intake.snapshot import TenantSnapshot, policy_of
from gateway.lanes.errors import RedisUnavailable
from gateway.routing.candidates import Candidate
from tenants.budgets.budget import Count
from tenants.budgets.counting import used_of
from tenants.credits.batch import available
from tenants.credits.rates import bundles
from tenants.scope import TenantScope


class _Looked(Struct, frozen=True, kw_only=True):
    """A draft with the sender that it would get, at that sender's price."""

    snapshot: TenantSnapshot
    tariff: Tariff
    draft: Draft
    candidates: tuple[Candidate, ...]
    chosen: Chosen | None


class Previewing:
    """One per API process; charges and stores nothing."""

    def __init__(
        self,
        *,
        policies: Policies,
        gate: AdmissionGate,
        choosing: Choosing,
        prices: Prices,
        pool: "asyncpg.Pool[Any]",
        clock: Clock,
    ) -> None:
        self._policies = policies
        self._gate = gate
        self._choosing = choosing
        self._prices = prices
        self._pool = pool
        self._clock = clock

    async def estimate(self, scope: TenantScope, request: SendRequest) -> Estimate | Declined:
        """Say what the text would be on the wire and cost with the sender that it would get."""
        looked = await self._look(scope, request)
        if isinstance(looked, Declined):
            return looked
        allowance = drawn_on(looked.snapshot, scope, looked.draft, at=self._clock.now())
        included = await self._included(allowance)
        if included < looked.draft.least_included:
            return TOO_DEAR
        return estimate_of(
            looked.draft, amount=_overage(looked.draft, allowance, included), included=included
        )

    async def explain(self, scope: TenantScope, request: SendRequest) -> Explanation | Declined:
        """Say what every gate would answer, which sender a text would get and why."""
        looked = await self._look(scope, request)
        if isinstance(looked, Declined):
            return looked
        snapshot, draft, chosen = looked.snapshot, looked.draft, looked.chosen
        sender, wait_ms = (None, None) if chosen is None else (chosen.sender, chosen.wait_ms)
        admission, now = (
            admission_of(snapshot, scope, request, draft, chosen or Chosen(None, 0)),
            self._clock.now(),
        )
        counts = counts_against(
            snapshot, scope, draft, sender, platform_budgets=looked.tariff.platform_budgets, at=now
        )
        allowance = drawn_on(snapshot, scope, draft, at=now)
        included = await self._included(allowance)
        if included < draft.least_included:
            return TOO_DEAR
        price = _overage(draft, allowance, included)
        no_consent = await without_consent(
            self._pool,
            scope,
            snapshot.plan,
            message_type=draft.type,
            recipient_hash=admission.recipient_hash,
        )
        gates = gates_of(
            policy_of(snapshot),
            admission,
            await self._surroundings(admission, counted(counts, price)),
            quote=structs.replace(draft.quote, amount=price),
            no_sender=none_fits(looked.candidates, snapshot, request, draft) if chosen is None else None,
            rules=explained_rules(snapshot, scope, request, draft, sender, now=now),
            consent=[consent_gate(snapshot.plan, draft.type, no_consent)],
        )
        return explain(
            snapshot,
            draft,
            looked.candidates,
            chosen=sender,
            wait_ms=wait_ms,
            gates=gates,
            amount=price,
            included=included,
        )

    async def _look(self, scope: TenantScope, request: SendRequest) -> _Looked | Declined:
        """Prepare, choose and price as a send does."""
        snapshot = await self._policies.of(scope.tenant_id)
        tariff = await self._prices.current(snapshot.plan)
        draft = prepare(snapshot, request, tariff.book_of(snapshot.plan), self._clock.now())
        if isinstance(draft, Declined):
            return draft
        found = tuple(self._choosing.candidates(snapshot, request, draft))
        chosen = await self._choosing.of(found, snapshot, scope, request, draft)
        priced = priced_by_sender(snapshot, request, draft, chosen.sender if chosen else None, tariff)
        if isinstance(priced, Declined):
            return priced
        return _Looked(snapshot=snapshot, tariff=tariff, draft=priced, candidates=found, chosen=chosen)

    async def _included(self, allowance: Count | None) -> int:
        """Return what of a send the month's bundle still covers, in what it counts."""
        if allowance is None:
            return 0
        async with self._pool.acquire() as connection:
            (used,) = await used_of(connection, [allowance])
        return bundles.drawn(units=allowance.amount, allowance=allowance.cap, used=used)

    async def _surroundings(self, admission: Admission, counts: tuple[Count, ...]) -> Surroundings:
        """Read what the gates look at."""
        counters: Peek | None = None
        with suppress(RedisUnavailable):
            counters = await self._gate.peek(
                admission.tenant_id,
                admission.country,
                live=admission.live,
                watched=admission.watched,
                recipient_hash=admission.recipient_hash,
            )
        async with self._pool.acquire() as connection:
            spendable = await available(connection, admission.tenant_id)
            used = await used_of(connection, counts)
        return Surroundings(
            now=self._clock.now(),
            opted_out=await self._policies.stands_on_a_list(
                admission.tenant_id, admission.recipient_hash, admission.use_cases
            ),
            override=await self._policies.override_that_holds(
                admission.tenant_id, admission.protect, admission.recipient_hash
            ),
            counters=counters,
            available=spendable,
            budgets=tuple(zip(counts, used, strict=True)),
        )


def _overage(draft: Draft, allowance: Count | None, included: int) -> int:
    """Return what of a send's price the month's bundle does not cover."""
    if allowance is None:
        return draft.quote.amount
    return bundles.overage(draft.quote.amount, units=allowance.amount, included=included)
