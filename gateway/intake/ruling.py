"""What the rules of where, when and what make of a draft: refused, put off until the morning, or as it is."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import UNSET, Struct, structs

from gateway.admission.rules.judging import RuleReport, judge, reports
from gateway.admission.rules.ports import Closed, SendFacts
from gateway.intake.outcome import Declined, FieldFault
from gateway.intake.prepare import Draft
from gateway.intake.request import CountryParameters, SendRequest
from gateway.intake.snapshot import TenantSnapshot
from gateway.messages.rulings import Rulings
from gateway.messages.view import StatusReason
from gateway.routing.facts import SenderFact
from tenants.accounts.plan import content_screen_of
from tenants.scope import TenantScope

_INDIA: Final = "IN"
_NONE: Final = CountryParameters()


class _IndiaIds(Struct, frozen=True):
    """The two ids of India's DLT registry, as far as they are known."""

    entity_id: str | None = None
    template_id: str | None = None


_NO_IDS: Final = _IndiaIds()


class _Proof(Struct, frozen=True):
    """That the recipient is one of the tenant's verified numbers."""

    account_id: UUID | None
    """The AWS account that knows it; None for test keys."""


def rule(
    snapshot: TenantSnapshot,
    scope: TenantScope,
    request: SendRequest,
    draft: Draft,
    sender: SenderFact | None,
    *,
    now: datetime,
) -> Draft | Declined:
    """Judge a draft that has its sender; a draft that has to wait comes back scheduled."""
    ids = _india_ids(snapshot, request, draft)
    facts = _facts(snapshot, scope, request, draft, sender, ids=ids, now=now)
    verdict = judge(facts)
    if isinstance(verdict, Closed):
        return _declined(verdict, now)
    parameters = _aws_parameters(ids)
    if verdict == facts.leaves_at:
        return (
            draft
            if not parameters
            else structs.replace(draft, rulings=Rulings(country_parameters=parameters))
        )
    held = StatusReason(
        code="quiet_hours",
        detail="It is night where the recipient is; promotional messages leave from "
        f"{verdict.isoformat(timespec='minutes')}.",
    )
    return structs.replace(
        draft,
        send_at=verdict,
        expires_at=verdict + timedelta(milliseconds=draft.ttl_ms),
        rulings=Rulings(held=held, country_parameters=parameters),
    )


def explained_rules(
    snapshot: TenantSnapshot,
    scope: TenantScope,
    request: SendRequest,
    draft: Draft,
    sender: SenderFact | None,
    *,
    now: datetime,
) -> list[RuleReport]:
    """Return what each rule says of a draft."""
    ids = _india_ids(snapshot, request, draft)
    return reports(_facts(snapshot, scope, request, draft, sender, ids=ids, now=now))


def _facts(
    snapshot: TenantSnapshot,
    scope: TenantScope,
    request: SendRequest,
    draft: Draft,
    sender: SenderFact | None,
    *,
    ids: _IndiaIds,
    now: datetime,
) -> SendFacts:
    proof = _proof(snapshot, scope, draft)
    route = snapshot.routing.routes.get(sender.account_id) if sender and scope.live else None
    return SendFacts(
        plan=snapshot.plan,
        number=draft.number,
        message_type=draft.type,
        channel=request.channel,
        text=draft.text,
        from_template=draft.template is not None,
        screen=content_screen_of(snapshot.model, snapshot.plan),
        sender_type=None if sender is None else sender.type,
        verified=proof is not None,
        account_in_sandbox=route is not None and route.sandbox,
        verified_in_account=proof is not None
        and sender is not None
        and proof.account_id == sender.account_id,
        entity_id=ids.entity_id,
        dlt_template_id=ids.template_id,
        leaves_at=draft.send_at or now,
    )


def _proof(snapshot: TenantSnapshot, scope: TenantScope, draft: Draft) -> _Proof | None:
    """Return where the recipient is verified; without any number verified, as usual, nothing is hashed."""
    if not snapshot.verified:
        return None
    key = (scope.live, snapshot.key.recipient_hash(draft.number.e164))
    return _Proof(snapshot.verified[key]) if key in snapshot.verified else None


def _india_ids(snapshot: TenantSnapshot, request: SendRequest, draft: Draft) -> _IndiaIds:
    """Return the ids of the request, or else those of the plan and the template."""
    if draft.number.country != _INDIA:
        return _NO_IDS
    given = _NONE if request.country_parameters is UNSET else request.country_parameters
    return _IndiaIds(
        entity_id=snapshot.plan.india_entity_id if given.entity_id is UNSET else given.entity_id,
        template_id=(draft.template.dlt_template_id if draft.template else None)
        if given.template_id is UNSET
        else given.template_id,
    )


def _aws_parameters(ids: _IndiaIds) -> Mapping[str, str] | None:
    """Return DestinationCountryParameters; one id without the other says nothing to a carrier."""
    if not ids.entity_id or not ids.template_id:
        return None
    return {"IN_ENTITY_ID": ids.entity_id, "IN_TEMPLATE_ID": ids.template_id}


def _declined(closed: Closed, now: datetime) -> Declined:
    wait = None if closed.opens_at is None else int((closed.opens_at - now) / timedelta(milliseconds=1))
    faults = () if closed.field is None else (
        FieldFault(field=closed.field, code=closed.code, detail=closed.detail),
    )  # fmt: skip
    return Declined(code=closed.code, detail=closed.detail, retry_after_ms=wait, errors=faults)
