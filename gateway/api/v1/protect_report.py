"""`/v1/protect/effective`, `/v1/protect/report` and `…/false-positives`: what rules say and what they did."""

from datetime import datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter
from msgspec import Meta, Struct, field

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.idempotency import claim_key, fingerprint_of, key_of
from gateway.api.lists.message_query import aware
from gateway.api.path_ids import path_id
from gateway.api.refusals import Refusal
from gateway.api.v1.effective_rule import EffectiveRule, effective_rule
from gateway.api.v1.protect_views import OfChannel, named_in_query
from gateway.messages.protect_report import ConfigurationReport, read_report
from gateway.messages.view import timestamp
from tenants.countries.numbers import Number, parse_number
from tenants.protection import service

_PROTECT: Final = {NEEDS: "protect"}
_NO_CONTENT: Final = 204
_LONGEST: Final = timedelta(days=92)
_USUAL: Final = timedelta(days=30)


class ProtectReport(Struct, frozen=True, kw_only=True):
    """What protect rules stopped, by the configuration that decided."""

    from_: str | None = field(name="from")
    """Inclusive."""
    to: str | None
    """Exclusive."""
    configurations: list[ConfigurationReport]


class FalsePositive(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message that AWS was wrong about."""

    message_id: Annotated[str, Meta(max_length=40)]
    false_positive: bool = True
    """False takes the mark away."""


@get(
    "/protect/effective",
    opt=_PROTECT,
    responses=refusals(*TENANT, "invalid_number", "not_found"),
    summary="Show the rule that holds for a number",
    description=(
        "The first of these decides alone: the request's configuration (give it as `configuration`), the "
        "configuration set's (give its AWS `account`), the tenant's default, the account's default. In it a "
        "number override stands before the country's rule. An opt-out and the country allowlist stand above."
    ),
)
async def get_effective_rule(
    request: ApiRequest,
    desk: NamedDependency[Desk],
    *,
    number: Annotated[str, QueryParameter(max_length=40, description="E.164.")],
    channel: OfChannel = "sms",
    configuration: Annotated[
        str | None, QueryParameter(max_length=40, description="`prc_…`, as a send would name it.")
    ] = None,
    account: Annotated[
        str | None, QueryParameter(max_length=40, description="`acc_…` that would carry the message.")
    ] = None,
) -> EffectiveRule:
    """Judge a number as admission would."""
    parsed = parse_number(number)
    if not isinstance(parsed, Number):
        raise Refusal.of_field("?number", "invalid_number", parsed.detail)
    recipient = (await desk.services.data_keys.of(request.auth.tenant_id)).recipient_hash(parsed.e164)
    named = named_in_query(configuration)
    account_id = None if account is None else path_id("acc", account, "account")
    async with desk.tenant(request.auth) as session:
        return await effective_rule(
            request.auth,
            session,
            parsed,
            recipient,
            channel=channel,
            now=desk.services.clock.now(),
            named=named,
            account_id=account_id,
        )


@get(
    "/protect/report",
    opt=_PROTECT,
    responses=refusals(*TENANT),
    summary="Show what protect rules stopped",
    description=(
        "Per configuration: how many messages were blocked, here and by AWS, and how many AWS would have "
        "blocked, each in all, in percent and by country. At most 92 days; the last 30 where absent."
    ),
)
async def get_protect_report(
    request: ApiRequest,
    desk: NamedDependency[Desk],
    since: Annotated[
        datetime | None, QueryParameter(name="from", description="RFC 3339 with an offset.")
    ] = None,
    until: Annotated[
        datetime | None, QueryParameter(name="to", description="RFC 3339 with an offset.")
    ] = None,
) -> ProtectReport:
    """Return the data of the four charts."""
    last = aware(until, "?to") or desk.services.clock.now()
    first = aware(since, "?from") or last - _USUAL
    if not timedelta(0) < last - first <= _LONGEST:
        raise Refusal.of_field("?from", "invalid_range", "`from` lies before `to`, by 92 days at most.")
    async with desk.tenant(request.auth) as session:
        rows = await read_report(request.auth, session, first, last)
    return ProtectReport(from_=timestamp(first), to=timestamp(last), configurations=rows)


@post(
    "/protect/false-positives",
    status_code=_NO_CONTENT,
    opt=_PROTECT,
    responses=refusals(*TENANT, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found"),
    summary="Mark what AWS was wrong about",
    description="Of a message that AWS blocked or would have blocked; the report counts the marks.",
)
async def mark_false_positive(
    request: ApiRequest, data: JSONBody[FalsePositive], desk: NamedDependency[Desk]
) -> None:
    """Set or take away the mark; twice is once, so a key only has to stand for this request."""
    message_id: UUID = path_id("msg", data.message_id, "message")
    key = key_of(request)
    async with desk.tenant(request.auth) as session:
        if key is not None:
            digest = await fingerprint_of(request)
            await claim_key(session, request.auth.tenant_id, key, digest, status=_NO_CONTENT)
        await service.mark_false_positive(
            request.auth, session, message_id, false_positive=data.false_positive
        )
