"""What the tenant's and the operator's registration routes do alike, in a transaction of either."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from litestar import Response
from msgspec import Meta, Struct
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.live_keys import require_live
from gateway.api.path_ids import path_id
from gateway.api.refusals import Refusal
from gateway.api.registration_costs import PlanCost, check_seen, cost_view
from gateway.api.registration_views import (
    AttachmentView,
    RegistrationView,
    ReviewView,
    attachment_view,
    review_view,
    view_of,
)
from gateway.intake.outcome import FieldFault
from gateway.registrations.notices import tell
from tenants.errors import InvalidId, NotFound
from tenants.ids import decode, encode
from tenants.registrations import service, store
from tenants.registrations.attached_files import AttachmentRefused, CleanFile
from tenants.registrations.attachments import clean
from tenants.registrations.checking import Value, attachment_ids
from tenants.registrations.costs import check_accepted, cost_of
from tenants.registrations.forms import Form
from tenants.registrations.linting.draft import draft_of
from tenants.registrations.linting.lint import errors_of
from tenants.scope import TenantScope
from tenants.templates import service as templates

_KIND: Final = "registration"
_DECODED_AT_ONCE: Final = asyncio.Semaphore(2)
"""Files in memory, unpacked."""

Name = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
Reference = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9._:/-]+\Z")]
FieldPath = Annotated[str, Meta(min_length=1, max_length=100)]
GivenValue = (
    Annotated[str, Meta(max_length=10_000)]
    | Annotated[list[Annotated[str, Meta(max_length=200)]], Meta(max_length=50)]
)
GivenValues = Annotated[dict[FieldPath, GivenValue | None], Meta(max_length=200)]
Dollars = Annotated[str, Meta(pattern=r"^[0-9]{1,6}(\.[0-9]{1,5})?\Z")]


class NewRegistrationBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A registration to be."""

    type: Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[A-Z0-9_]+\Z")]
    """One of `GET /v1/registration-forms`, such as `US_TOLL_FREE_REGISTRATION`."""
    name: Name
    """The tenant's own name for it."""
    reference: Reference | None = None
    """Unique for the tenant: asking again with the same one gives the same registration."""
    parent: Annotated[str, Meta(max_length=40)] | None = None
    """`reg_…` of the brand, for a campaign or a vetting."""
    message_type: Literal["TRANSACTIONAL", "PROMOTIONAL"] = "TRANSACTIONAL"
    """Of the number that is requested for it."""
    international: bool = False
    """Whether that number may also send to other countries; only US and CA can answer it."""
    values: GivenValues = {}
    """By field path: a text, a choice or a list of choices, or an `att_…`."""


class ValuesBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fields to fill; null empties one, what is absent stays."""

    values: GivenValues
    edition: Annotated[str, Meta(max_length=40)] | None = None
    """The registration's `edition` that was read; values that changed since are then not overwritten."""


class CostBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The cost that is accepted, as the registration shows it under `cost`."""

    monthly_usd: Dollars = "0.00"
    once_usd: Dollars = "0.00"
    by_plan: PlanCost | None = None
    """What the tenant itself pays, as it was read: where prices changed since, nothing is accepted."""


Act = Callable[[AsyncSession], Awaitable[service.RegistrationView]]


class Speaker(Struct, frozen=True, kw_only=True):
    """For whom, and whether as the operator."""

    scope: TenantScope
    as_operator: bool


def id_of(text: str) -> UUID:
    """Return the UUID of a path's `reg_…`."""
    return path_id("reg", text, _KIND)


async def form_of(desk: Desk, speaker: Speaker, wanted: UUID) -> Form:
    """Return the form of a registration, asked before any transaction is open."""
    async with opened(desk, speaker) as session:
        found = await service.get(speaker.scope, session, wanted)
    return await desk.services.registrations.form(found.row.type, withdrawn=True)


def opened(desk: Desk, speaker: Speaker) -> AbstractAsyncContextManager[AsyncSession]:
    """Open a transaction of the speaker's."""
    return desk.operator() if speaker.as_operator else desk.tenant(speaker.scope)


async def shown(
    desk: Desk, speaker: Speaker, session: AsyncSession, found: service.RegistrationView, form: Form
) -> RegistrationView:
    """Return a registration as the speaker sees it."""
    cost = await cost_view(speaker.scope, session, found.row, form, now=desk.services.clock.now())
    return view_of(found, form, cost, as_operator=speaker.as_operator)


async def answer_with(
    request: ApiRequest, desk: Desk, speaker: Speaker, form: Form, act: Act, *, status: int = 200
) -> Response[RegistrationView]:
    """Do a POST once and answer with the registration."""

    async def work(session: AsyncSession) -> RegistrationView:
        return await shown(desk, speaker, session, await act(session), form)

    once_only = desk.operator_once if speaker.as_operator else desk.tenant_once
    return await once_only(request, work, status=status)


async def open_one(
    request: ApiRequest, desk: Desk, speaker: Speaker, data: NewRegistrationBody
) -> Response[RegistrationView]:
    """Open a registration, or give the one that its reference names."""
    try:
        form = await desk.services.registrations.form(data.type)
    except NotFound:
        detail = "AWS has no such registration type; GET /v1/registration-forms lists them"
        raise Refusal.of_field("/type", "no_such_type", detail) from None
    new = service.NewRegistration(
        name=data.name,
        reference=data.reference,
        parent_id=_parent(data.parent),
        number_terms={"message_type": data.message_type, "international": data.international},
        values=data.values,
    )

    async def act(session: AsyncSession) -> service.RegistrationView:
        if data.reference is not None:
            known = await store.referred(speaker.scope, session, data.reference)
            if known is not None:
                return await _same(speaker.scope, session, known.id, data.type)
        return await service.create(speaker.scope, session, form, new)

    return await answer_with(request, desk, speaker, form, act, status=201)


async def _same(
    scope: TenantScope, session: AsyncSession, known: UUID, wanted: str
) -> service.RegistrationView:
    found = await service.get(scope, session, known)
    if found.row.type != wanted:
        raise Refusal.of_field("/reference", "other_type", f"the reference names a {found.row.type}")
    return found


async def read_one(desk: Desk, speaker: Speaker, wanted: UUID) -> RegistrationView:
    """Return a registration."""
    form = await form_of(desk, speaker, wanted)
    async with opened(desk, speaker) as session:
        return await shown(desk, speaker, session, await service.get(speaker.scope, session, wanted), form)


async def fill_one(desk: Desk, speaker: Speaker, wanted: UUID, data: ValuesBody) -> RegistrationView:
    """Change values of a draft."""
    form = await form_of(desk, speaker, wanted)
    now = desk.services.clock.now()
    async with opened(desk, speaker) as session:
        found = await _fill(speaker, session, form, wanted, data.values, now=now, edition=data.edition)
        return await shown(desk, speaker, session, found, form)


async def _fill(
    speaker: Speaker,
    session: AsyncSession,
    form: Form,
    wanted: UUID,
    values: Mapping[str, Value | None],
    *,
    now: datetime,
    edition: str | None = None,
) -> service.RegistrationView:
    before = (await service.get(speaker.scope, session, wanted)).row.status
    found = await service.fill(speaker.scope, session, form, wanted, values, now=now, edition=edition)
    await tell(speaker.scope, session, found.row, previous=before)
    return found


async def start_one(
    request: ApiRequest, desk: Desk, speaker: Speaker, wanted: UUID, goal: Literal["review", "submit"]
) -> Response[RegistrationView]:
    """Let the gateway bring a registration to AWS."""
    require_live(speaker.scope)
    form = await form_of(desk, speaker, wanted)
    now = desk.services.clock.now()

    async def act(session: AsyncSession) -> service.RegistrationView:
        known = await service.get(speaker.scope, session, wanted)
        before = known.row.status
        if goal == "submit" and not speaker.as_operator:
            await _refuse_what_reviewers_refuse(speaker.scope, session, known)
        found = await service.start(speaker.scope, session, form, wanted, goal, now=now)
        await tell(speaker.scope, session, found.row, previous=before)
        return found

    return await answer_with(request, desk, speaker, form, act)


async def confirm_one(
    request: ApiRequest, desk: Desk, speaker: Speaker, wanted: UUID, data: CostBody
) -> Response[RegistrationView]:
    """Accept what a registration costs."""
    require_live(speaker.scope)
    form = await form_of(desk, speaker, wanted)
    cost = cost_of(form.type)
    if cost is None:
        raise Refusal("conflict", "Nothing of this registration has to be confirmed.")
    check_accepted(cost, monthly_usd=data.monthly_usd, once_usd=data.once_usd)
    now = desk.services.clock.now()

    async def act(session: AsyncSession) -> service.RegistrationView:
        found = await service.confirm_cost(speaker.scope, session, wanted, now=now)
        check_seen(await cost_view(speaker.scope, session, found.row, form, now=now), data.by_plan)
        return found

    return await answer_with(request, desk, speaker, form, act)


async def renew_one(
    request: ApiRequest, desk: Desk, speaker: Speaker, wanted: UUID
) -> Response[RegistrationView]:
    """Begin another version."""
    form = await form_of(desk, speaker, wanted)
    now = desk.services.clock.now()

    async def act(session: AsyncSession) -> service.RegistrationView:
        before = (await service.get(speaker.scope, session, wanted)).row.status
        found = await service.new_version(speaker.scope, session, wanted, now=now)
        await tell(speaker.scope, session, found.row, previous=before)
        return found

    return await answer_with(request, desk, speaker, form, act, status=201)


async def review_one(desk: Desk, speaker: Speaker, wanted: UUID) -> ReviewView:
    """Return what AWS holds beside what was filled in."""
    form = await form_of(desk, speaker, wanted)
    async with opened(desk, speaker) as session:
        found = await service.get(speaker.scope, session, wanted)
        named = set(attachment_ids(form, found.current.filled).values())
        rows = await store.attachments(speaker.scope, session, {decode("att", each) for each in named})
    account = str(found.row.account_id)
    aws_ids = {encode("att", each.id): each.aws_ids.get(account) for each in rows}
    held = await desk.services.registrations.held(found.row, found.current)
    return review_view(found, form, held, aws_ids)


async def attach_one(
    request: ApiRequest,
    desk: Desk,
    speaker: Speaker,
    wanted: UUID,
    content: bytes,
    *,
    name: str,
    field: str | None,
) -> Response[AttachmentView]:
    """Keep a file and put it into a field."""
    form = await form_of(desk, speaker, wanted)
    file = await cleaned(content)
    now = desk.services.clock.now()
    key = await desk.services.data_keys.of(speaker.scope.tenant_id)

    async def work(session: AsyncSession) -> AttachmentView:
        row = await service.add_attachment(speaker.scope, session, key, file, name=name)
        if field is not None:
            change: dict[str, Value | None] = {field: encode("att", row.id)}
            await _fill(speaker, session, form, wanted, change, now=now)
        return attachment_view(row)

    once_only = desk.operator_once if speaker.as_operator else desk.tenant_once
    return await once_only(request, work, status=201)


async def cleaned(content: bytes) -> CleanFile:
    """
    Return a file written anew.

    Raises:
        Refusal: It cannot be attached.
    """
    async with _DECODED_AT_ONCE:
        file = await asyncio.to_thread(clean, content)
    if isinstance(file, AttachmentRefused):
        fault = FieldFault(field="/file", code=file.code, detail=file.detail)
        raise Refusal("attachment_refused", file.detail, errors=(fault,))
    return file


def _parent(text: str | None) -> UUID | None:
    try:
        return None if text is None else decode("reg", text)
    except InvalidId as error:
        raise Refusal.of_field("/parent", "invalid_id", str(error)) from error


async def _refuse_what_reviewers_refuse(
    scope: TenantScope, session: AsyncSession, known: service.RegistrationView
) -> None:
    """The operator is not asked: it may know better than a rule."""
    brand = await templates.brand_of(scope, session)
    registered = await service.registered_names(scope, session, known.row)
    draft = draft_of(known.row.type, known.current.filled, brands=(*registered, brand))
    found = [] if draft is None else errors_of(draft)
    if found:
        faults = tuple(
            FieldFault(field=f"/{each.field}", code=each.code, detail=f"{each.message}: {each.fix}")
            for each in found
        )
        raise Refusal("registration_not_compliant", found[0].message, errors=faults)
