"""`/v1/admin/tenants/{id}/people`: who may sign in to the console for a tenant."""

from typing import Literal

from litestar import delete, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, refusals
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, page_of
from gateway.api.path_ids import named_tenant, path_id
from gateway.messages.view import timestamp
from tenants.accounts import service as accounts
from tenants.accounts.sealing import DataKey
from tenants.ids import encode
from tenants.people import membership
from tenants.people.invitations import email_of
from tenants.people.models import Person


class PersonView(Struct, frozen=True, kw_only=True):
    """Somebody who may sign in."""

    id: str
    email: str
    signs_in_by: Literal["password", "identity_provider"]
    created_at: str | None
    enrolled_at: str | None
    """When the second factor, or the provider's account, was shown to work; absent until then."""


@get(
    "/tenants/{tenant_id:str}/people",
    responses=refusals(*OPERATOR, "not_found"),
    summary="List a tenant's people",
)
async def list_people(
    request: ApiRequest,
    tenant_id: FromPath[str],
    desk: NamedDependency[Desk],
    limit: Limit = DEFAULT_LIMIT,
    after: After = None,
) -> Page[PersonView]:
    """Return a page of who may sign in, the first first."""
    scope = named_tenant(tenant_id)
    async with desk.operator() as session:
        await accounts.get(scope, session)
        rows = await membership.page(scope, session, limit=limit + 1, after=id_after(request, after))
    key = await desk.services.data_keys.of(scope.tenant_id)
    return page_of(request, rows, limit, view=lambda row: _view(row, key), place=lambda row: row.id)


@delete(
    "/tenants/{tenant_id:str}/people/{person_id:str}",
    status_code=200,
    responses=refusals(*OPERATOR, "not_found"),
    summary="Remove a person from the console",
    description=(
        "Every browser of theirs is signed out at once, and open invitations of the address end. One that is "
        "made later lets them in again."
    ),
)
async def remove_person(
    tenant_id: FromPath[str], person_id: FromPath[str], desk: NamedDependency[Desk]
) -> PersonView:
    """End a person's way in."""
    scope, wanted = named_tenant(tenant_id), path_id("psn", person_id, "person")
    key = await desk.services.data_keys.of(scope.tenant_id)
    async with desk.operator() as session:
        return _view(await membership.remove(scope, session, wanted, now=desk.services.clock.now()), key)


def _view(row: Person, key: DataKey) -> PersonView:
    return PersonView(
        id=encode("psn", row.id),
        email=email_of(row, key),
        signs_in_by="password" if row.identity_hash is None else "identity_provider",
        created_at=timestamp(row.created_at),
        enrolled_at=timestamp(row.enrolled_at),
    )
