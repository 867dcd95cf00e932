"""`/v1/admin/tenants/{id}/protect`: a tenant's protect configurations, as the operator changes them."""

from typing import Annotated

from litestar import Response, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, Struct, UnsetType
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_IDEMPOTENCY, refusals
from gateway.api.lists.paging import After, Page
from gateway.api.lists.short_lists import ShortLimit, part_of
from gateway.api.path_ids import named_tenant, path_id
from gateway.api.v1.protect import CHANGE
from gateway.api.v1.protect_views import (
    ConfigurationId,
    ConfigurationPatch,
    ConfigurationView,
    CountryRulesView,
    NewConfiguration,
    Replacement,
    RuleChanges,
    configuration_id,
    configuration_view,
    named_in_body,
    named_in_query,
    rules_view,
)
from tenants.accounts import service as accounts
from tenants.errors import NotFound
from tenants.ids import encode
from tenants.protection import service, store
from tenants.senders import store as senders


class NewTenantConfiguration(NewConfiguration, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A configuration of a tenant, to be."""

    locked: bool = False
    """Whether only the operator may change it, its overrides included."""


class TenantConfigurationPatch(ConfigurationPatch, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change; what is absent stays."""

    locked: bool | UnsetType = UNSET


class ProtectAssociation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The configuration of the tenant's configuration set in one AWS account."""

    account: Annotated[str, Meta(max_length=40, description="`acc_…`")]
    configuration: ConfigurationId | None
    """Null for none: the tenant's default decides."""


@get(
    "/tenants/{tenant_id:str}/protect",
    responses=refusals(*OPERATOR, "not_found"),
    summary="List a tenant's protect configurations",
)
async def list_tenant_protect(
    request: ApiRequest,
    tenant_id: FromPath[str],
    desk: NamedDependency[Desk],
    limit: ShortLimit = None,
    after: After = None,
) -> Page[ConfigurationView]:
    """Return all of them, the oldest first."""
    scope = named_tenant(tenant_id)
    async with desk.operator() as session:
        await accounts.get(scope, session)
        rows = await store.configurations(scope, session)
    return part_of(request, [configuration_view(row) for row in rows], limit, after)


@post(
    "/tenants/{tenant_id:str}/protect",
    status_code=201,
    responses=refusals(*OPERATOR, *WITH_IDEMPOTENCY, *CHANGE),
    summary="Create a protect configuration for a tenant",
)
async def create_tenant_protect(
    request: ApiRequest,
    tenant_id: FromPath[str],
    data: JSONBody[NewTenantConfiguration],
    desk: NamedDependency[Desk],
) -> Response[ConfigurationView]:
    """Add a configuration, locked where the tenant shall not change it."""
    scope = named_tenant(tenant_id)

    async def work(session: AsyncSession) -> ConfigurationView:
        await accounts.get(scope, session)
        row = await service.create(
            scope, session, name=data.name, default=data.default, locked=data.locked, operator=True
        )
        await session.refresh(row)
        return configuration_view(row)

    answer = await desk.operator_once(request, work, status=201)
    await desk.services.policy_changed(scope.tenant_id)
    return answer


@patch(
    "/tenants/{tenant_id:str}/protect/{configuration:str}",
    responses=refusals(*OPERATOR, *CHANGE),
    summary="Change or lock a tenant's protect configuration",
)
async def update_tenant_protect(
    tenant_id: FromPath[str],
    configuration: FromPath[str],
    data: JSONBody[TenantConfigurationPatch],
    desk: NamedDependency[Desk],
) -> ConfigurationView:
    """Change what is given."""
    scope = named_tenant(tenant_id)
    async with desk.operator() as session:
        row = await service.change(
            scope,
            session,
            configuration_id(configuration),
            name=None if data.name is UNSET else data.name,
            default=None if data.default is UNSET else data.default,
            locked=None if data.locked is UNSET else data.locked,
            operator=True,
        )
    await desk.services.policy_changed(scope.tenant_id)
    return configuration_view(row)


@delete(
    "/tenants/{tenant_id:str}/protect/{configuration:str}",
    responses=refusals(*OPERATOR, *CHANGE),
    summary="Delete a tenant's protect configuration",
)
async def delete_tenant_protect(
    tenant_id: FromPath[str],
    configuration: FromPath[str],
    desk: NamedDependency[Desk],
    replacement: Replacement = None,
) -> None:
    """Delete it; the default only where `replacement` becomes it."""
    scope = named_tenant(tenant_id)
    async with desk.operator() as session:
        await service.delete(
            scope,
            session,
            configuration_id(configuration),
            replacement=named_in_query(replacement, "replacement"),
            operator=True,
        )
    await desk.services.policy_changed(scope.tenant_id)


@put(
    "/tenants/{tenant_id:str}/protect/{configuration:str}/country-rules",
    responses=refusals(*OPERATOR, *CHANGE),
    summary="Change a tenant's country rules",
)
async def put_tenant_country_rules(
    tenant_id: FromPath[str],
    configuration: FromPath[str],
    data: JSONBody[RuleChanges],
    desk: NamedDependency[Desk],
) -> CountryRulesView:
    """Change some countries, locked or not."""
    scope = named_tenant(tenant_id)
    async with desk.operator() as session:
        row = await service.set_country_rules(
            scope,
            session,
            configuration_id(configuration),
            channel=data.channel,
            changes=data.rules,
            operator=True,
        )
    await desk.services.policy_changed(scope.tenant_id)
    return rules_view(row, data.channel)


@put(
    "/tenants/{tenant_id:str}/protect-association",
    responses=refusals(*OPERATOR, *CHANGE),
    summary="Put a protect configuration in force for a configuration set",
    description="Of its set in one AWS account: it stands before the default, and after a request's.",
)
async def put_tenant_protect_association(
    tenant_id: FromPath[str], data: JSONBody[ProtectAssociation], desk: NamedDependency[Desk]
) -> ProtectAssociation:
    """Name the configuration, or none."""
    scope, account_id = named_tenant(tenant_id), path_id("acc", data.account, "AWS account")
    named = None if data.configuration is None else named_in_body(data.configuration)
    async with desk.operator() as session:
        if account_id not in {account.id for account in await senders.accounts(session)}:
            raise NotFound("AWS account")
        await service.associate(scope, session, account_id=account_id, configuration_id=named)
    await desk.services.policy_changed(scope.tenant_id)
    return ProtectAssociation(
        account=encode("acc", account_id), configuration=None if named is None else encode("prc", named)
    )
