"""
One send, from request to answer: prepare, choose the sender, admit, commit.

The way is linear and each step may end it. Nothing is stored before the commit, and nothing after it can
turn the answer back.
"""

import hmac
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

import msgspec
import structlog

from gateway.admission.gate import AdmissionGate
from gateway.admission.segments import gsm_rewrite, measure
from gateway.admission.verdict import Admission, Admitted, Refused, StalePolicy, Unprojected
from gateway.clock import Clock
from gateway.errors import Unavailable
from gateway.intake.batch import IntakeCommit
from gateway.intake.cancel import cancel_message
from gateway.intake.commit import (
    IdempotentRequest,
    KeyMismatch,
    NewMessage,
    NoCredit,
    PlanChanged,
    Replay,
    Stored,
)
from gateway.intake.idempotency import expires_at
from gateway.intake.originator import candidates, choose
from gateway.intake.outcome import (
    Accepted,
    Declined,
    EstimatedPrice,
    Estimate,
    OffendingCharacter,
    RateState,
)
from gateway.intake.policies import Policies
from gateway.intake.prepare import Draft, prepare
from gateway.intake.prices import Prices
from gateway.intake.refusals import declined
from gateway.intake.replays import Replays
from gateway.intake.request import SendRequest
from gateway.intake.snapshot import SenderFact, TenantSnapshot
from gateway.lanes.backlog import BacklogView
from gateway.lanes.entry import LaneEntry, Priority
from gateway.messages.keys import body_context, number_context
from gateway.messages.view import MessageView, ProviderView, price_view, template_view, timestamp
from gateway.telemetry import metrics
from tenants.ids import created_at, encode, new_uuid
from tenants.scope import TenantScope

_log = structlog.get_logger(__name__)

SANDBOX_ROUTE = "sandbox"
_SANDBOX_SENDER = "SANDBOX"
_SANDBOX_RATE = 500.0
"""Message parts per second of the sandbox's own sender, for tenants that have none yet."""
_PRIORITIES = {"otp": Priority.OTP, "transactional": Priority.TRANSACTIONAL, "promotional": Priority.PROMOTIONAL}
_TRIES = 4
"""A policy that moves between reading and admitting is read again; four times in one send is a fault."""
_MMS_HINT_PARTS = 3
_MMS_COUNTRIES = frozenset({"US", "CA"})


class Sending:
    """The use cases behind `/v1/messages`; one per API process."""

    def __init__(
        self,
        *,
        policies: Policies,
        gate: AdmissionGate,
        backlog: BacklogView,
        commit: IntakeCommit,
        prices: Prices,
        replays: Replays,
        clock: Clock,
        secret_key: str,
    ) -> None:
        self._policies = policies
        self._gate = gate
        self._backlog = backlog
        self._commit = commit
        self._prices = prices
        self._replays = replays
        self._clock = clock
        self._recipient_key = hmac.digest(secret_key.encode(), b"tollgate/v1/lane-recipient", sha256)

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
        outcome = await self._decide(scope, request, key)
        if isinstance(outcome, Declined) and key is not None:
            outcome = await self._replays.instead_of(outcome, scope, *key)
        if isinstance(outcome, Declined):
            metrics.MESSAGES_REFUSED.labels(gate=outcome.code).inc()
            _log.info("message_refused", tenant_id=str(scope.tenant_id), gate=outcome.code)
        elif not outcome.replayed:
            metrics.MESSAGES_ACCEPTED.labels(type=outcome.message.type).inc()
        return outcome

    async def estimate(self, scope: TenantScope, request: SendRequest) -> Estimate | Declined:
        """Say what the text would be on the wire and cost; counts against nothing."""
        snapshot = await self._policies.of(scope.tenant_id)
        draft = prepare(snapshot, request, await self._prices.current(), self._clock.now())
        if isinstance(draft, Declined):
            return draft
        rewritten = gsm_rewrite(draft.text)
        helps = measure(rewritten).parts < draft.segments.parts
        price = price_view(unit=draft.quote.unit, estimated=draft.quote.amount, final=None)
        return Estimate(
            encoding=draft.segments.encoding,
            parts=draft.segments.parts,
            characters=len(draft.text),
            units=draft.segments.units,
            units_left_in_part=draft.segments.units_left_in_part,
            offending=tuple(
                OffendingCharacter(
                    character=o.character, position=o.position, name=o.name, suggestion=o.suggestion
                )
                for o in draft.segments.offending
            ),
            gsm_rewrite=rewritten if helps else None,
            country=draft.number.country,
            price=EstimatedPrice(estimated=price.estimated, currency=price.currency, credits=price.credits),
            mms_hint=draft.segments.parts > _MMS_HINT_PARTS and draft.number.country in _MMS_COUNTRIES,
        )

    async def cancel(self, scope: TenantScope, message_id: UUID) -> MessageView | Declined | None:
        """Cancel a message that no worker has taken yet; None if it is not the tenant's."""
        snapshot = await self._policies.of(scope.tenant_id)
        return await cancel_message(self._replays.pool, scope, message_id, snapshot.key, self._clock.now())

    async def _decide(
        self, scope: TenantScope, request: SendRequest, key: tuple[str, bytes] | None
    ) -> Accepted | Declined:
        for _ in range(_TRIES):
            snapshot = await self._policies.of(scope.tenant_id)
            draft = prepare(snapshot, request, await self._prices.current(), self._clock.now())
            if isinstance(draft, Declined):
                return draft
            chosen = await self._choose(snapshot, scope, request, draft)
            if isinstance(chosen, Declined):
                return chosen
            sender, wait_ms = chosen
            match await self._gate.decide(self._admission(snapshot, scope, draft, wait_ms)):
                case Admitted() as admitted:
                    rate = _rate_state(snapshot, admitted)
                    message, entry = self._message(snapshot, scope, request, draft, sender, wait_ms, key)
                    return await self._store(snapshot, draft, message, entry, rate)
                case Refused() as refused:
                    return declined(refused, draft)
                case StalePolicy():
                    await self._policies.reload(scope.tenant_id)
                case Unprojected():
                    await self._policies.project(scope.tenant_id, opt_outs=True)
        raise Unavailable("the tenant's policy keeps changing", retry_after_ms=1000)

    async def _choose(
        self, snapshot: TenantSnapshot, scope: TenantScope, request: SendRequest, draft: Draft
    ) -> tuple[SenderFact | None, int] | Declined:
        """Return the sender and the wait at its lane; None is the sandbox's own sender."""
        wanted = request.from_ if isinstance(request.from_, str) else None
        ranked = candidates(snapshot, country=draft.number.country, message_type=draft.type, wanted=wanted)
        if not ranked:
            if not scope.live and wanted is None:
                return None, 0
            return Declined(
                code="no_originator",
                detail=f"the tenant has no active sender for {draft.type} messages to {draft.number.country}",
            )
        waits = {s.id: await self._wait_ms(snapshot, scope, draft, s) for s in ranked if s.type == ranked[0].type}
        sender = choose(ranked, lambda s: waits[s.id])
        return (sender, waits[sender.id] if sender else 0)

    async def _wait_ms(
        self, snapshot: TenantSnapshot, scope: TenantScope, draft: Draft, sender: SenderFact
    ) -> int:
        tenant_rate = snapshot.plan.mps(draft.number.country)
        rate = sender.parts_per_second if tenant_rate is None else min(sender.parts_per_second, tenant_rate)
        return await self._backlog.estimated_wait_ms(
            _route(scope, sender), sender.id, draft.number.country, _PRIORITIES[draft.type], rate=rate
        )

    @staticmethod
    def _admission(snapshot: TenantSnapshot, scope: TenantScope, draft: Draft, wait_ms: int) -> Admission:
        return Admission(
            tenant_id=scope.tenant_id,
            policy_version=snapshot.version,
            live=scope.live,
            country=draft.number.country,
            template=(draft.template.id, draft.template.version) if draft.template else None,
            recipient_hash=snapshot.key.recipient_hash(draft.number.e164),
            use_cases=("all", draft.type),
            parts=draft.segments.parts,
            estimated_wait_ms=0 if draft.send_at else wait_ms,
            ttl_ms=draft.ttl_ms,
        )

    def _message(
        self,
        snapshot: TenantSnapshot,
        scope: TenantScope,
        request: SendRequest,
        draft: Draft,
        sender: SenderFact | None,
        wait_ms: int,
        key: tuple[str, bytes] | None,
    ) -> tuple[NewMessage, LaneEntry]:
        message_id = new_uuid()
        at = created_at(message_id)
        entry = self._entry(snapshot, scope, draft, sender, message_id)
        message = NewMessage(
            id=message_id,
            tenant_id=scope.tenant_id,
            created_at=at,
            test=not scope.live,
            status="scheduled" if draft.send_at else "queued",
            channel=request.channel,
            type=draft.type,
            country=draft.number.country,
            recipient_hash=snapshot.key.recipient_hash(draft.number.e164),
            to_sealed=snapshot.key.seal(draft.number.e164.encode(), context=number_context(message_id)),
            body_sealed=snapshot.key.seal(draft.text.encode(), context=body_context(message_id)),
            template_id=draft.template.id if draft.template else None,
            template_version=draft.template.version if draft.template else None,
            encoding=draft.segments.encoding,
            parts=draft.segments.parts,
            unit=draft.quote.unit,
            price_estimated=draft.quote.amount,
            max_price_micros=draft.quote.max_price_micros,
            account_id=sender.account_id if sender and scope.live else None,
            sender_id=sender.id if sender else None,
            sender_value=sender.value if sender else _SANDBOX_SENDER,
            sender_arn=sender.arn if sender else None,
            configuration_set=snapshot.configuration_sets.get(sender.account_id) if sender else None,
            send_at=draft.send_at,
            estimated_dispatch_at=(draft.send_at or at) + timedelta(milliseconds=wait_ms),
            expires_at=draft.expires_at,
            context=request.context or None,
            client_reference=_text(request.client_reference),
            feedback="pending" if request.feedback else None,
            route=entry.route,
            lane=msgspec.to_builtins(entry),
            idempotent=_idempotent(key, at, draft.send_at),
        )
        return message, entry

    def _entry(
        self,
        snapshot: TenantSnapshot,
        scope: TenantScope,
        draft: Draft,
        sender: SenderFact | None,
        message_id: UUID,
    ) -> LaneEntry:
        return LaneEntry(
            message_id=message_id,
            route=_route(scope, sender),
            identity=sender.id if sender else scope.tenant_id,
            country=draft.number.country,
            priority=_PRIORITIES[draft.type],
            tenant_id=scope.tenant_id,
            parts=draft.segments.parts,
            identity_rate=sender.parts_per_second if sender else _SANDBOX_RATE,
            recipient_hash=hmac.digest(self._recipient_key, draft.number.e164.encode(), sha256)[:8],
            weight=snapshot.plan.weight,
            tenant_rate=snapshot.plan.mps(draft.number.country),
        )

    async def _store(
        self,
        snapshot: TenantSnapshot,
        draft: Draft,
        message: NewMessage,
        entry: LaneEntry,
        rate: RateState | None,
    ) -> Accepted | Declined:
        match await self._commit.submit(message):
            case Stored():
                self._backlog.admitted(entry.route, entry.identity, entry.country, entry.priority, entry.parts)
                return Accepted(message=_accepted_view(message, draft), rate=rate)
            case Replay(message_id=original):
                return await self._replays.of(message.tenant_id, original, snapshot.key)
            case KeyMismatch():
                return Declined(
                    code="idempotency_mismatch",
                    detail="this Idempotency-Key was used for another request; use a new key",
                )
            case PlanChanged():
                await self._policies.reload(message.tenant_id)
                raise Unavailable("the tenant's plan is changing", retry_after_ms=500)
            case NoCredit() as short:
                return Declined(code="insufficient_credits", detail=_shortfall(short, message.unit), rate=rate)


def _route(scope: TenantScope, sender: SenderFact | None) -> str:
    return encode("acc", sender.account_id) if scope.live and sender else SANDBOX_ROUTE


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _rate_state(snapshot: TenantSnapshot, admitted: Admitted) -> RateState | None:
    limit = snapshot.plan.requests_per_second
    if limit is None or admitted.remaining is None:
        return None
    return RateState(limit_per_s=limit, remaining=admitted.remaining, reset_ms=admitted.reset_ms)


def _idempotent(
    key: tuple[str, bytes] | None, now: datetime, send_at: datetime | None
) -> IdempotentRequest | None:
    if key is None:
        return None
    return IdempotentRequest(key=key[0], fingerprint=key[1], expires_at=expires_at(now, send_at))


def _shortfall(short: NoCredit, unit: str) -> str:
    if unit == "credits":
        return f"the message needs {short.needed} credits, {short.available} are available"
    return (
        f"the message needs {price_view(unit=unit, estimated=short.needed, final=None).estimated} USD, "
        f"{price_view(unit=unit, estimated=short.available, final=None).estimated} are available"
    )


def _accepted_view(message: NewMessage, draft: Draft) -> MessageView:
    return MessageView(
        id=encode("msg", message.id),
        status=message.status,
        status_reason=None,
        to=draft.number.e164,
        country=message.country,
        carrier=None,
        from_=message.sender_value,
        channel=message.channel,
        type=message.type,
        body=draft.text,
        template=template_view(message.template_id, message.template_version),
        encoding=message.encoding,
        parts=message.parts,
        price=price_view(unit=message.unit, estimated=message.price_estimated, final=None),
        estimated_dispatch_at=timestamp(message.estimated_dispatch_at),
        created_at=timestamp(message.created_at) or "",
        send_at=timestamp(message.send_at),
        dispatched_at=None,
        final_at=None,
        expires_at=timestamp(message.expires_at) or "",
        attempts=0,
        context=message.context or {},
        client_reference=message.client_reference,
        feedback=message.feedback,
        provider=ProviderView(message_id=None, account=None, region=None, status=None),
        resend_of_unknown=False,
        test=message.test,
    )
