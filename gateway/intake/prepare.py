"""
From a request to a draft: everything that can be said of a send without Redis and without SQL.

Pure: the same snapshot, request and instant give the same draft or the same refusal.
"""

from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from msgspec import UNSET, Struct, structs

from gateway.admission.rules.channel import channel_fault
from gateway.admission.segments import Segments
from gateway.intake.channels import channel_faults, shaped
from gateway.intake.matching import matched
from gateway.intake.outcome import DeclineCode, Declined, FieldFault
from gateway.intake.protecting import named_configuration
from gateway.intake.request import OUR_CONTEXT, SendRequest, TemplateRef
from gateway.intake.snapshot import ApprovedTemplate, TenantSnapshot
from gateway.messages.content import Speech
from gateway.messages.rulings import Rulings
from gateway.routing.candidates import named_senders
from tenants.countries.facts import UNREACHABLE
from tenants.countries.languages import LANGUAGES
from tenants.countries.numbers import Number, parse_number
from tenants.credits.money import parse_usd
from tenants.credits.pricing import PriceBook, Quote, price
from tenants.credits.rates import bundles
from tenants.errors import InvalidId
from tenants.ids import decode
from tenants.templates.rendering import Rendered, render

SCHEDULE_WINDOW = timedelta(days=35)
_INDIA = "IN"
_NO_SUCH_SENDER = (
    "`from` names no sender of the tenant and no pool with one; GET /v1/senders and /v1/pools list them"
)


class Draft(Struct, frozen=True, kw_only=True):
    """A send whose text, recipient and price are known."""

    number: Number
    text: str
    segments: Segments
    channel: str
    charged: int
    """Parts of an SMS, 1 for an MMS, minutes of a call."""
    speech: Speech | None
    type: str
    template: ApprovedTemplate | None
    quote: Quote
    least_included: int
    """What the plan's bundle has to cover of it for it to cost no more than the request's `max_price`."""
    send_at: datetime | None
    expires_at: datetime
    ttl_ms: int
    rulings: Rulings | None = None
    """What the rules added to it."""
    protect: UUID | None = None
    """The protect configuration that the request names, which is the tenant's."""


class _Text(Struct, frozen=True):
    text: str
    template: ApprovedTemplate | None


Prepared: TypeAlias = Draft | Declined


def prepare(snapshot: TenantSnapshot, request: SendRequest, book: PriceBook, now: datetime) -> Prepared:
    """Return what the send would be, or the first reason why it cannot be."""
    if (faults := _shape_faults(snapshot, request, now)) is not None:
        return faults
    number = parse_number(request.to)
    if not isinstance(number, Number):
        return _one("invalid_number", "/to", number.code, number.detail)
    wrong_end = _wrong_country(request, number.country) or _wrong_sender(snapshot, request)
    if wrong_end is not None:
        return wrong_end
    text = _text(snapshot, request, number.country)
    if isinstance(text, Declined):
        return text
    protect = named_configuration(snapshot, request)
    if isinstance(protect, Declined):
        return protect
    return _draft(snapshot, request, book, now, number=number, text=text, protect=protect)


def _wrong_country(request: SendRequest, country: str) -> Declined | None:
    if country in UNREACHABLE:
        return Declined(
            code="country_not_allowed", detail=f"AWS does not carry texts to {UNREACHABLE[country]}"
        )
    if request.country_parameters is not UNSET and country != _INDIA:
        detail = f"only sends to India take country parameters; leave them out for {country}"
        return _one("validation_failed", "/country_parameters", "other_country", detail)
    return None


def _wrong_sender(snapshot: TenantSnapshot, request: SendRequest) -> Declined | None:
    if not isinstance(request.from_, str) or named_senders(snapshot.routing, request.from_):
        return None
    return _one("validation_failed", "/from", "unknown_sender", _NO_SUCH_SENDER)


def _draft(
    snapshot: TenantSnapshot,
    request: SendRequest,
    book: PriceBook,
    now: datetime,
    *,
    number: Number,
    text: _Text,
    protect: UUID | None,
) -> Prepared:
    shape = shaped(request, text.text, number.country)
    if isinstance(shape, Declined):
        return shape
    if (
        text.template is not None
        and text.template.countries
        and number.country not in text.template.countries
    ):
        return Declined(
            code="template_not_allowed", detail=f"the template is not approved for {number.country}"
        )
    kind = _type(snapshot, request, text.template)
    if isinstance(kind, Declined):
        return kind
    quote = price(
        snapshot.plan,
        book,
        country=number.country,
        channel=request.channel,
        parts=shape.charged,
        model=snapshot.model,
    )
    if not isinstance(quote, Quote):
        return Declined(code="no_price", detail=f"the price book has no price for {number.country}")
    least = _least_included(snapshot, request, quote, country=number.country, charged=shape.charged)
    if isinstance(least, Declined):
        return least
    send_at = None if request.send_at is UNSET else request.send_at
    ttl_s = snapshot.plan.ttl_seconds if request.ttl_seconds is UNSET else request.ttl_seconds
    return Draft(
        number=number,
        text=text.text,
        segments=shape.segments,
        channel=request.channel,
        charged=shape.charged,
        speech=shape.speech,
        type=kind,
        template=text.template,
        quote=quote,
        least_included=least,
        send_at=send_at,
        expires_at=(send_at or now) + timedelta(seconds=ttl_s),
        ttl_ms=ttl_s * 1000,
        protect=protect,
    )


def repriced(
    snapshot: TenantSnapshot, request: SendRequest, book: PriceBook, draft: Draft, sender_type: str
) -> Prepared:
    """Return the draft at the price of the sender that was chosen, where the book tells senders apart."""
    if not book.special:
        return draft
    quote = price(
        snapshot.plan,
        book,
        country=draft.number.country,
        channel=request.channel,
        parts=draft.charged,
        sender_type=sender_type,
        model=snapshot.model,
    )
    if not isinstance(quote, Quote):
        return Declined(code="no_price", detail=f"the price book has no price for {draft.number.country}")
    least = _least_included(snapshot, request, quote, country=draft.number.country, charged=draft.charged)
    return least if isinstance(least, Declined) else structs.replace(draft, quote=quote, least_included=least)


def _shape_faults(snapshot: TenantSnapshot, request: SendRequest, now: datetime) -> Declined | None:
    if (off := channel_fault(snapshot.plan, request.channel)) is not None:
        return _one("channel_disabled", "/channel", "channel_disabled", off.detail)
    faults: list[FieldFault] = []
    if (request.body is UNSET) == (request.template is UNSET) and not _is_file_alone(request):
        faults.append(
            _fault("/body", "exactly_one", "give either `body` or `template`, not both and not neither")
        )
    faults.extend(channel_faults(request))
    if isinstance(request.template, TemplateRef):
        reference = request.template
        if (reference.id is UNSET) == (reference.name is UNSET):
            faults.append(_fault("/template", "exactly_one", "name the template by `id` or by `name`"))
    if request.send_at is not UNSET:
        faults.extend(_schedule_faults(request.send_at, now))
    faults.extend(
        _fault(f"/context/{key}", "reserved", f"names that begin with {OUR_CONTEXT} are the gateway's own")
        for key in request.context
        if key.startswith(OUR_CONTEXT)
    )
    if faults:
        return Declined(code="validation_failed", detail=faults[0].detail, errors=tuple(faults))
    return None


def _is_file_alone(request: SendRequest) -> bool:
    return (
        request.channel == "mms"
        and request.media is not UNSET
        and request.body is UNSET
        and request.template is UNSET
    )


def _schedule_faults(send_at: datetime, now: datetime) -> list[FieldFault]:
    if send_at.tzinfo is None:
        return [_fault("/send_at", "no_offset", "give an offset, for example 2026-01-31T09:00:00Z")]
    if send_at <= now:
        return [_fault("/send_at", "in_the_past", "give a time to come, or leave it out to send at once")]
    if send_at > now + SCHEDULE_WINDOW:
        return [_fault("/send_at", "too_far", "a send can be scheduled at most 35 days ahead")]
    return []


def _text(snapshot: TenantSnapshot, request: SendRequest, country: str) -> _Text | Declined:
    if isinstance(request.body, str):
        approved = matched(snapshot.patterns, request, country) if snapshot.patterns else None
        return approved if isinstance(approved, Declined) else _Text(request.body, approved)
    if request.template is UNSET:
        return _Text("", None)
    reference = request.template
    assert isinstance(reference, TemplateRef)  # noqa: S101 - `_shape_faults` has seen to it
    approved = _approved(snapshot, reference)
    if approved is None:
        return Declined(
            code="template_not_allowed",
            detail="no approved version of such a template; see its state at /v1/templates",
        )
    locale = LANGUAGES.get(country) if reference.locale is UNSET else reference.locale
    rendered = render(approved.in_language(locale), approved.declarations, reference.variables)
    if isinstance(rendered, Rendered):
        return _Text(rendered.text, approved)
    faults = tuple(_fault(fault.field, fault.code, fault.detail) for fault in rendered.faults)
    return Declined(code="invalid_template_variables", detail=faults[0].detail, errors=faults)


def _approved(snapshot: TenantSnapshot, reference: TemplateRef) -> ApprovedTemplate | None:
    template_id = _template_id(snapshot, reference)
    versions = snapshot.templates.get(template_id, ()) if template_id else ()
    if reference.version is UNSET:
        return versions[0] if versions else None
    return next((version for version in versions if version.version == reference.version), None)


def _template_id(snapshot: TenantSnapshot, reference: TemplateRef) -> UUID | None:
    if isinstance(reference.name, str):
        return snapshot.template_names.get(reference.name)
    try:
        return decode("tpl", str(reference.id))
    except InvalidId:
        return None


def _type(
    snapshot: TenantSnapshot, request: SendRequest, template: ApprovedTemplate | None
) -> str | Declined:
    if request.type is UNSET:
        return template.type if template else snapshot.plan.default_type
    if template is not None and template.type != request.type:
        return Declined(
            code="use_case_mismatch",
            detail=f"the template is approved for {template.type}, the request says {request.type}",
        )
    return request.type


def _least_included(
    snapshot: TenantSnapshot, request: SendRequest, quote: Quote, *, country: str, charged: int
) -> int | Declined:
    """Return what a bundle has to cover of a send for it to cost no more than it may."""
    if request.max_price is UNSET:
        return 0
    most, bundle = parse_usd(request.max_price, field="/max_price"), snapshot.plan.bundle
    if quote.sell_micros <= most:
        return 0
    if bundle is None or not bundle.covers(country=country, channel=request.channel):
        return TOO_DEAR
    return bundles.least_included(quote.sell_micros, units=bundle.units(charged), most=most)


def _one(code: DeclineCode, field: str, fault: str, detail: str) -> Declined:
    return Declined(code=code, detail=detail, errors=(_fault(field, fault, detail),))


def _fault(field: str, code: str, detail: str) -> FieldFault:
    return FieldFault(field=field, code=code, detail=detail)


TOO_DEAR = _one(
    "price_over_max", "/max_price", "price_over_max", "the message would cost more than `max_price`"
)
