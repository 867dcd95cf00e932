"""`/v1/admin/tenants/{id}/invitations`: links by which a tenant's people come to the console."""

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, page_of
from gateway.api.path_ids import named_tenant, path_id
from gateway.messages.view import timestamp
from tenants.accounts import service as accounts
from tenants.accounts.sealing import DataKey
from tenants.ids import encode
from tenants.people import invitations
from tenants.people.hashing import pepper_from
from tenants.people.invitations import NewInvitation
from tenants.people.models import Invitation


class InvitationView(Struct, frozen=True, kw_only=True):
    """An invitation; its link is not among it."""

    id: str
    email: str
    created_at: str | None
    expires_at: str | None
    accepted_at: str | None
    revoked_at: str | None


class CreatedInvitationView(InvitationView, frozen=True, kw_only=True):
    """An invitation at its birth."""

    link: str
    """To be sent to the person; shown this once, works once."""


@post(
    "/tenants/{tenant_id:str}/invitations",
    status_code=201,
    responses=refusals(
        *OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found", "tenant_closed", "already_invited"
    ),
    summary="Invite a person to the console",
    description=(
        "The link leads through password and second factor to the tenant's onboarding. It works once, until "
        "it expires or is revoked, and is shown this once."
    ),
)
async def create_invitation(
    request: ApiRequest, tenant_id: FromPath[str], data: JSONBody[NewInvitation], desk: NamedDependency[Desk]
) -> Response[CreatedInvitationView]:
    """Make a link."""
    scope = named_tenant(tenant_id)

    async def work(session: AsyncSession) -> CreatedInvitationView:
        key = await desk.services.data_keys.of(scope.tenant_id)
        created = await invitations.invite(
            scope,
            session,
            key,
            data,
            pepper=pepper_from(desk.services.settings.secret_key),
            now=desk.services.clock.now(),
        )
        return CreatedInvitationView(
            **_members(created.invitation, key),
            link=f"{desk.public_url}/console/invitations/{created.token}",
        )

    return await desk.operator_once(request, work, status=201)


@get(
    "/tenants/{tenant_id:str}/invitations",
    responses=refusals(*OPERATOR, "not_found"),
    summary="List a tenant's invitations",
)
async def list_invitations(
    request: ApiRequest,
    tenant_id: FromPath[str],
    desk: NamedDependency[Desk],
    limit: Limit = DEFAULT_LIMIT,
    after: After = None,
) -> Page[InvitationView]:
    """Return a page of invitations, the newest first."""
    scope = named_tenant(tenant_id)
    async with desk.operator() as session:
        await accounts.get(scope, session)
        rows = await invitations.page(scope, session, limit=limit + 1, after=id_after(request, after))
    key = await desk.services.data_keys.of(scope.tenant_id)
    return page_of(
        request,
        rows,
        limit,
        view=lambda row: InvitationView(**_members(row, key)),
        place=lambda row: row.id,
    )


@delete(
    "/tenants/{tenant_id:str}/invitations/{invitation_id:str}",
    status_code=200,
    responses=refusals(*OPERATOR, "not_found"),
    summary="Revoke an invitation",
    description="Its link opens nothing any more. One that was used, or revoked before, stays as it is.",
)
async def revoke_invitation(
    tenant_id: FromPath[str], invitation_id: FromPath[str], desk: NamedDependency[Desk]
) -> InvitationView:
    """End a link."""
    scope, wanted = named_tenant(tenant_id), path_id("inv", invitation_id, "invitation")
    async with desk.operator() as session:
        row = await invitations.revoke(scope, session, wanted, now=desk.services.clock.now())
    key = await desk.services.data_keys.of(scope.tenant_id)
    return InvitationView(**_members(row, key))


def _members(row: Invitation, key: DataKey) -> dict[str, str]:
    """Return an invitation's members; times that have not come are None."""
    times = {
        name: timestamp(getattr(row, name))
        for name in ("created_at", "expires_at", "accepted_at", "revoked_at")
    }
    return {"id": encode("inv", row.id), "email": invitations.email_of(row, key), **times}  # type: ignore[dict-item] # absent times
