"""
Stand-ins for the ports, with a will that a test writes out.

They keep the ports' promises in memory: a send that is accepted is remembered, a key that is repeated is
replayed, what a projection was told can be read back.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Literal
from uuid import UUID

from msgspec import Struct, structs

from gateway.admission.pumping import HeldPrefix
from gateway.api.ports import IngestAnswer
from gateway.carrier.provision.plan_ports import HeldIdentity, PlanChanged, Planned, TeardownRequest
from gateway.carrier.provision.ports import ProvisionRefused, ProvisionRequest, ProvisionResult
from gateway.carrier.provision.shapes import Plan, Step
from gateway.carrier.verify_ports import (
    CodeChannel,
    CodeLanguage,
    CodeRight,
    CodeSent,
    CodeWrong,
    Entry,
    KnownAtAws,
    VerificationRefused,
)
from gateway.errors import GatewayError
from gateway.intake.explaining import Explanation
from gateway.intake.outcome import Accepted, Declined, Estimate, EstimatedPrice, RateState
from gateway.intake.request import SendRequest
from gateway.intake.together import SendInBatch
from gateway.lanes.survey import LaneSight
from gateway.media.desk import KEPT_FOR
from gateway.media.kinds import MediaRefused, kind_of
from gateway.media.models import MediaFile
from gateway.messages.view import NOT_ASKED, MessageView, price_view, timestamp
from tenants.ids import created_at, encode, new_uuid
from tenants.scope import TenantScope
from tenants.senders.models import AwsAccount
from tenants.senders.service import MessageType, SenderFacts


class FakeUploads:
    """Judges as the real desk does, and stages nowhere."""

    async def staged(self, scope: TenantScope, content: bytes) -> MediaFile | MediaRefused:
        """Return the row of a file, or why it cannot be sent."""
        kind = kind_of(content)
        if isinstance(kind, MediaRefused):
            return kind
        media_id = new_uuid()
        return MediaFile(
            tenant_id=scope.tenant_id,
            id=media_id,
            test=not scope.live,
            content_type=kind.content_type,
            size_bytes=len(content),
            sha256=sha256(content).digest(),
            object_key=f"{scope.tenant_id.hex}/{media_id.hex}.{kind.ending}",
            staged={},
            created_at=created_at(media_id),
            expires_at=created_at(media_id) + KEPT_FOR,
        )


class FakeTwoWay:
    """Does as it is told, unless `refuse` says what AWS says."""

    def __init__(self) -> None:
        self.refuse: str | None = None
        self.wishes: list[tuple[UUID, bool, bool]] = []

    async def set_two_way(
        self, scope: TenantScope, sender_id: UUID, *, enabled: bool, self_managed: bool
    ) -> tuple[UUID, ...] | ProvisionRefused:
        """Remember the wish."""
        del scope
        if self.refuse is not None:
            return ProvisionRefused(detail=self.refuse)
        self.wishes.append((sender_id, enabled, self_managed))
        return (sender_id,)


class FakeAwsTypes:
    """Says of a sender what `told` has under its ARN, and else nothing."""

    def __init__(self) -> None:
        self.told: dict[str, Sequence[MessageType]] = {}

    async def __call__(self, account: AwsAccount, facts: SenderFacts) -> Sequence[MessageType] | None:
        """Return the types it may carry."""
        del account
        return self.told.get(facts.arn)


class FakeSending:
    """Accepts every send, unless `answer` holds another outcome or an error to raise."""

    def __init__(self) -> None:
        self.answer: Accepted | Declined | GatewayError | None = None
        self.rate: RateState | None = None
        self.too_soon: Declined | None = None
        self.most: int | None = None
        """Sends for which there is money; None for all."""
        self.sent: list[SendRequest] = []
        self._by_key: dict[tuple[UUID, str], tuple[bytes | None, MessageView]] = {}
        self._messages: dict[tuple[UUID, UUID], MessageView] = {}

    async def send(
        self,
        scope: TenantScope,
        request: SendRequest,
        *,
        idempotency_key: str | None,
        fingerprint: bytes | None,
    ) -> Accepted | Declined:
        """Accept, replay, or do what `answer` says."""
        if isinstance(self.answer, GatewayError):
            raise self.answer
        if self.answer is not None:
            return self.answer
        known = None if idempotency_key is None else self._by_key.get((scope.tenant_id, idempotency_key))
        if known is not None:
            return _again(known, fingerprint)
        if self.most is not None and len(self.sent) >= self.most:
            return Declined(code="insufficient_credits", detail="empty")
        self.sent.append(request)
        message_id = new_uuid()
        view = message_view(message_id, request, test=not scope.live)
        self._messages[scope.tenant_id, message_id] = view
        if idempotency_key is not None:
            self._by_key[scope.tenant_id, idempotency_key] = (fingerprint, view)
        return Accepted(message=view)

    async def send_together(
        self, scope: TenantScope, sends: Sequence[SendInBatch]
    ) -> list[Accepted | Declined | BaseException] | Declined:
        """Do with each what `send` does, unless `too_soon` refuses them together."""
        if self.too_soon is not None:
            return self.too_soon
        outcomes: list[Accepted | Declined | BaseException] = []
        for each in sends:
            key, fingerprint = each.key or (None, None)
            try:
                outcome: Accepted | Declined | BaseException = await self.send(
                    scope, each.request, idempotency_key=key, fingerprint=fingerprint
                )
            except GatewayError as error:
                outcome = error
            outcomes.append(outcome)
        return outcomes

    async def estimate(self, scope: TenantScope, request: SendRequest) -> Estimate | Declined:  # noqa: ARG002 - the port's
        """Return one part of GSM text, or the refusal in `answer`."""
        if isinstance(self.answer, Declined):
            return self.answer
        text = request.body if isinstance(request.body, str) else ""
        return Estimate(
            encoding="GSM",
            parts=1,
            characters=len(text),
            units=len(text),
            units_left_in_part=160 - len(text),
            offending=(),
            gsm_rewrite=None,
            country="US",
            price=EstimatedPrice(estimated="0.00645", currency="USD", credits=None),
            included=0,
            mms_hint=False,
        )

    async def explain(self, scope: TenantScope, request: SendRequest) -> Explanation | Declined:
        """Return an estimate and no candidates, or the refusal in `answer`."""
        estimated = await self.estimate(scope, request)
        if isinstance(estimated, Declined):
            return estimated
        return Explanation(
            type="transactional",
            accepted=True,
            refused_with=None,
            gates=(),
            estimate=estimated,
            sender=None,
            estimated_wait_ms=None,
            candidates=(),
        )

    async def rates_of(self, tenant_id: UUID, *, live: bool) -> tuple[RateState, ...]:  # noqa: ARG002 - the port's
        """Return what `rate` says."""
        return () if self.rate is None else (self.rate,)

    async def cancel(self, scope: TenantScope, message_id: UUID) -> MessageView | Declined | None:
        """Cancel a message that was accepted here; a second time answers the same."""
        found = self._messages.get((scope.tenant_id, message_id))
        if found is None:
            return None
        if isinstance(self.answer, Declined):
            return self.answer
        canceled = structs.replace(found, status="canceled")
        self._messages[scope.tenant_id, message_id] = canceled
        return canceled


class FakeProvisioner:
    """Makes one pool, unless `refusal` says no."""

    def __init__(self) -> None:
        self.refusal: ProvisionRefused | None = None
        self.requests: list[ProvisionRequest] = []

    async def provision(
        self,
        scope: TenantScope,  # noqa: ARG002 - the port's
        request: ProvisionRequest,
    ) -> ProvisionResult | ProvisionRefused:
        """Remember the request."""
        self.requests.append(request)
        if self.refusal is not None:
            return self.refusal
        return ProvisionResult(created=("arn:aws:sms-voice:us-east-1:1:pool/1",), adopted=())


class FakeProvisionDesk:
    """Plans whatever `planned` says; applies only under its fingerprint."""

    def __init__(self) -> None:
        self.planned = Planned(
            plan=Plan(steps=(Step(action="create", kind="pool", name="tg-acme", requests=1),)),
            fingerprint="v1.1-2",
            account_id=UUID(int=1),
            unit="micros",
        )
        self.refusal: ProvisionRefused | None = None
        self.identities: tuple[HeldIdentity, ...] = ()

    async def plan(
        self,
        scope: TenantScope,  # noqa: ARG002 - the port's
        request: ProvisionRequest,  # noqa: ARG002 - the port's
    ) -> Planned | ProvisionRefused:
        """Return `planned`."""
        return self.refusal or self.planned

    async def drift(
        self,
        scope: TenantScope,  # noqa: ARG002 - the port's
        account_id: UUID | None,  # noqa: ARG002 - the port's
    ) -> Planned | ProvisionRefused:
        """Return `planned`."""
        return self.refusal or self.planned

    async def apply(
        self,
        scope: TenantScope,  # noqa: ARG002 - the port's
        request: ProvisionRequest,  # noqa: ARG002 - the port's
        fingerprint: str,
    ) -> ProvisionResult | ProvisionRefused | PlanChanged:
        """Make one pool, if the fingerprint is right."""
        if fingerprint != self.planned.fingerprint:
            return PlanChanged(changes=("new: create pool tg-acme",))
        return self.refusal or ProvisionResult(created=("arn:aws:sms-voice:us-east-1:1:pool/1",), adopted=())

    async def teardown_plan(
        self,
        scope: TenantScope,  # noqa: ARG002 - the port's
        request: TeardownRequest,  # noqa: ARG002 - the port's
    ) -> Planned | ProvisionRefused:
        """Return `planned`."""
        return self.refusal or self.planned

    async def teardown(
        self,
        scope: TenantScope,  # noqa: ARG002 - the port's
        request: TeardownRequest,  # noqa: ARG002 - the port's
    ) -> tuple[str, ...] | ProvisionRefused:
        """Take the pool away."""
        return self.refusal or ("pool tg-acme",)

    async def held(
        self,
        account_id: UUID | None,  # noqa: ARG002 - the port's
    ) -> tuple[HeldIdentity, ...] | ProvisionRefused:
        """Return what is in `identities`."""
        return self.refusal or self.identities


class FakeVerifier:
    """AWS's side of a verification: the code is always `code`, unless `refusal` says no."""

    def __init__(self) -> None:
        self.code = "123456"
        self.refusal: VerificationRefused | None = None
        self.entries: dict[str, tuple[UUID, str]] = {}
        """Account and number, by AWS's id."""
        self.verified: set[str] = set()
        self.sent: list[str] = []

    async def enter(self, account_id: UUID, number: str) -> Entry | VerificationRefused:
        """Return the entry, made now where there is none."""
        if self.refusal is not None:
            return self.refusal
        known = next((each for each, of in self.entries.items() if of == (account_id, number)), None)
        aws_id = known or f"verified-{new_uuid().hex}"
        self.entries[aws_id] = (account_id, number)
        return Entry(aws_id=aws_id, verified=aws_id in self.verified, created=known is None)

    async def send_code(
        self,
        account_id: UUID,  # noqa: ARG002 - the port's
        aws_id: str,
        *,
        channel: CodeChannel,  # noqa: ARG002 - the port's
        language: CodeLanguage,  # noqa: ARG002 - the port's
    ) -> CodeSent | KnownAtAws | VerificationRefused:
        """Remember that a code was sent."""
        if self.refusal is not None:
            return self.refusal
        if aws_id in self.verified:
            return KnownAtAws()
        self.sent.append(self.entries[aws_id][1])
        return CodeSent()

    async def check(
        self,
        account_id: UUID,  # noqa: ARG002 - the port's
        aws_id: str,
        code: str,
    ) -> CodeRight | CodeWrong | VerificationRefused:
        """Compare with `code`."""
        if self.refusal is not None:
            return self.refusal
        if code != self.code:
            return CodeWrong()
        self.verified.add(aws_id)
        return CodeRight()

    async def forget(self, account_id: UUID, aws_id: str) -> bool:  # noqa: ARG002 - the port's
        """Delete the entry."""
        self.verified.discard(aws_id)
        return self.entries.pop(aws_id, None) is not None


class FakeAnswer(Struct, frozen=True, kw_only=True):
    """What became of a post."""

    outcome: Literal["stored", "confirmed", "rejected"]
    reason: str = ""


class FakeIngest:
    """Stores every post, unless `answer` holds another answer or an error to raise."""

    def __init__(self) -> None:
        self.answer: IngestAnswer | GatewayError = FakeAnswer(outcome="stored")
        self.bodies: list[bytes] = []

    async def receive(self, body: bytes) -> IngestAnswer:
        """Remember the post."""
        if isinstance(self.answer, GatewayError):
            raise self.answer
        self.bodies.append(body)
        return self.answer


class FakeReadiness:
    """Ready, unless `failing` names something."""

    def __init__(self) -> None:
        self.failing: dict[str, str] = {}

    async def failures(self) -> dict[str, str]:
        """Return what was written into `failing`."""
        return self.failing


class FakeProjection:
    """Remembers what admission would have been told."""

    def __init__(self) -> None:
        self.policies: list[UUID] = []
        self.opt_outs: list[tuple[UUID, str, bytes, bool]] = []
        self.overrides: list[tuple[UUID, UUID, bytes, bytes | None]] = []

    async def policy_changed(self, tenant_id: UUID) -> None:
        """Remember a changed policy."""
        self.policies.append(tenant_id)

    async def override_changed(
        self, tenant_id: UUID, configuration_id: UUID, recipient_hash: bytes, mark: bytes | None
    ) -> None:
        """Remember a changed override."""
        self.overrides.append((tenant_id, configuration_id, recipient_hash, mark))

    async def opt_out_changed(
        self, tenant_id: UUID, list_name: str, recipient_hash: bytes, *, opted_out: bool
    ) -> None:
        """Remember a changed opt-out."""
        self.opt_outs.append((tenant_id, list_name, recipient_hash, opted_out))


class FakeHolds:
    """Holds what was put into `held`, by tenant."""

    def __init__(self) -> None:
        self.held: dict[UUID, list[HeldPrefix]] = {}

    async def of(self, tenant_id: UUID, *, now_ms: int) -> list[HeldPrefix]:
        """Return what was put there and has not ended."""
        return [each for each in self.held.get(tenant_id, []) if each.hold.until_ms > now_ms]

    async def lift(self, tenant_id: UUID, workflow: str, prefix: str) -> bool:
        """Take it out."""
        before = self.held.get(tenant_id, [])
        after = [each for each in before if (each.workflow, each.hold.scope) != (workflow, prefix)]
        self.held[tenant_id] = after
        return len(after) < len(before)


class FakeLanes:
    """The lanes that were put into `sights`."""

    def __init__(self) -> None:
        self.sights: list[LaneSight] = []

    async def all(self) -> list[LaneSight]:
        """Return what was put there."""
        return self.sights


def message_view(message_id: UUID, request: SendRequest, *, test: bool) -> MessageView:
    """Return the view of a message as it is right after its accept."""
    at = timestamp(created_at(message_id)) or ""
    return MessageView(
        id=encode("msg", message_id),
        status="queued",
        status_reason=None,
        to=request.to,
        country="US",
        carrier=None,
        from_="+12065550100",
        channel=request.channel,
        type=request.type if isinstance(request.type, str) else "transactional",
        body=request.body if isinstance(request.body, str) else None,
        media=(),
        voice=None,
        template=None,
        encoding="GSM",
        parts=1,
        price=price_view(unit="micros", estimated=6450, final=None),
        estimated_dispatch_at=at,
        created_at=at,
        send_at=None,
        dispatched_at=None,
        final_at=None,
        expires_at=at,
        attempts=0,
        context=request.context,
        client_reference=request.client_reference if isinstance(request.client_reference, str) else None,
        feedback=None,
        provider=NOT_ASKED,
        resend_of_unknown=False,
        test=test,
    )


def _again(known: tuple[bytes | None, MessageView], fingerprint: bytes | None) -> Accepted | Declined:
    if known[0] != fingerprint:
        return Declined(code="idempotency_mismatch", detail="the key was used for another request")
    return Accepted(message=known[1], replayed=True)
