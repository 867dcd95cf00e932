"""
One send, from request to answer: judge, commit, conclude.

How it is judged stands in `gateway.intake.judging`. Nothing is stored before the commit, and nothing after it
can turn the answer back.
"""

import asyncio
from collections.abc import Sequence
from functools import lru_cache
from uuid import UUID

import structlog
from msgspec import structs

from gateway.admission.gate import AdmissionGate
from gateway.admission.verdict import Admitted
from gateway.clock import Clock
from gateway.errors import Unavailable
from gateway.intake.admitting import Admitting
from gateway.intake.allowance import covered
from gateway.intake.batch import IntakeCommit
from gateway.intake.building import Passed, accepted_view
from gateway.intake.cancel import cancel_message
from gateway.intake.choosing import Choosing, Ill
from gateway.intake.commit import (
    Decision,
    KeyMismatch,
    NoCredit,
    OverBudget,
    PlanChanged,
    Replay,
    Stored,
    TooDear,
)
from gateway.intake.explaining import Explanation
from gateway.intake.judging import Judging, MediaSource
from gateway.intake.outcome import Accepted, Declined, Estimate, RateState
from gateway.intake.plan_rates import PlanRates
from gateway.intake.policies import Policies
from gateway.intake.prepare import TOO_DEAR
from gateway.intake.previewing import Previewing
from gateway.intake.prices import Prices
from gateway.intake.protect_tally import ProtectTally
from gateway.intake.refusals import no_credit, over_budget
from gateway.intake.replays import KEY_MISMATCH, Replays
from gateway.intake.request import SendRequest
from gateway.intake.together import SendInBatch, send_together
from gateway.lanes.backlog import BacklogView
from gateway.messages.view import MessageView
from gateway.telemetry import metrics
from tenants.countries.numbers import country_of
from tenants.scope import TenantScope

_log = structlog.get_logger(__name__)
_accepted = lru_cache(maxsize=16)(metrics.MESSAGES_ACCEPTED.labels)


class Sending:
    """The use cases behind `/v1/messages`; one per API process."""

    def __init__(
        self,
        *,
        policies: Policies,
        gate: AdmissionGate,
        backlog: BacklogView,
        ill: Ill,
        commit: IntakeCommit,
        media: MediaSource,
        prices: Prices,
        replays: Replays,
        protect_tally: ProtectTally,
        clock: Clock,
        secret_key: str,
    ) -> None:
        choosing = Choosing(backlog, ill, replays.pool, clock)
        self._policies = policies
        self._backlog = backlog
        self._commit = commit
        self._replays = replays
        self._clock = clock
        self._rates = PlanRates(gate, policies)
        self._judging = Judging(
            policies=policies,
            prices=prices,
            choosing=choosing,
            backlog=backlog,
            admitting=Admitting(gate, policies, clock),
            media=media,
            protect_tally=protect_tally,
            pool=replays.pool,
            clock=clock,
            secret_key=secret_key,
        )
        self._previewing = Previewing(
            policies=policies,
            gate=gate,
            choosing=choosing,
            prices=prices,
            pool=replays.pool,
            clock=clock,
        )

    async def send(
        self,
        scope: TenantScope,
        request: SendRequest,
        *,
        idempotency_key: str | None = None,
        fingerprint: bytes | None = None,
    ) -> Accepted | Declined:
        """
        Accept or decline one message.

        Args:
            idempotency_key: The client's key; `fingerprint` is then the digest of what it stands for.

        Raises:
            Unavailable: Postgres or Redis could not be asked; nothing is known to be stored.
        """
        key = (idempotency_key, fingerprint) if idempotency_key and fingerprint else None
        passed = await self._judging.pass_gates(scope, request, key)
        outcome = passed if isinstance(passed, Declined) else await self._store(passed)
        concluded = await self.concluded(outcome, scope, key)
        if isinstance(concluded, Accepted) or (concluded.rates and concluded.code != "queue_full"):
            return concluded
        country = country_of(request.to)
        known = await self.rates_of(scope.tenant_id, live=scope.live, country=country)
        told = {rate.name: rate for rate in (*known, *concluded.rates)}
        return structs.replace(concluded, rates=tuple(told.values()))

    async def send_together(
        self, scope: TenantScope, sends: Sequence[SendInBatch]
    ) -> list[Accepted | Declined | BaseException] | Declined:
        """
        Accept or decline each of many messages; those that pass their gates share one commit.

        They are one request: over the plan's request rate they are declined together, unless some were taken
        under their keys before and have their answers.
        """
        counted = await self._rates.count_request(scope)
        if isinstance(counted, Admitted):
            return await send_together(self._judging, self, self._commit, scope, sends, counted=counted)
        if await self._replays.any_stored(scope, [send.key[0] for send in sends if send.key is not None]):
            return [*await asyncio.gather(*(self.concluded(counted, scope, send.key) for send in sends))]
        _count_refused(counted, scope)
        return counted

    async def concluded(
        self, outcome: Accepted | Declined, scope: TenantScope, key: tuple[str, bytes] | None
    ) -> Accepted | Declined:
        """Replay what the key got before instead of a refusal of today; count what became of it."""
        if isinstance(outcome, Declined) and key is not None:
            outcome = await self._replays.instead_of(outcome, scope, *key)
            if isinstance(outcome, Accepted):
                country = outcome.message.country
                rates = await self.rates_of(scope.tenant_id, live=scope.live, country=country)
                outcome = structs.replace(outcome, rates=rates)
        if isinstance(outcome, Declined):
            _count_refused(outcome, scope)
        elif not outcome.replayed:
            _accepted(outcome.message.type).inc()
        return outcome

    async def estimate(self, scope: TenantScope, request: SendRequest) -> Estimate | Declined:
        """Say what the text would be on the wire and cost; counts against nothing."""
        return await self._previewing.estimate(scope, request)

    async def explain(self, scope: TenantScope, request: SendRequest) -> Explanation | Declined:
        """Say what every gate would answer, which sender a text would get and why; counts against nothing."""
        return await self._previewing.explain(scope, request)

    async def rates_of(
        self, tenant_id: UUID, *, live: bool, country: str | None = None
    ) -> tuple[RateState, ...]:
        """Return where a tenant stands with the rates of its plan; it charges nothing and never fails."""
        return await self._rates.standing(tenant_id, live=live, country=country)

    async def cancel(self, scope: TenantScope, message_id: UUID) -> MessageView | Declined | None:
        """Cancel a message that no worker has taken yet; None if it is not the tenant's."""
        snapshot = await self._policies.of(scope.tenant_id)
        return await cancel_message(self._replays.pool, scope, message_id, snapshot.key, self._clock.now())

    async def _store(self, passed: Passed) -> Accepted | Declined:
        try:
            decision = await self._commit.submit(passed.built.message)
        except BaseException:
            self.give_up(passed)
            raise
        return await self.answer(passed, decision)

    def give_up(self, passed: Passed) -> None:
        """Take a send out of its line of which the commit said nothing."""
        if passed.coming is not None:
            self._backlog.leave(passed.coming)

    async def answer(self, passed: Passed, decision: Decision) -> Accepted | Declined:
        """Return what the commit's decision means to whoever asked."""
        message = passed.built.message
        if passed.coming is not None and isinstance(decision, Stored) and message.status == "queued":
            self._backlog.stay(passed.coming)
        else:
            self.give_up(passed)
        match decision:
            case Stored(included=included):
                view = accepted_view(covered(message, included), passed.admissible.draft)
                return Accepted(message=view, rates=passed.rates)
            case Replay(message_id=original):
                first = await self._replays.of(message.tenant_id, original, passed.admissible.snapshot.key)
                return structs.replace(first, rates=passed.rates)
            case KeyMismatch():
                return structs.replace(KEY_MISMATCH, rates=passed.rates)
            case PlanChanged():
                await self._policies.reload(message.tenant_id)
                raise Unavailable("the tenant's plan is changing", retry_after_ms=500)
            case TooDear():
                return structs.replace(TOO_DEAR, rates=passed.rates)
            case OverBudget() as over:
                return over_budget(over, message.unit, self._clock.now(), rates=passed.rates)
            case NoCredit() as short:
                return no_credit(short, message.unit, rates=passed.rates)


def _count_refused(declined: Declined, scope: TenantScope) -> None:
    metrics.MESSAGES_REFUSED.labels(gate=declined.code).inc()
    _log.info("message_refused", tenant_id=str(scope.tenant_id), gate=declined.code)
