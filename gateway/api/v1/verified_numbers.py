"""`/v1/verified-numbers`: phones that the tenant has shown to be in its hands."""

from typing import Annotated, Final, Literal
from uuid import UUID

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct, structs
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.idempotency import claim_key, fingerprint_of, forget_answer, key_of
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, page_of
from gateway.api.path_ids import path_id
from gateway.api.refusals import Refusal
from gateway.api.verifying import account_of, code_refusal, judged_at_aws, send_due
from gateway.carrier.verify_ports import CodeChannel, CodeLanguage
from gateway.errors import GatewayError
from gateway.messages.view import timestamp
from tenants.ids import encode
from tenants.verification import service
from tenants.verification.service import CodeDue, NumberView

_VERIFIED: Final = {NEEDS: "verified-numbers"}
_SENDS_CODE: Final = refusals(
    *TENANT,
    *WITH_BODY,
    *WITH_IDEMPOTENCY,
    "not_found",
    "too_many_codes",
    "verification_refused",
    "tenant_closed",
)


class CodeWish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a code is to be sent."""

    channel: CodeChannel = "sms"
    """`voice` reads it aloud in a call."""
    language: CodeLanguage = "en-US"


class NewVerifiedNumber(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A phone to be shown."""

    number: Annotated[str, Meta(min_length=1, max_length=40, description="E.164.")]
    channel: CodeChannel = "sms"
    """`voice` reads the code aloud in a call."""
    language: CodeLanguage = "en-US"


class Code(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What arrived on the phone."""

    code: Annotated[str, Meta(pattern=r"^[A-Za-z0-9]{1,20}\Z")]


class VerifiedNumberView(Struct, frozen=True, kw_only=True):
    """A phone, and whether it is verified."""

    id: str
    """`vdn_…`."""
    number: str
    country: str
    status: Literal["pending", "verified"]
    code_expires_at: str | None
    """Until when the code sent last is taken."""
    attempts_left: int
    """Guesses at that code."""
    test: bool
    """Whether it counts for test keys; the others count for live keys."""
    created_at: str | None
    verified_at: str | None
    sandbox_code: str | None = None
    """Test keys only, and only in the answer that made it: the sandbox's carrier reaches nobody's phone."""


@post(
    "/verified-numbers",
    status_code=201,
    opt=_VERIFIED,
    responses=refusals(
        *TENANT,
        *WITH_BODY,
        *WITH_IDEMPOTENCY,
        "invalid_number",
        "no_originator",
        "too_many_verified_numbers",
        "too_many_codes",
        "verification_refused",
        "tenant_closed",
    ),
    summary="Begin to verify a number",
    description=(
        "Sends a code to the phone, which `…/confirm` takes back within 15 minutes. A verified number is "
        "reached where nothing else is: in a country in phase `test`, and from an AWS account in AWS's "
        "sandbox. AWS makes, sends and checks the code of a live key, at no charge here. One that is "
        "verified already stays so and no code is sent."
    ),
)
async def create_verified_number(
    request: ApiRequest, data: JSONBody[NewVerifiedNumber], desk: NamedDependency[Desk]
) -> Response[VerifiedNumberView]:
    """Enter a number and send its first code."""
    key = await desk.services.data_keys.of(request.auth.tenant_id)
    owed: list[CodeDue] = []

    async def work(session: AsyncSession) -> VerifiedNumberView:
        account_id = await account_of(request.auth, session) if request.auth.live else None
        if request.auth.live and account_id is None:
            raise Refusal("no_originator", "The tenant has no active sender, so no account to verify with.")
        shown, due = await service.begin(
            request.auth,
            session,
            key,
            number=data.number,
            account_id=account_id,
            now=desk.services.clock.now(),
        )
        return _with_code(shown, due, owed)

    answer = await desk.tenant_once(request, work, status=201)
    await _send(request, desk, owed, CodeWish(channel=data.channel, language=data.language))
    return answer


@post(
    "/verified-numbers/{number_id:str}/code",
    status_code=200,
    opt=_VERIFIED,
    responses=_SENDS_CODE,
    summary="Send another code",
    description="It ends the code before it. At most 5 codes a day for one number.",
)
async def send_verification_code(
    request: ApiRequest, number_id: FromPath[str], data: JSONBody[CodeWish], desk: NamedDependency[Desk]
) -> Response[VerifiedNumberView]:
    """Send another code; none to a number that is verified."""
    wanted = _id(number_id)
    key = await desk.services.data_keys.of(request.auth.tenant_id)
    owed: list[CodeDue] = []

    async def work(session: AsyncSession) -> VerifiedNumberView:
        shown, due = await service.another_code(request.auth, session, key, wanted, desk.services.clock.now())
        return _with_code(shown, due, owed)

    answer = await desk.tenant_once(request, work, status=200)
    await _send(request, desk, owed, data)
    return answer


@post(
    "/verified-numbers/{number_id:str}/confirm",
    status_code=200,
    opt=_VERIFIED,
    responses=refusals(
        *TENANT,
        *WITH_BODY,
        *WITH_IDEMPOTENCY,
        "not_found",
        "verification_code_wrong",
        "verification_closed",
        "verification_refused",
    ),
    summary="Verify a number by its code",
    description=(
        "Five guesses for each code. In force for sends within a second. Confirming a verified number again "
        "answers the same."
    ),
)
async def confirm_verified_number(
    request: ApiRequest, number_id: FromPath[str], data: JSONBody[Code], desk: NamedDependency[Desk]
) -> VerifiedNumberView:
    """Take a code back; a wrong one is counted, whatever else goes wrong."""
    wanted, scope, now = _id(number_id), request.auth, desk.services.clock.now()
    key = await desk.services.data_keys.of(scope.tenant_id)
    idempotency_key = key_of(request)
    async with desk.tenant(scope) as session:
        if idempotency_key is not None:
            await claim_key(
                session, scope.tenant_id, idempotency_key, await fingerprint_of(request), status=200
            )
        guess = await service.guess(scope, session, key, wanted, code=data.code, now=now)
    judged = await judged_at_aws(desk, guess, data.code) if isinstance(guess, service.AskAws) else guess
    if not isinstance(judged, service.Proven):
        raise code_refusal(judged)
    if isinstance(guess, service.AskAws):
        async with desk.tenant(scope) as session:
            await service.prove(scope, session, wanted, now)
    await desk.services.policy_changed(scope.tenant_id)
    async with desk.tenant(scope) as session:
        return _view(await service.get(scope, session, key, wanted))


@get(
    "/verified-numbers",
    opt=_VERIFIED,
    responses=refusals(*TENANT),
    summary="List verified numbers",
    description="Those of the key's own mode, and those whose code has not come back yet.",
)
async def list_verified_numbers(
    request: ApiRequest, desk: NamedDependency[Desk], limit: Limit = DEFAULT_LIMIT, after: After = None
) -> Page[VerifiedNumberView]:
    """Return a page of numbers, the newest first."""
    key = await desk.services.data_keys.of(request.auth.tenant_id)
    async with desk.tenant(request.auth) as session:
        rows = await service.page(request.auth, session, key, limit=limit + 1, after=id_after(request, after))
    return page_of(request, rows, limit, view=_view, place=lambda row: row.id)


@get(
    "/verified-numbers/{number_id:str}",
    opt=_VERIFIED,
    responses=refusals(*TENANT, "not_found"),
    summary="Read a verified number",
)
async def get_verified_number(
    request: ApiRequest, number_id: FromPath[str], desk: NamedDependency[Desk]
) -> VerifiedNumberView:
    """Return one number."""
    key = await desk.services.data_keys.of(request.auth.tenant_id)
    async with desk.tenant(request.auth) as session:
        return _view(await service.get(request.auth, session, key, _id(number_id)))


@delete(
    "/verified-numbers/{number_id:str}",
    status_code=204,
    opt=_VERIFIED,
    responses=refusals(*TENANT, "not_found"),
    summary="Delete a verified number",
    description="It counts for no send any more, within a second. AWS itself keeps an entry for a day.",
)
async def delete_verified_number(
    request: ApiRequest, number_id: FromPath[str], desk: NamedDependency[Desk]
) -> None:
    """Delete a number here, and at AWS as soon as AWS allows."""
    wanted, scope = _id(number_id), request.auth
    async with desk.tenant(scope) as session:
        at_aws = await service.remove(scope, session, wanted)
    await desk.services.policy_changed(scope.tenant_id)
    if at_aws is not None and await desk.services.number_verifier.forget(*at_aws):
        async with desk.tenant(scope) as session:
            await service.forget(scope, session, wanted)


async def _send(request: ApiRequest, desk: Desk, owed: list[CodeDue], wish: CodeWish) -> None:
    """Send the code, unless the answer was a replay; what failed may be asked for again with the same key."""
    try:
        for due in owed:
            await send_due(desk, request.auth, due, channel=wish.channel, language=wish.language)
    except (Refusal, GatewayError):
        async with desk.tenant(request.auth) as session:
            await forget_answer(session, request.auth.tenant_id, key_of(request))
        raise


def _with_code(shown: NumberView, due: CodeDue | None, owed: list[CodeDue]) -> VerifiedNumberView:
    if due is None:
        return _view(shown)
    if due.code is None:
        owed.append(due)
    return structs.replace(_view(shown), sandbox_code=due.code)


def _id(text: str) -> UUID:
    return path_id(service.PREFIX, text, "verified number")


def _view(row: NumberView) -> VerifiedNumberView:
    return VerifiedNumberView(
        id=encode(service.PREFIX, row.id),
        number=row.number,
        country=row.country,
        status=row.state,
        code_expires_at=timestamp(row.code_expires_at),
        attempts_left=row.attempts_left,
        test=row.test,
        created_at=timestamp(row.created_at),
        verified_at=timestamp(row.verified_at),
    )
