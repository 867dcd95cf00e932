"""
One send, from request to answer: prepare, choose the sender, admit, commit.

The way is linear and each step may end it. Nothing is stored before the commit, and nothing after it can
turn the answer back.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from typing import Protocol
from uuid import UUID

import structlog
from msgspec import Struct, structs

from gateway.admission.coarse_velocity import CoarseVelocity
from gateway.admission.fallback import closed_gate, decide_without_redis
from gateway.admission.gate import AdmissionGate
from gateway.admission.peeking import Peek
from gateway.admission.pumping import Hold
from gateway.admission.verdict import Admission, Admitted, Refused, StalePolicy, Unprojected, Verdict
from gateway.clock import Clock
from gateway.db.faults import DATABASE_FAULTS
from gateway.errors import GatewayError, Unavailable
from gateway.intake.allowance import covered
from gateway.intake.asking import admission_of, ruled_draft
from gateway.intake.batch import IntakeCommit
from gateway.intake.building import Admissible, Passed, accepted_view, build, lane_recipients
from gateway.intake.cancel import cancel_message
from gateway.intake.choosing import Choosing, Chosen, Ill
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
from gateway.intake.consented import without_consent
from gateway.intake.explaining import Explanation
from gateway.intake.outcome import Accepted, Declined, Estimate, FieldFault, RateState
from gateway.intake.policies import Policies
from gateway.intake.prepare import TOO_DEAR, Draft, prepare
from gateway.intake.previewing import Previewing
from gateway.intake.prices import Prices, Tariff
from gateway.intake.protect_tally import ProtectTally
from gateway.intake.pumping_notices import tell
from gateway.intake.rate_states import after_refusal, after_send, looked_at
from gateway.intake.refusals import declined, over_budget, requests_used_up
from gateway.intake.replays import KEY_MISMATCH, Replays
from gateway.intake.request import SendRequest
from gateway.intake.snapshot import TenantSnapshot, policy_of
from gateway.intake.together import SendInBatch, send_together
from gateway.lanes.backlog import BacklogView, Coming
from gateway.lanes.errors import RedisUnavailable
from gateway.lanes.line_sums import Line
from gateway.media.kinds import MediaRefused
from gateway.messages.content import Content, Media
from gateway.messages.view import MessageView
from gateway.routing.facts import SenderFact
from gateway.telemetry import metrics
from tenants.countries.numbers import country_of
from tenants.credits.money import amount_text
from tenants.errors import TenantsError
from tenants.scope import TenantScope

_log = structlog.get_logger(__name__)
_accepted = lru_cache(maxsize=16)(metrics.MESSAGES_ACCEPTED.labels)

_TRUTH_AGE_S = 1.0
"""A change of policy is in force everywhere within a second, with Redis or without."""
_OTHERS_FILL_S = 0.1
"""What another process needs to project a tenant with few opt-outs."""
_TRIES = 4
"""A policy that moves between reading and admitting is read again; four times in one send is a fault."""


class _Found(Struct, frozen=True):
    """A draft with the sender that was chosen for it, and what it was judged by."""

    snapshot: TenantSnapshot
    tariff: Tariff
    draft: Draft
    chosen: Chosen
    coming: Coming | None
    now: datetime


class _Place(Struct):
    """Where a send stands in its line while it is judged, and what it was told of that."""

    coming: Coming | None = None
    wait_ms: int = 0


class MediaSource(Protocol):
    """Where the file of an MMS comes from; `gateway.media.desk.MediaDesk` fits."""

    async def attached(
        self, scope: TenantScope, reference: str, *, account_id: UUID | None, until: datetime
    ) -> Media | MediaRefused:
        """Return the file by its id or its address, staged in the account that sends it."""
        ...


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
        self._policies = policies
        self._gate = gate
        self._backlog = backlog
        self._choosing = Choosing(backlog, ill, replays.pool, clock)
        self._commit = commit
        self._media = media
        self._prices = prices
        self._replays = replays
        self._protect_tally = protect_tally
        self._clock = clock
        self._recipients = lane_recipients(secret_key)
        self._coarse = CoarseVelocity()
        self._previewing = Previewing(
            policies=policies,
            gate=gate,
            choosing=self._choosing,
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
        passed = await self.pass_gates(scope, request, key)
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
        counted = await self._count_request(scope)
        if isinstance(counted, Admitted):
            return await send_together(self, self._commit, scope, sends, counted)
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
        """
        Return where a tenant's live or test keys stand with the request rate, and with that to a country.

        Charges nothing. It stands beside an answer that is made already, so it never fails: who cannot be
        asked says nothing.
        """
        with suppress(GatewayError, TenantsError, *DATABASE_FAULTS):
            plan = (await self._policies.of(tenant_id)).plan
            refusing = plan.burst == "refuse" and country is not None and plan.mps(country) is not None
            found: Peek | None = None
            if plan.requests_per_second is not None or refusing:
                with suppress(RedisUnavailable):
                    found = await self._gate.peek(tenant_id, country or "", live=live)
            return looked_at(plan, country, found)
        return ()

    async def cancel(self, scope: TenantScope, message_id: UUID) -> MessageView | Declined | None:
        """Cancel a message that no worker has taken yet; None if it is not the tenant's."""
        snapshot = await self._policies.of(scope.tenant_id)
        return await cancel_message(self._replays.pool, scope, message_id, snapshot.key, self._clock.now())

    async def pass_gates(
        self,
        scope: TenantScope,
        request: SendRequest,
        key: tuple[str, bytes] | None,
        counted: Admitted | None = None,
    ) -> Passed | Declined:
        """
        Ask every gate but money.

        Args:
            counted: What the request rate said of the request, where it is counted already.

        Raises:
            Unavailable: Postgres or Redis could not be asked, or the tenant's policy keeps changing.
        """
        place = _Place()
        passed: Passed | Declined | None = None
        try:
            for _ in range(_TRIES):
                passed = await self._try(place, scope, request, key, counted)
                if passed is not None:
                    return passed
        finally:
            if place.coming is not None and not isinstance(passed, Passed):
                self._backlog.leave(place.coming)
        raise Unavailable("the tenant's policy keeps changing", retry_after_ms=1000)

    async def _try(
        self,
        place: _Place,
        scope: TenantScope,
        request: SendRequest,
        key: tuple[str, bytes] | None,
        counted: Admitted | None,
    ) -> Passed | Declined | None:
        """Ask every gate by the policy as it is known; None where it is to be read again."""
        snapshot, now = await self._policies.of(scope.tenant_id), self._clock.now()
        tariff = await self._prices.current()
        draft = prepare(snapshot, request, tariff.book_of(snapshot.plan), now)
        if isinstance(draft, Declined):
            return draft
        chosen = await self._choosing.choose(snapshot, scope, request, draft)
        if chosen is None:
            refusal = self._choosing.no_sender(snapshot, request, draft)
            return _gate_before(snapshot, scope, request, draft, now) or refusal
        chosen = self._stand(place, chosen, draft, scope)
        found = _Found(snapshot, tariff, draft, chosen, place.coming, now)
        return await self._judged(found, scope, request, key, counted)

    def _stand(self, place: _Place, chosen: Chosen, draft: Draft, scope: TenantScope) -> Chosen:
        """Let those who choose after it see it in its line, before all else; once for all tries."""
        if place.coming is not None:
            if _same_line(chosen.line, place.coming.line):
                return structs.replace(chosen, wait_ms=place.wait_ms)
            self._backlog.leave(place.coming)
            place.coming = None
        if chosen.line is not None and draft.send_at is None:
            place.coming = self._backlog.join(chosen.line, scope.tenant_id, draft.segments.parts)
            place.wait_ms = chosen.wait_ms
        return chosen

    async def _judged(
        self,
        found: _Found,
        scope: TenantScope,
        request: SendRequest,
        key: tuple[str, bytes] | None,
        counted: Admitted | None,
    ) -> Passed | Declined | None:
        """Ask rules and gates about a draft with its sender; None where the policy is to be read again."""
        snapshot, tariff, chosen, now = found.snapshot, found.tariff, found.chosen, found.now
        sender = chosen.sender
        judged = ruled_draft(snapshot, scope, request, found.draft, sender, tariff=tariff, now=now)
        draft = await self._agreed_to(scope, snapshot, judged)
        if isinstance(draft, Declined):
            return _gate_before(snapshot, scope, request, found.draft, now) or draft
        admission = admission_of(snapshot, scope, request, draft, chosen, counted=counted is not None)
        match await self._admit(admission):
            case Admitted() as admitted:
                content = await self._content(scope, request, draft, sender)
                if isinstance(content, Declined):
                    return content
                await self._tell(scope, admission, admitted)
                admissible = Admissible(
                    snapshot=snapshot,
                    scope=scope,
                    request=request,
                    draft=draft,
                    platform_budgets=tariff.platform_budgets,
                    sender=sender,
                    recipient_hash=admission.recipient_hash,
                    wait_ms=chosen.wait_ms,
                    content=content,
                    key=key,
                )
                rate = chosen.parts_per_second
                rates = after_send(snapshot.plan, admission, admitted, counted=counted, sender_rate=rate)
                return Passed(admissible, build(admissible, self._recipients), rates, found.coming)
            case Refused() as refused:
                self._protect_tally.count(admission, refused)
                rate = chosen.parts_per_second
                rates = after_refusal(snapshot.plan, admission, refused, counted=counted, sender_rate=rate)
                return structs.replace(declined(refused, draft, snapshot.plan, now), rates=rates)
            case StalePolicy(version=version):
                await self._policies.at_least(scope.tenant_id, version)
            case Unprojected():
                pass
        return None

    async def _count_request(self, scope: TenantScope) -> Admitted | Declined:
        """
        Count a request that carries many messages.

        While nobody can say where the rate stands it is open, as for a single send.
        """
        with suppress(GatewayError, TenantsError, *DATABASE_FAULTS):
            plan = (await self._policies.of(scope.tenant_id)).plan
            if plan.requests_per_second is not None:
                verdict = await self._gate.count_request(scope.tenant_id, live=scope.live)
                if isinstance(verdict, Unprojected) and await self._policies.fill(scope.tenant_id):
                    verdict = await self._gate.count_request(scope.tenant_id, live=scope.live)
                match verdict:
                    case Admitted() as admitted:
                        return admitted
                    case Refused() as refused:
                        return requests_used_up(refused, plan)
                    case _:
                        pass
        return Admitted(remaining=None, reset_ms=0)

    async def _agreed_to(
        self, scope: TenantScope, snapshot: TenantSnapshot, draft: Draft | Declined
    ) -> Draft | Declined:
        """Return the draft, or the refusal of one that needs a consent which the person has not given."""
        if isinstance(draft, Declined) or draft.type not in snapshot.plan.consent_required:
            return draft  # nobody is hashed whom nobody looks for
        refused = await without_consent(
            self._replays.pool,
            scope,
            snapshot.plan,
            message_type=draft.type,
            recipient_hash=snapshot.key.recipient_hash(draft.number.e164),
        )
        return refused or draft

    async def _content(
        self, scope: TenantScope, request: SendRequest, draft: Draft, sender: SenderFact | None
    ) -> Content | Declined | None:
        """Fetch and stage the file of an MMS: after the gates, so that what is refused costs nothing."""
        if not isinstance(request.media, list):
            return draft.speech
        found = await self._media.attached(
            scope,
            request.media[0],
            account_id=sender.account_id if sender and scope.live else None,
            until=draft.expires_at,
        )
        if not isinstance(found, MediaRefused):
            return found
        fault = FieldFault(field="/media/0", code=found.fault, detail=found.detail)
        return Declined(code=found.code, detail=found.detail, errors=(fault,))

    async def _tell(self, scope: TenantScope, admission: Admission, admitted: Admitted) -> None:
        """Let the tenant and the operator know of a block that this send has raised."""
        if admitted.raised is not None and admission.watched is not None:
            await tell(
                self._replays.pool,
                scope,
                admission.watched.workflow,
                country=admission.country,
                hold=admitted.raised,
            )

    async def _admit(self, admission: Admission) -> Verdict:
        """Ask the gate; with Redis away, or while it is filled, ask the truth: slower, but it goes on."""
        try:
            verdict = await self._gate.decide(admission)
            if not isinstance(verdict, Unprojected) or await self._policies.fill(admission.tenant_id):
                return verdict
            await asyncio.sleep(_OTHERS_FILL_S)
            verdict = await self._gate.decide(admission)
            if not isinstance(verdict, Unprojected):
                return verdict
        except RedisUnavailable:
            pass  # unlike `suppress`, this costs nothing where nothing is raised
        snapshot = await self._policies.no_older_than(admission.tenant_id, _TRUTH_AGE_S)
        opted_out = await self._policies.stands_on_a_list(
            admission.tenant_id, admission.recipient_hash, admission.use_cases
        )
        override = await self._policies.override_that_holds(
            admission.tenant_id, admission.protect, admission.recipient_hash
        )
        verdict = decide_without_redis(policy_of(snapshot), admission, opted_out=opted_out, override=override)
        return verdict if isinstance(verdict, Refused) else await self._coarsely(admission, verdict)

    async def _coarsely(self, admission: Admission, admitted: Admitted) -> Verdict:
        """Stop what is held, and the plainest pumping, while the counters that processes share are away."""
        watched = admission.watched
        if watched is None or not watched.enforced:
            return admitted
        now_ms = int(self._clock.now().timestamp() * 1000)
        kept = await self._policies.hold_on(admission.tenant_id, watched)
        if kept is not None:
            return Refused(gate="pumping_suspected", retry_after_ms=kept.until_ms - now_ms, hold=kept)
        wait_ms = self._coarse.wait_ms((admission.tenant_id, watched.workflow, watched.block), now_ms)
        if wait_ms is None:
            return admitted
        hold = Hold(rule="prefix", scope=watched.block, until_ms=now_ms + wait_ms, enforced=True)
        return Refused(gate="pumping_suspected", retry_after_ms=wait_ms, hold=hold)

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
                return Declined(
                    code="insufficient_credits", detail=shortfall(short, message.unit), rates=passed.rates
                )


def _gate_before(
    snapshot: TenantSnapshot, scope: TenantScope, request: SendRequest, draft: Draft, now: datetime
) -> Declined | None:
    """
    Return the refusal of the gate that would refuse anyway: the tenant hears of it before the missing sender
    or the rule, in the order in which an explanation has them.
    """
    admission = admission_of(snapshot, scope, request, draft, Chosen(None, 0))
    gate = closed_gate(policy_of(snapshot), admission, opted_out=False)
    return None if gate is None else declined(Refused(gate=gate), draft, snapshot.plan, now)


def _same_line(one: Line | None, other: Line) -> bool:
    return one is not None and (one.route, one.lane) == (other.route, other.lane)


def _count_refused(declined: Declined, scope: TenantScope) -> None:
    metrics.MESSAGES_REFUSED.labels(gate=declined.code).inc()
    _log.info("message_refused", tenant_id=str(scope.tenant_id), gate=declined.code)


def shortfall(short: NoCredit, unit: str) -> str:
    """Say what is missing, in the unit that the tenant pays in."""
    needed, available = amount_text(short.needed, unit), amount_text(short.available, unit)
    return f"the message needs {needed}, {available} are available"
