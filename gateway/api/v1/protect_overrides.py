"""`/v1/protect/overrides`: numbers that are treated otherwise than their country."""

from typing import Annotated, Final

from litestar import delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import UNSET

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, WITH_BODY, refusals
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, page_of, text_after
from gateway.api.v1.protect_views import (
    Named,
    OverrideBody,
    OverrideShown,
    named_in_body,
    named_in_query,
    override_shown,
)
from tenants.protection import overrides

_PROTECT: Final = {NEEDS: "protect"}
_CHANGE: Final = refusals(
    *TENANT,
    *WITH_BODY,
    "not_found",
    "invalid_number",
    "protect_locked",
    "no_protect_configuration",
    "too_many_overrides",
)


@get(
    "/protect/overrides",
    opt=_PROTECT,
    responses=refusals(*TENANT),
    summary="List number overrides",
    description="Those that hold, in an order that is stable and means nothing; expired ones are left out.",
)
async def list_protect_overrides(
    request: ApiRequest,
    desk: NamedDependency[Desk],
    limit: Limit = DEFAULT_LIMIT,
    after: After = None,
    configuration: Annotated[
        str | None,
        QueryParameter(max_length=40, description="`prc_…`; all of the tenant's where absent."),
    ] = None,
) -> Page[OverrideShown]:
    """Return a page of overrides of one configuration or of all."""
    named = named_in_query(configuration)
    key = await desk.services.data_keys.of(request.auth.tenant_id)
    async with desk.tenant(request.auth) as session:
        rows = await overrides.page(
            request.auth,
            session,
            key,
            now=desk.services.clock.now(),
            limit=limit + 1,
            configuration_id=named,
            after=text_after(request, after),
        )
    return page_of(request, rows, limit, view=override_shown, place=lambda row: row.cursor)


@put(
    "/protect/overrides/{number:str}",
    opt=_PROTECT,
    responses=_CHANGE,
    summary="Always allow or always block a number",
    description=(
        "Stands before its country's rule in one configuration, until it expires. An opt-out stands above "
        "it, and it opens no country that the tenant's allowlist leaves out. In force within a second."
    ),
)
async def put_protect_override(
    request: ApiRequest, number: FromPath[str], data: JSONBody[OverrideBody], desk: NamedDependency[Desk]
) -> OverrideShown:
    """Set or replace the override of a number."""
    named = named_in_body(data.configuration)
    key = await desk.services.data_keys.of(request.auth.tenant_id)
    async with desk.tenant(request.auth) as session:
        view, change = await overrides.put(
            request.auth,
            session,
            key,
            number=number,
            action=data.action,
            now=desk.services.clock.now(),
            expires_at=None if data.expires_at is UNSET else data.expires_at,
            configuration_id=named,
        )
    await desk.services.override_changed(
        request.auth.tenant_id,
        change.configuration_id,
        change.recipient_hash,
        overrides.mark(change.override),
    )
    return override_shown(view)


@delete(
    "/protect/overrides/{number:str}",
    opt=_PROTECT,
    responses=_CHANGE,
    summary="Treat a number like its country again",
)
async def delete_protect_override(
    request: ApiRequest, number: FromPath[str], desk: NamedDependency[Desk], configuration: Named = None
) -> None:
    """End the override of a number; no error if it had none."""
    named = named_in_query(configuration)
    key = await desk.services.data_keys.of(request.auth.tenant_id)
    async with desk.tenant(request.auth) as session:
        change = await overrides.remove(
            request.auth,
            session,
            key,
            number=number,
            now=desk.services.clock.now(),
            configuration_id=named,
        )
    if change is not None:
        await desk.services.override_changed(
            request.auth.tenant_id, change.configuration_id, change.recipient_hash, None
        )
