"""`/v1/protect/configurations` and `/v1/protect/country-rules`: which destinations are allowed."""

from typing import Final

from litestar import Response, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.lists.paging import After, Page
from gateway.api.lists.short_lists import ShortLimit, part_of
from gateway.api.v1.protect_views import (
    ConfigurationPatch,
    ConfigurationView,
    CountryRulesBody,
    CountryRulesView,
    Named,
    NewConfiguration,
    OfChannel,
    Replacement,
    configuration_id,
    configuration_view,
    named_in_body,
    named_in_query,
    rules_view,
)
from tenants.protection import service, store

_PROTECT: Final = {NEEDS: "protect"}
CHANGE: Final = (*WITH_BODY, "not_found", "name_taken", "protect_locked", "protect_in_use", "conflict")


@get(
    "/protect/configurations",
    opt=_PROTECT,
    responses=refusals(*TENANT),
    summary="List protect configurations",
)
async def list_protect_configurations(
    request: ApiRequest, desk: NamedDependency[Desk], limit: ShortLimit = None, after: After = None
) -> Page[ConfigurationView]:
    """Return all of them, the oldest first."""
    async with desk.tenant(request.auth) as session:
        rows = await store.configurations(request.auth, session)
    return part_of(request, [configuration_view(row) for row in rows], limit, after)


@post(
    "/protect/configurations",
    status_code=201,
    opt=_PROTECT,
    responses=refusals(*TENANT, *WITH_IDEMPOTENCY, *CHANGE),
    summary="Create a protect configuration",
    description=(
        "Without rules: every country of the tenant's allowlist is allowed, every other one blocked. "
        "The first one is the default."
    ),
)
async def create_protect_configuration(
    request: ApiRequest, data: JSONBody[NewConfiguration], desk: NamedDependency[Desk]
) -> Response[ConfigurationView]:
    """Add a configuration."""

    async def work(session: AsyncSession) -> ConfigurationView:
        row = await service.create(request.auth, session, name=data.name, default=data.default)
        await session.refresh(row)
        return configuration_view(row)

    answer = await desk.tenant_once(request, work, status=201)
    await desk.services.policy_changed(request.auth.tenant_id)
    return answer


@patch(
    "/protect/configurations/{configuration:str}",
    opt=_PROTECT,
    responses=refusals(*TENANT, *CHANGE),
    summary="Rename a protect configuration or make it the default",
)
async def update_protect_configuration(
    request: ApiRequest,
    configuration: FromPath[str],
    data: JSONBody[ConfigurationPatch],
    desk: NamedDependency[Desk],
) -> ConfigurationView:
    """Change what is given."""
    async with desk.tenant(request.auth) as session:
        row = await service.change(
            request.auth,
            session,
            configuration_id(configuration),
            name=None if data.name is UNSET else data.name,
            default=None if data.default is UNSET else data.default,
        )
    await desk.services.policy_changed(request.auth.tenant_id)
    return configuration_view(row)


@delete(
    "/protect/configurations/{configuration:str}",
    opt=_PROTECT,
    responses=refusals(*TENANT, *CHANGE),
    summary="Delete a protect configuration",
    description="With its overrides. The default is deleted only where `replacement` becomes it.",
)
async def delete_protect_configuration(
    request: ApiRequest,
    configuration: FromPath[str],
    desk: NamedDependency[Desk],
    replacement: Replacement = None,
) -> None:
    """Delete it here, and at AWS within a minute."""
    async with desk.tenant(request.auth) as session:
        await service.delete(
            request.auth,
            session,
            configuration_id(configuration),
            replacement=named_in_query(replacement, "replacement"),
        )
    await desk.services.policy_changed(request.auth.tenant_id)


@get(
    "/protect/country-rules",
    opt=_PROTECT,
    responses=refusals(*TENANT, "not_found", "no_protect_configuration"),
    summary="Show country rules",
    description="Of one configuration and channel. `/v1/protect/effective` says what holds for a number.",
)
async def get_country_rules(
    request: ApiRequest,
    desk: NamedDependency[Desk],
    configuration: Named = None,
    channel: OfChannel = "sms",
) -> CountryRulesView:
    """Return the rules that are set."""
    async with desk.tenant(request.auth) as session:
        row = await service.named_or_default(request.auth, session, named_in_query(configuration))
    return rules_view(row, channel)


@put(
    "/protect/country-rules",
    opt=_PROTECT,
    responses=refusals(*TENANT, *CHANGE, "no_protect_configuration"),
    summary="Change country rules",
    description=(
        "ALLOW, BLOCK, MONITOR (AWS says which messages it takes for pumping) or FILTER (and blocks those). "
        "Countries not named stay. No rule opens a country that the tenant's allowlist leaves out."
    ),
)
async def put_country_rules(
    request: ApiRequest, data: JSONBody[CountryRulesBody], desk: NamedDependency[Desk]
) -> CountryRulesView:
    """Change some countries, and return all of the channel's rules."""
    async with desk.tenant(request.auth) as session:
        row = await service.set_country_rules(
            request.auth,
            session,
            named_in_body(data.configuration),
            channel=data.channel,
            changes=data.rules,
        )
    await desk.services.policy_changed(request.auth.tenant_id)
    return rules_view(row, data.channel)
