"""`/v1/consents`: who agreed to be texted, to what and by which words."""

from datetime import datetime
from typing import Annotated, Final, Literal

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, invalid_cursor, page_of, text_after
from gateway.api.recipients.consent_files import consents_csv, read_consents
from gateway.api.recipients.consent_views import (
    ConsentHistory,
    ConsentTextView,
    ConsentView,
    consent_view,
    record_view,
)
from gateway.api.recipients.consenting import take_asking, withdraw_and_opt_out
from gateway.api.recipients.opt_out_changing import project
from gateway.api.refusals import Refusal
from gateway.api.row_files import MAX_BYTES, ImportView, import_view
from tenants.consents import service
from tenants.consents.rules import MessageType, Method, check_use_case
from tenants.consents.service import NewConsent, Proof
from tenants.countries.numbers import Number, parse_number
from tenants.errors import NotFound
from tenants.recipient_turns import take_for_file

_CONSENTS: Final = {NEEDS: "consents"}
_MOST_LINES: Final = 200
_EXPORT_PAGE: Final = 1_000
_Instant = Annotated[datetime, Meta(tz=True)]
_State = Literal["pending", "granted", "withdrawn"]


class NewConsentBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A consent to write down."""

    number: Annotated[str, Meta(min_length=1, max_length=40, description="E.164.")]
    use_case: Annotated[str, Meta(pattern=r"^[a-z0-9_-]{1,40}\Z")]
    """What the person agreed to: one consent covers one use case."""
    type: MessageType
    """The type of the messages that the use case sends."""
    method: Method = "api"
    text: Annotated[str, Meta(min_length=1, max_length=4000)]
    """Exactly what the person read or heard before agreeing."""
    given_at: _Instant | None = None
    """When the person agreed; null for now."""
    ip: Annotated[str, Meta(min_length=2, max_length=45, pattern=r"^[0-9a-fA-F:.]+\Z")] | None = None
    signer: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    """Who signed the paper or spoke on the phone."""
    evidence: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    """Your own reference of the paper, the recording or the row."""
    double_opt_in: bool = False
    """Whether the phone itself has to answer a text within 24 hours."""
    language: Annotated[str, Meta(pattern=r"^[a-z]{2,3}\Z")] = "en"
    """Of the confirmation text: `en`, `de`, `es` or `fr`; any other gets English."""
    programme: Annotated[str, Meta(min_length=1, max_length=60)] | None = None
    """What the confirmation text calls the use case; null takes its name."""


class ConsentImportBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of consents as CSV text."""

    csv: Annotated[str, Meta(min_length=1, max_length=MAX_BYTES)]
    """
    First line: `number`, `use_case`, `type`, and where wanted `given_at`, `method`, `text`, `signer`, `ip`,
    `evidence`.
    """
    dry_run: bool = False
    """Only look what the file would do."""


@post(
    "/consents",
    status_code=201,
    opt=_CONSENTS,
    responses=refusals(*TENANT, *WITH_BODY, *WITH_IDEMPOTENCY, "invalid_number"),
    summary="Write a consent down",
    description=(
        "The words are kept once for each version, the event for good. With `double_opt_in` one text asks "
        "the phone, and the consent is `pending` until it answers YES (JA, SI, OUI …) or its link, which "
        "leads to the hosted pages where there are some, is opened and confirmed; after 24 hours it is "
        "`expired`. A STOP ends it at once. A consent takes nobody off an opt-out list, and one with a "
        "`given_at` before the person withdrew is written down and leaves it `withdrawn`."
    ),
)
async def create_consent(
    request: ApiRequest, data: JSONBody[NewConsentBody], desk: NamedDependency[Desk]
) -> Response[ConsentView]:
    """Take a consent down."""
    wanted = _wanted(data)
    now = desk.services.clock.now()
    key = await desk.services.data_keys.of(request.auth.tenant_id)

    async def work(session: AsyncSession) -> ConsentView:
        if data.double_opt_in:
            taken = await take_asking(
                request.auth,
                session,
                key,
                wanted,
                now=now,
                programme=data.programme or data.use_case.replace("_", " "),
                language=data.language,
                public_url=desk.public_url,
            )
        else:
            taken = await service.take(request.auth, session, key, wanted, now=now)
        return consent_view(taken.consent)

    return await desk.tenant_once(request, work, status=201)


@get(
    "/consents",
    opt=_CONSENTS,
    responses=refusals(*TENANT),
    summary="List consents",
    description=(
        "Where each number stands with each use case, in an order that is stable and means nothing. A "
        "pending one that was not confirmed in time is shown as `expired`."
    ),
)
async def list_consents(
    request: ApiRequest,
    desk: NamedDependency[Desk],
    *,
    limit: Limit = DEFAULT_LIMIT,
    after: After = None,
    use_case: Annotated[str | None, QueryParameter(max_length=40)] = None,
    standing: Annotated[_State | None, QueryParameter(name="state")] = None,
) -> Page[ConsentView]:
    """Return a page of consents."""
    key = await desk.services.data_keys.of(request.auth.tenant_id)
    async with desk.tenant(request.auth) as session:
        rows = await service.page(
            request.auth,
            session,
            key,
            limit=limit + 1,
            now=desk.services.clock.now(),
            after=_place(text_after(request, after)),
            use_case=use_case,
            state=standing,
        )
    return page_of(
        request,
        rows,
        limit,
        view=consent_view,
        place=lambda row: f"{row.use_case}.{row.recipient_hash.hex()}",
    )


@get(
    "/consents/export",
    opt=_CONSENTS,
    responses=refusals(*TENANT),
    summary="Export consents as CSV",
    description="All of the key's mode, for a system that sends to the same people.",
    media_type="text/csv",
)
async def export_consents(request: ApiRequest, desk: NamedDependency[Desk]) -> Response[str]:
    """Return every consent as a file."""
    key, now = await desk.services.data_keys.of(request.auth.tenant_id), desk.services.clock.now()
    rows: list[service.ConsentView] = []
    async with desk.tenant(request.auth) as session:
        place: tuple[bytes, str] | None = None
        while True:
            found = await service.page(request.auth, session, key, limit=_EXPORT_PAGE, now=now, after=place)
            rows += found
            if len(found) < _EXPORT_PAGE:
                break
            place = (found[-1].recipient_hash, found[-1].use_case)
    saved = {"Content-Disposition": 'attachment; filename="consents.csv"'}
    return Response(consents_csv(rows), media_type="text/csv", headers=saved)


@get(
    "/consents/texts/{text_hash:str}",
    opt=_CONSENTS,
    responses=refusals(*TENANT, "not_found"),
    summary="Read the words that people agreed to",
)
async def get_consent_text(
    request: ApiRequest, text_hash: FromPath[str], desk: NamedDependency[Desk]
) -> ConsentTextView:
    """Return one version of the words."""
    try:
        wanted = bytes.fromhex(text_hash)
    except ValueError:
        raise NotFound("consent text") from None
    async with desk.tenant(request.auth) as session:
        words = await service.words_of(request.auth, session, wanted)
    return ConsentTextView(text_hash=wanted.hex(), text=words)


@get(
    "/consents/{number:str}",
    opt=_CONSENTS,
    responses=refusals(*TENANT, "invalid_number"),
    summary="Read all about a number's consents",
    description="Where it stands, and every line of the ledger that led there, the oldest first.",
)
async def get_consents(
    request: ApiRequest, number: FromPath[str], desk: NamedDependency[Desk]
) -> ConsentHistory:
    """Return the consents of one number."""
    return await _history(request, _e164(number), desk)


async def _history(request: ApiRequest, e164: str, desk: Desk) -> ConsentHistory:
    key = await desk.services.data_keys.of(request.auth.tenant_id)
    async with desk.tenant(request.auth) as session:
        now = desk.services.clock.now()
        rows = await service.of_number(request.auth, session, key, e164, now=now)
        lines = await service.history(request.auth, session, key, limit=_MOST_LINES, number=e164)
    return ConsentHistory(
        number=e164,
        consents=[consent_view(row) for row in rows],
        records=[record_view(line) for line in lines],
    )


@delete(
    "/consents/{number:str}/{use_case:str}",
    status_code=200,
    opt=_CONSENTS,
    responses=refusals(*TENANT, "invalid_number"),
    summary="Withdraw a consent",
    description=(
        "The number is put on the opt-out list of the message type, too, unless another use case of that "
        "type is still granted. Withdrawing again changes nothing."
    ),
)
async def withdraw_consent(
    request: ApiRequest, number: FromPath[str], use_case: FromPath[str], desk: NamedDependency[Desk]
) -> ConsentHistory:
    """Withdraw the consent of a number to a use case."""
    e164, named = _e164(number), check_use_case(use_case)
    key = await desk.services.data_keys.of(request.auth.tenant_id)
    async with desk.tenant(request.auth) as session:
        now = desk.services.clock.now()
        _, changes = await withdraw_and_opt_out(
            request.auth,
            session,
            key,
            number=e164,
            use_cases=[named],
            now=now,
            method="api",
            source="api",
        )
    news = [each for each in changes if each.changed]
    await project(desk.services.opt_out_changed, request.auth.tenant_id, news)
    return await _history(request, e164, desk)


@post(
    "/consents/import",
    status_code=200,
    opt=_CONSENTS,
    request_max_body_size=2 * MAX_BYTES,
    responses=refusals(*TENANT, *WITH_BODY, *WITH_IDEMPOTENCY),
    summary="Import a file of consents",
    description=(
        "Up to 2,000 rows, taken whole or not at all: `errors` says what to mend, line by line. With "
        "`dry_run` nothing is changed. Who has withdrawn since a row's `given_at` stays `withdrawn`."
    ),
)
async def import_consents(
    request: ApiRequest, data: JSONBody[ConsentImportBody], desk: NamedDependency[Desk]
) -> Response[ImportView]:
    """Take a file from another system."""
    now = desk.services.clock.now()
    read = read_consents(data.csv, now)
    key = await desk.services.data_keys.of(request.auth.tenant_id)
    applied = not read.faults and not data.dry_run

    async def work(session: AsyncSession) -> ImportView:
        changed = 0
        await take_for_file(request.auth, session)
        for row in read.rows if applied else ():
            changed += (await service.take(request.auth, session, key, row, now=now)).changed
        return import_view(read, changed, applied=applied)

    return await desk.tenant_once(request, work, status=200)


def _wanted(data: NewConsentBody) -> NewConsent:
    return NewConsent(
        number=_e164(data.number),
        use_case=data.use_case,
        message_type=data.type,
        method=data.method,
        words=data.text,
        given_at=data.given_at,
        proof=Proof(ip=data.ip, signer=data.signer, evidence=data.evidence),
    )


def _e164(text: str) -> str:
    number = parse_number(text)
    if isinstance(number, Number):
        return number.e164
    raise Refusal.of_field("/number", "invalid_number", number.detail)


def _place(text: str | None) -> tuple[bytes, str] | None:
    if text is None:
        return None
    use_case, _, hexadecimal = text.partition(".")
    try:
        return bytes.fromhex(hexadecimal), use_case
    except ValueError:
        raise invalid_cursor() from None
