"""`/v1/admin/protect`: the operator's own protect configurations, and how AWS's copies stand."""

from litestar import Response, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.admin.own_trail import note
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_IDEMPOTENCY, refusals
from gateway.api.lists.paging import After, Page
from gateway.api.lists.short_lists import ShortLimit, part_of
from gateway.api.v1.protect import CHANGE
from gateway.api.v1.protect_views import (
    ConfigurationPatch,
    ConfigurationView,
    CountryRulesView,
    NewConfiguration,
    OfChannel,
    Replacement,
    RuleChanges,
    configuration_id,
    configuration_view,
    named_in_query,
    rules_view,
)
from gateway.messages.view import timestamp
from tenants.ids import encode
from tenants.protection import account
from tenants.protection.models import ProtectLink


class CopyView(Struct, frozen=True, kw_only=True):
    """A configuration's copy in one AWS account."""

    configuration: str
    account: str
    aws_id: str | None
    state: str
    """`own`; `shared`: AWS's 25 are used up, the gateway alone enforces it; `leaving`: deleted here."""
    synced_version: int
    """The version that AWS has in full."""
    drift: list[str]
    """What the last look found changed at AWS by somebody else, and put right."""
    fault: str | None
    """What AWS said to the last try, where it refused."""
    checked_at: str | None


@get("/protect", responses=refusals(*OPERATOR), summary="List account protect configurations")
async def list_account_protect(
    request: ApiRequest, desk: NamedDependency[Desk], limit: ShortLimit = None, after: After = None
) -> Page[ConfigurationView]:
    """Return the operator's own; the default holds for tenants without any."""
    async with desk.operator() as session:
        rows = await account.configurations(session)
    return part_of(request, [configuration_view(row) for row in rows], limit, after)


@post(
    "/protect",
    status_code=201,
    responses=refusals(*OPERATOR, *WITH_IDEMPOTENCY, *CHANGE),
    summary="Create an account protect configuration",
    description="The first one is the default of every tenant that has none of its own.",
)
async def create_account_protect(
    request: ApiRequest, data: JSONBody[NewConfiguration], desk: NamedDependency[Desk]
) -> Response[ConfigurationView]:
    """Add a configuration without rules."""

    async def work(session: AsyncSession) -> ConfigurationView:
        row = await account.create(session, name=data.name, default=data.default)
        await session.refresh(row)
        view = configuration_view(row)
        await note(session, "protect_configuration.created", view.id, name=view.name)
        return view

    return await desk.operator_once(request, work, status=201)


@patch(
    "/protect/{configuration:str}",
    responses=refusals(*OPERATOR, *CHANGE),
    summary="Rename an account protect configuration or make it the default",
)
async def update_account_protect(
    configuration: FromPath[str], data: JSONBody[ConfigurationPatch], desk: NamedDependency[Desk]
) -> ConfigurationView:
    """Change what is given."""
    async with desk.operator() as session:
        row = await account.change(
            session,
            configuration_id(configuration),
            name=None if data.name is UNSET else data.name,
            default=None if data.default is UNSET else data.default,
        )
        view = configuration_view(row)
        await note(session, "protect_configuration.changed", view.id, name=view.name, default=view.default)
    return view


@delete(
    "/protect/{configuration:str}",
    responses=refusals(*OPERATOR, *CHANGE),
    summary="Delete an account protect configuration",
    description="The default is deleted only where `replacement` becomes it.",
)
async def delete_account_protect(
    configuration: FromPath[str], desk: NamedDependency[Desk], replacement: Replacement = None
) -> None:
    """Delete it here, and at AWS within a minute."""
    async with desk.operator() as session:
        await account.delete(
            session,
            configuration_id(configuration),
            replacement=named_in_query(replacement, "replacement"),
        )
        await note(session, "protect_configuration.deleted", configuration)


@get(
    "/protect/{configuration:str}/country-rules",
    responses=refusals(*OPERATOR, "not_found"),
    summary="Show an account configuration's country rules",
)
async def get_account_country_rules(
    configuration: FromPath[str], desk: NamedDependency[Desk], channel: OfChannel = "sms"
) -> CountryRulesView:
    """Return the rules that are set."""
    async with desk.operator() as session:
        row = await account.get(session, configuration_id(configuration))
    return rules_view(row, channel)


@put(
    "/protect/{configuration:str}/country-rules",
    responses=refusals(*OPERATOR, *CHANGE),
    summary="Change an account configuration's country rules",
    description="In force for every tenant without a configuration of its own, within a second.",
)
async def put_account_country_rules(
    configuration: FromPath[str], data: JSONBody[RuleChanges], desk: NamedDependency[Desk]
) -> CountryRulesView:
    """Change some countries."""
    async with desk.operator() as session:
        row = await account.set_country_rules(
            session, configuration_id(configuration), channel=data.channel, changes=data.rules
        )
        said = {"channel": data.channel, "rules": data.rules}
        await note(session, "protect.country_rules", configuration, **said)
    return rules_view(row, data.channel)


@get(
    "/protect-copies",
    responses=refusals(*OPERATOR),
    summary="Show how protect configurations stand at AWS",
    description="What was last told, what somebody else changed there, and what AWS refused.",
)
async def list_protect_copies(
    request: ApiRequest, desk: NamedDependency[Desk], limit: ShortLimit = None, after: After = None
) -> Page[CopyView]:
    """Return every copy; at most 25 per AWS account are its own."""
    async with desk.operator() as session:
        query = select(ProtectLink).order_by(ProtectLink.configuration_id, ProtectLink.account_id)
        rows = (await session.scalars(query)).all()
    return part_of(request, [_copy(row) for row in rows], limit, after)


def _copy(row: ProtectLink) -> CopyView:
    return CopyView(
        configuration=encode("prc", row.configuration_id),
        account=encode("acc", row.account_id),
        aws_id=row.aws_id,
        state=row.state,
        synced_version=row.synced_version,
        drift=row.drift,
        fault=row.fault,
        checked_at=timestamp(row.checked_at),
    )
