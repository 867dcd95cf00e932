"""
Automatic replies as messages: through the same gates, stored and charged alike, and sent at most once each.

An opt-out does not stop its own confirmation, nor help. No approved template, request rate or quiet hour
stands before a reply, for a person has asked for it; everything that protects money and people does. Replies
are few, so they ask the truth itself and not admission's copy.
"""

from hashlib import sha256
from typing import Final
from uuid import UUID

from msgspec import UNSET, Struct, structs

from gateway.admission.fallback import decide_without_redis
from gateway.admission.verdict import Admission, Admitted, Refused
from gateway.clock import Clock
from gateway.errors import Unavailable
from gateway.intake.asking import admission_of, ruled_draft
from gateway.intake.batch import IntakeCommit
from gateway.intake.building import Admissible, build, lane_recipients
from gateway.intake.choosing import Choosing
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
from gateway.intake.outcome import Declined
from gateway.intake.policies import Policies
from gateway.intake.prepare import TOO_DEAR, Draft, prepare
from gateway.intake.prices import Prices
from gateway.intake.refusals import declined, no_credit, over_budget
from gateway.intake.replays import KEY_MISMATCH
from gateway.intake.request import MessageType, SendRequest
from gateway.intake.snapshot import TenantSnapshot, policy_of
from gateway.messages.rulings import ANSWERED_ANYWAY, ReplyKind, Rulings
from gateway.telemetry import metrics
from tenants.accounts.sending_rules import QuietHours
from tenants.scope import TenantScope

_TRUTH_AGE_S: Final = 1.0
_LIFE_S: Final = 3600
"""An answer that comes more than an hour late is none."""
_KEY: Final = "tollgate-reply"
_NO_NIGHT: Final = QuietHours(policy="off")


class AutoReply(Struct, frozen=True, kw_only=True):
    """One answer to one text."""

    answers: UUID
    """The inbound text; the same one is answered once, however often this is asked."""
    kind: ReplyKind
    to: str
    from_: str | None
    """The number that was written to, or its `idn_…`; None lets the tenant's routes decide."""
    text: str
    type: MessageType = "transactional"


class Replying:
    """Accepts automatic replies; one per process that sends any."""

    def __init__(
        self,
        *,
        policies: Policies,
        choosing: Choosing,
        commit: IntakeCommit,
        prices: Prices,
        clock: Clock,
        secret_key: str,
    ) -> None:
        self._policies = policies
        self._choosing = choosing
        self._commit = commit
        self._prices = prices
        self._clock = clock
        self._recipients = lane_recipients(secret_key)

    async def reply(self, scope: TenantScope, reply: AutoReply) -> UUID | Declined:
        """
        Accept a reply and return its message's id, or say why not.

        Raises:
            Unavailable: Postgres could not be asked, or the tenant's plan is changing; try again.
        """
        admissible = await self._admissible(scope, reply)
        if isinstance(admissible, Declined):
            return admissible
        built = build(admissible, self._recipients)
        decision = await self._commit.submit(built.message)
        if isinstance(decision, Stored):
            metrics.MESSAGES_ACCEPTED.labels(built.message.type).inc()
        return await self._answer(decision, built.message.id, admissible.snapshot)

    async def _admissible(self, scope: TenantScope, reply: AutoReply) -> Admissible | Declined:
        snapshot = _undisturbed(await self._policies.no_older_than(scope.tenant_id, _TRUTH_AGE_S))
        request = SendRequest(
            to=reply.to,
            body=reply.text,
            type=reply.type,
            from_=UNSET if reply.from_ is None else reply.from_,
            ttl_seconds=_LIFE_S,
        )
        tariff, now = await self._prices.current(snapshot.plan), self._clock.now()
        draft = prepare(snapshot, request, tariff.book_of(snapshot.plan), now)
        if isinstance(draft, Declined):
            return draft
        chosen = await self._choosing.choose(snapshot, scope, request, draft)
        if chosen is None:
            return self._choosing.no_sender(snapshot, request, draft)
        draft = ruled_draft(snapshot, scope, request, draft, chosen.sender, tariff=tariff, now=now)
        if isinstance(draft, Declined):
            return draft
        draft = _marked(draft, reply.kind)
        admission = admission_of(snapshot, scope, request, draft, chosen)
        verdict = await self._verdict(snapshot, admission, reply.kind)
        if isinstance(verdict, Refused):
            return declined(verdict, draft, snapshot.plan, now)
        return Admissible(
            snapshot=snapshot,
            scope=scope,
            request=request,
            draft=draft,
            platform_budgets=tariff.platform_budgets,
            sender=chosen.sender,
            recipient_hash=admission.recipient_hash,
            wait_ms=chosen.wait_ms,
            key=_key(reply.answers),
        )

    async def _verdict(
        self, snapshot: TenantSnapshot, admission: Admission, kind: ReplyKind
    ) -> Admitted | Refused:
        opted_out = kind not in ANSWERED_ANYWAY and await self._policies.stands_on_a_list(
            admission.tenant_id, admission.recipient_hash, admission.use_cases
        )
        override = await self._policies.override_that_holds(
            admission.tenant_id, admission.protect, admission.recipient_hash
        )
        policy = structs.replace(policy_of(snapshot), free_text=True)
        return decide_without_redis(policy, admission, opted_out=opted_out, override=override)

    async def _answer(
        self, decision: Decision, message_id: UUID, snapshot: TenantSnapshot
    ) -> UUID | Declined:
        match decision:
            case Stored():
                return message_id
            case Replay(message_id=original):
                return original
            case KeyMismatch():
                return KEY_MISMATCH
            case PlanChanged():
                await self._policies.reload(snapshot.tenant_id)
                raise Unavailable("the tenant's plan is changing", retry_after_ms=500)
            case TooDear():
                return TOO_DEAR
            case OverBudget() as over:
                return over_budget(over, snapshot.unit, self._clock.now(), rates=())
            case NoCredit() as short:
                return no_credit(short, snapshot.unit, rates=())


def _undisturbed(snapshot: TenantSnapshot) -> TenantSnapshot:
    """A reply's text is nobody's template, and the person is awake."""
    plan = structs.replace(snapshot.plan, quiet_hours=_NO_NIGHT)
    return structs.replace(snapshot, patterns=None, plan=plan)


def _marked(draft: Draft, kind: ReplyKind) -> Draft:
    rulings = draft.rulings or Rulings()
    return structs.replace(draft, rulings=structs.replace(rulings, reply=kind))


def _key(answers: UUID) -> tuple[str, bytes]:
    """The key is the tenant's namespace, too; what it stands for is this one answer, whatever its words."""
    key = f"{_KEY}:{answers}"
    return key, sha256(key.encode()).digest()
