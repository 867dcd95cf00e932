"""From an admitted draft to the row stored, the entry queued and the view answered."""

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

from msgspec import Struct

from gateway.intake.idempotency import expires_at
from gateway.intake.new_message import IdempotentRequest, NewMessage
from gateway.intake.outcome import RateState
from gateway.intake.prepare import Draft
from gateway.intake.protecting import configuration_of
from gateway.intake.request import SendRequest
from gateway.intake.snapshot import TenantSnapshot
from gateway.lanes.backlog import Coming
from gateway.lanes.entry import ANY_RECIPIENT, LaneEntry, Priority
from gateway.lanes.quotas import SenderGates
from gateway.messages.content import Content, to_column
from gateway.messages.keys import body_context, number_context
from gateway.messages.view import (
    NOT_ASKED,
    MessageView,
    media_view,
    price_view,
    template_view,
    timestamp,
    voice_view,
)
from gateway.routing.facts import SenderFact
from gateway.routing.lanes import channel_gates, lane_identity
from tenants.accounts.keyed_hash import KeyedHash
from tenants.budgets.budget import BUNDLE, PLATFORM, Budget, Count, counts_of, month_of, names_of
from tenants.ids import created_at, encode, new_uuid
from tenants.scope import TenantScope

SANDBOX_ROUTE = "sandbox"
PRIORITIES = {
    "otp": Priority.OTP,
    "transactional": Priority.TRANSACTIONAL,
    "promotional": Priority.PROMOTIONAL,
}
_SANDBOX_SENDER = "SANDBOX"
SANDBOX_GATES = SenderGates(parts_per_second=500.0)
"""Message parts per second of the sandbox's own sender, for tenants that have none yet."""
_RECIPIENT_BYTES = 8


class Admissible(Struct, frozen=True, kw_only=True):
    """A draft with its sender: what admission judges and the builder writes down."""

    snapshot: TenantSnapshot
    scope: TenantScope
    request: SendRequest
    draft: Draft
    platform_budgets: tuple[Budget, ...] = ()
    sender: SenderFact | None
    """None is the sandbox's own sender."""
    recipient_hash: bytes
    """The recipient under the tenant's own key, as opt-outs and look-ups know it."""
    wait_ms: int
    """Estimate of what stands before it in its lane."""
    content: Content | None = None
    """What goes beside the text of an MMS or a call."""
    key: tuple[str, bytes] | None
    """The client's Idempotency-Key and the digest of what it stands for."""

    @property
    def route(self) -> str:
        """The route that carries it; a test key's never leaves the process."""
        return route_of(self.scope, self.sender)


class Built(Struct, frozen=True, kw_only=True):
    """The row and the lane entry of one message."""

    message: NewMessage
    entry: LaneEntry


class Passed(Struct, frozen=True):
    """A send that passed every gate but money."""

    admissible: Admissible
    built: Built
    rates: tuple[RateState, ...]
    coming: Coming | None = None
    """Its place in the line that it is to join; None for one that joins none now."""


def route_of(scope: TenantScope, sender: SenderFact | None) -> str:
    """Return the name of the lanes a message stands in."""
    return _account_route(sender.account_id) if scope.live and sender else SANDBOX_ROUTE


@lru_cache(maxsize=4096)
def _account_route(account_id: UUID) -> str:
    return encode("acc", account_id)


def lane_recipients(secret_key: str) -> KeyedHash:
    """Return what hashes the lanes' recipients: one key for all tenants, since one phone is one phone."""
    return KeyedHash(hmac.digest(secret_key.encode(), b"tollgate/v1/lane-recipient", sha256))


def build(admitted: Admissible, recipients: KeyedHash) -> Built:
    """Make the id, seal what is personal and lay out the row; `recipients` hashes for the lane."""
    message_id = new_uuid()
    at = created_at(message_id)
    entry = _entry(admitted, message_id, recipients)
    snapshot, draft, sender = admitted.snapshot, admitted.draft, admitted.sender
    reference = admitted.request.client_reference
    message = NewMessage(
        id=message_id,
        tenant_id=snapshot.tenant_id,
        created_at=at,
        test=not admitted.scope.live,
        status="scheduled" if draft.send_at else "queued",
        channel=admitted.request.channel,
        type=draft.type,
        country=draft.number.country,
        recipient_hash=admitted.recipient_hash,
        to_sealed=snapshot.key.seal(draft.number.e164.encode(), context=number_context(message_id)),
        body_sealed=snapshot.key.seal(draft.text.encode(), context=body_context(message_id)),
        template_id=draft.template.id if draft.template else None,
        template_version=draft.template.version if draft.template else None,
        encoding=draft.segments.encoding,
        parts=draft.charged,
        unit=draft.quote.unit,
        price_estimated=draft.quote.amount,
        max_price_micros=draft.quote.max_price_micros,
        account_id=sender.account_id if sender and admitted.scope.live else None,
        sender_id=sender.id if sender else None,
        sender_value=sender.value if sender else _SANDBOX_SENDER,
        sender_arn=sender.arn if sender else None,
        configuration_set=snapshot.routing.configuration_sets.get(sender.account_id) if sender else None,
        protect_configuration_id=configuration_of(snapshot, draft.protect, sender),
        send_at=draft.send_at,
        estimated_dispatch_at=(draft.send_at or at) + timedelta(milliseconds=admitted.wait_ms),
        expires_at=draft.expires_at,
        content=to_column(admitted.content),
        context=admitted.request.context or None,
        client_reference=reference if isinstance(reference, str) else None,
        feedback="pending" if admitted.request.feedback else None,
        route=entry.route,
        entry=entry,
        need=_need(admitted),
        rulings=draft.rulings,
        idempotent=_idempotent(admitted.key, at, draft.send_at),
        cost_estimated=draft.quote.cost_micros,
        counts=counts_against(
            snapshot, admitted.scope, draft, sender, platform_budgets=admitted.platform_budgets, at=at
        ),
        bundle=drawn_on(snapshot, admitted.scope, draft, at=at),
        least_included=draft.least_included,
    )
    return Built(message=message, entry=entry)


def accepted_view(message: NewMessage, draft: Draft) -> MessageView:
    """Return the message as its 202 shows it, without reading it back."""
    return MessageView(
        id=encode("msg", message.id),
        status=message.status,
        status_reason=None if draft.rulings is None else draft.rulings.held,
        to=draft.number.e164,
        country=message.country,
        carrier=None,
        from_=message.sender_value,
        channel=message.channel,
        type=message.type,
        body=draft.text or None,
        media=media_view(message.content),
        voice=voice_view(message.content),
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
        provider=NOT_ASKED,
        resend_of_unknown=False,
        test=message.test,
    )


def _entry(admitted: Admissible, message_id: UUID, recipients: KeyedHash) -> LaneEntry:
    snapshot, draft, sender = admitted.snapshot, admitted.draft, admitted.sender
    gates = channel_gates(sender, draft.channel) if sender else SANDBOX_GATES
    return LaneEntry(
        message_id=message_id,
        route=admitted.route,
        identity=lane_identity(sender.identity if sender else snapshot.tenant_id, draft.channel),
        country=draft.number.country,
        priority=PRIORITIES[draft.type],
        tenant_id=snapshot.tenant_id,
        parts=draft.segments.parts,
        identity_rate=gates.rate(draft.number.country),
        recipient_hash=recipients.digest(draft.number.e164.encode())[:_RECIPIENT_BYTES]
        if snapshot.plan.one_text_per_recipient_second
        else ANY_RECIPIENT,
        weight=snapshot.plan.weight,
        tenant_rate=snapshot.plan.mps(draft.number.country),
        shared_gates=gates.shared,
        daily_caps=gates.daily,
        version=snapshot.version,
    )


def counts_against(
    snapshot: TenantSnapshot,
    scope: TenantScope,
    draft: Draft,
    sender: SenderFact | None,
    *,
    platform_budgets: Sequence[Budget],
    at: datetime,
) -> tuple[Count, ...]:
    """Return what a live message adds to the tenant's budgets and the platform's; nearly always nothing."""
    if not (snapshot.budgets or platform_budgets) or not scope.live:
        return ()
    names = names_of(
        country=draft.number.country,
        type_=draft.type,
        account_id=sender.account_id if sender else None,
    )
    month, quote = month_of(at), draft.quote
    own = counts_of(snapshot.budgets, names, owner=snapshot.tenant_id, month=month, amount=quote.amount)
    return own + counts_of(platform_budgets, names, owner=PLATFORM, month=month, amount=quote.cost_micros)


def drawn_on(snapshot: TenantSnapshot, scope: TenantScope, draft: Draft, *, at: datetime) -> Count | None:
    """Return what a live message would draw on the plan's bundle, None where it holds not for it."""
    bundle = snapshot.plan.bundle
    if bundle is None or not scope.live:
        return None
    if not bundle.covers(country=draft.number.country, channel=draft.channel):
        return None
    return Count(
        owner=snapshot.tenant_id,
        name=BUNDLE,
        month=month_of(at),
        amount=bundle.units(draft.charged),
        cap=bundle.included,
    )


def _need(admitted: Admissible) -> dict[str, str] | None:
    """Return what a fail-over has to keep to; a use case counts where senders are registered for some."""
    request, draft, sender = admitted.request, admitted.draft, admitted.sender
    need: dict[str, str] = {}
    if isinstance(request.from_, str):
        need["named"] = request.from_
    if draft.template is not None and sender is not None and sender.use_cases:
        need["use_case"] = draft.template.use_case
    return need or None


def _idempotent(
    key: tuple[str, bytes] | None, now: datetime, send_at: datetime | None
) -> IdempotentRequest | None:
    if key is None:
        return None
    return IdempotentRequest(key=key[0], fingerprint=key[1], expires_at=expires_at(now, send_at))
