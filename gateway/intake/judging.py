"""
From a request to what would be stored: every gate but money, asked by the tenant's policy as it stands.

The way is linear and each step may end it: prepare, choose the sender, stand in its line, ask the rules, ask
the gate, fetch what goes beside the text, build.
"""

from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

import asyncpg
from msgspec import Struct, structs

from gateway.admission.fallback import closed_gate
from gateway.admission.verdict import Admission, Admitted, Refused, StalePolicy, Unprojected
from gateway.clock import Clock
from gateway.errors import Unavailable
from gateway.intake.admitting import Admitting
from gateway.intake.asking import admission_of, ruled_draft
from gateway.intake.building import Admissible, Passed, build, lane_recipients
from gateway.intake.choosing import Choosing, Chosen
from gateway.intake.consented import without_consent
from gateway.intake.line_place import PlaceInLine
from gateway.intake.outcome import Declined, FieldFault
from gateway.intake.policies import Policies
from gateway.intake.prepare import Draft, prepare
from gateway.intake.prices import Prices, Tariff
from gateway.intake.protect_tally import ProtectTally
from gateway.intake.pumping_notices import tell
from gateway.intake.rate_states import after_refusal, after_send
from gateway.intake.refusals import declined
from gateway.intake.request import SendRequest
from gateway.intake.snapshot import TenantSnapshot, policy_of
from gateway.lanes.backlog import BacklogView, Coming
from gateway.media.kinds import MediaRefused
from gateway.messages.content import Content, Media
from gateway.routing.facts import SenderFact
from tenants.scope import TenantScope

_TRIES: Final = 4
"""A policy that moves between reading and admitting is read again; four times in one send is a fault."""


class _Found(Struct, frozen=True):
    """A draft with the sender that was chosen for it, and what it was judged by."""

    snapshot: TenantSnapshot
    tariff: Tariff
    draft: Draft
    chosen: Chosen
    coming: Coming | None
    now: datetime


class MediaSource(Protocol):
    """Where the file of an MMS comes from; `gateway.media.desk.MediaDesk` fits."""

    async def attached(
        self, scope: TenantScope, reference: str, *, account_id: UUID | None, until: datetime
    ) -> Media | MediaRefused:
        """Return the file by its id or its address, staged in the account that sends it."""
        ...


class Judging:
    """Asks every gate of a send but money."""

    def __init__(
        self,
        *,
        policies: Policies,
        prices: Prices,
        choosing: Choosing,
        backlog: BacklogView,
        admitting: Admitting,
        media: MediaSource,
        protect_tally: ProtectTally,
        pool: "asyncpg.Pool[asyncpg.Record]",
        clock: Clock,
        secret_key: str,
    ) -> None:
        self._policies = policies
        self._prices = prices
        self._choosing = choosing
        self._backlog = backlog
        self._admitting = admitting
        self._media = media
        self._protect_tally = protect_tally
        self._pool = pool
        self._clock = clock
        self._recipients = lane_recipients(secret_key)

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
        place = PlaceInLine(self._backlog)
        passed: Passed | Declined | None = None
        try:
            for _ in range(_TRIES):
                passed = await self._try(place, scope, request, key, counted)
                if passed is not None:
                    return passed
        finally:
            if not isinstance(passed, Passed):
                place.leave()
        raise Unavailable("the tenant's policy keeps changing", retry_after_ms=1000)

    async def _try(
        self,
        place: PlaceInLine,
        scope: TenantScope,
        request: SendRequest,
        key: tuple[str, bytes] | None,
        counted: Admitted | None,
    ) -> Passed | Declined | None:
        """Ask every gate by the policy as it is known; None where it is to be read again."""
        snapshot, now = await self._policies.of(scope.tenant_id), self._clock.now()
        tariff = await self._prices.current(snapshot.plan)
        draft = prepare(snapshot, request, tariff.book_of(snapshot.plan), now)
        if isinstance(draft, Declined):
            return draft
        chosen = await self._choosing.choose(snapshot, scope, request, draft)
        if chosen is None:
            refusal = self._choosing.no_sender(snapshot, request, draft)
            return _gate_before(snapshot, scope, request, draft, now) or refusal
        later = draft.send_at is not None
        chosen = place.take(chosen, scope.tenant_id, parts=draft.segments.parts, later=later)
        found = _Found(snapshot, tariff, draft, chosen, place.coming, now)
        return await self._judged(found, scope, request, key, counted)

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
        match await self._admitting.verdict(admission):
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

    async def _agreed_to(
        self, scope: TenantScope, snapshot: TenantSnapshot, draft: Draft | Declined
    ) -> Draft | Declined:
        """Return the draft, or the refusal of one that needs a consent which the person has not given."""
        if isinstance(draft, Declined) or draft.type not in snapshot.plan.consent_required:
            return draft  # nobody is hashed whom nobody looks for
        refused = await without_consent(
            self._pool,
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
                self._pool,
                scope,
                admission.watched.workflow,
                country=admission.country,
                hold=admitted.raised,
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
