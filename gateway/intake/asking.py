"""What the gates are asked about a draft that has its sender. Pure."""

from datetime import datetime

from gateway.admission.pumping import watch
from gateway.admission.suspicion import level_of
from gateway.admission.verdict import Admission
from gateway.intake.choosing import Chosen
from gateway.intake.outcome import Declined
from gateway.intake.prepare import Draft, Prepared, repriced
from gateway.intake.prices import Tariff
from gateway.intake.protecting import configuration_of
from gateway.intake.request import SendRequest
from gateway.intake.ruling import rule
from gateway.intake.snapshot import TenantSnapshot
from gateway.routing.facts import SenderFact
from tenants.credits.pricing import EVERY
from tenants.scope import TenantScope


def priced_by_sender(
    snapshot: TenantSnapshot, request: SendRequest, draft: Draft, sender: SenderFact | None, tariff: Tariff
) -> Prepared:
    """Return the draft at the price of the sender that would carry it."""
    book = tariff.book_of(snapshot.plan)
    return repriced(snapshot, request, book, draft, sender.type if sender else EVERY)


def ruled_draft(
    snapshot: TenantSnapshot,
    scope: TenantScope,
    request: SendRequest,
    draft: Draft,
    sender: SenderFact | None,
    *,
    tariff: Tariff,
    now: datetime,
) -> Draft | Declined:
    """Price a draft by its sender and judge it by the rules."""
    priced = priced_by_sender(snapshot, request, draft, sender, tariff)
    if isinstance(priced, Declined):
        return priced
    return rule(snapshot, scope, request, priced, sender, now=now)


def _level(snapshot: TenantSnapshot, draft: Draft) -> int:
    """Return how closely the country is watched for pumping."""
    country = draft.number.country
    return level_of(draft.quote.cost_micros // max(draft.charged, 1), snapshot.suspicions.get(country, 0))


def admission_of(
    snapshot: TenantSnapshot,
    scope: TenantScope,
    request: SendRequest,
    draft: Draft,
    chosen: Chosen,
    *,
    counted: bool = False,
) -> Admission:
    """
    Return what the admission script is asked.

    Args:
        counted: Whether the request that it came in is counted already.
    """
    return Admission(
        tenant_id=snapshot.tenant_id,
        policy_version=snapshot.version,
        live=scope.live,
        country=draft.number.country,
        template=(draft.template.id, draft.template.version) if draft.template else None,
        recipient_hash=snapshot.key.recipient_hash(draft.number.e164),
        use_cases=("all", draft.type),
        parts=draft.segments.parts,
        estimated_wait_ms=0 if draft.send_at else chosen.wait_ms,
        ttl_ms=draft.ttl_ms,
        scheduled=draft.send_at is not None,
        counted=counted,
        protect=configuration_of(snapshot, draft.protect, chosen.sender),
        channel=request.channel,
        watched=watch(
            snapshot.plan,
            draft.number,
            message_type=draft.type,
            template=draft.template.name if draft.template else None,
            live=scope.live,
            level=_level(snapshot, draft),
        ),
    )
