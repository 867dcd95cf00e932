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
from gateway.api.path_ids import path_id
from gateway.api.refusals import Refusal
from gateway.api.v1.protect_views import OfChannel, named_in_query
from gateway.messages.protect_report import ConfigurationReport, read_report
from gateway.messages.view import timestamp
from tenants.accounts import service as accounts
from tenants.countries.numbers import Number, parse_number
from tenants.errors import NotFound
from tenants.ids import encode
from tenants.optouts import lists
from tenants.optouts import store as opt_outs
from tenants.protection import overrides, service, store
from tenants.protection.precedence import Channel, CountryStatus, Origin, RuleName, in_force, judge

_PROTECT: Final = {NEEDS: "protect"}
_NO_CONTENT: Final = 204
_LONGEST: Final = timedelta(days=92)
_USUAL: Final = timedelta(days=30)


class EffectiveRule(Struct, frozen=True, kw_only=True):
    """What holds for one number now, and why."""

    number: str
    country: str
    channel: Channel
    status: CountryStatus
    """BLOCK: refused here. MONITOR and FILTER: AWS watches, or blocks what it takes for pumping."""
    rule: RuleName
    """Which rule says so; `country_not_named`: none does, and the country is on the allowlist."""
    origin: Origin
    """Why this configuration decides: `request` is the one named in the query."""
    configuration: str | None
    configuration_name: str | None
    expires_at: str | None
    """When the override that decides is over."""


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
    scope, named = request.auth, named_in_query(configuration)
    recipient = (await desk.services.data_keys.of(scope.tenant_id)).recipient_hash(parsed.e164)
    async with desk.tenant(scope) as session:
        tenant = await accounts.get(scope, session)
        known = await service.protection(scope, session)
        if named is not None and named not in known.configurations:
            raise NotFound("protect configuration")
        found = in_force(
            known, named=named, account_id=None if account is None else path_id("acc", account, "account")
        )
        holder = found.configuration
        row = None if holder is None else await store.override(scope, session, holder.id, recipient)
        listed = await opt_outs.lists_of(scope, session, recipient)
    override = None if row is None else overrides.plain(row)
    judgement = judge(
        holder,
        country=parsed.country,
        channel=channel,
        declared=parsed.country in tenant.countries,
        override=override,
        opted_out=lists.EVERYTHING in listed,
        now=desk.services.clock.now(),
    )
    by_override = override is not None and judgement.rule == "number_override"
    return EffectiveRule(
        number=parsed.e164,
        country=parsed.country,
        channel=channel,
        status=judgement.status,
        rule=judgement.rule,
        origin=found.origin,
        configuration=None if holder is None else encode("prc", holder.id),
        configuration_name=None if holder is None else holder.name,
        expires_at=timestamp(override.expires_at) if by_override and override else None,
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
    last = until or desk.services.clock.now()
    if last.tzinfo is None or (since is not None and since.tzinfo is None):
        raise Refusal.of_field("?from", "no_offset", "Give times with an offset, as 2026-01-31T09:00:00Z.")
    first = since or last - _USUAL
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
