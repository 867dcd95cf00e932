"""`/v1/api-keys`: a tenant's own keys."""

from typing import Final

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, page_of
from gateway.api.path_ids import path_id
from gateway.messages.view import timestamp
from tenants.access import service
from tenants.access.models import ApiKey
from tenants.access.service import CreatedKey, NewKey
from tenants.ids import encode

_KEYS: Final = {NEEDS: "keys"}


class ApiKeyView(Struct, frozen=True, kw_only=True):
    """A key without its secret."""

    id: str
    mode: str
    name: str
    scopes: list[str]
    """Empty for all that a tenant may do."""
    hint: str
    """The last four characters of the token."""
    created_at: str | None
    expires_at: str | None
    revoked_at: str | None


class CreatedApiKeyView(ApiKeyView, frozen=True, kw_only=True):
    """A key at its birth."""

    secret: str
    """The bearer token; shown this once."""


def api_key_view(key: ApiKey) -> ApiKeyView:
    """Return a key as lists show it."""
    return ApiKeyView(
        id=encode("key", key.id),
        mode=key.mode,
        name=key.name,
        scopes=key.scopes,
        hint=key.hint,
        created_at=timestamp(key.created_at),
        expires_at=timestamp(key.expires_at),
        revoked_at=timestamp(key.revoked_at),
    )


def created_api_key_view(created: CreatedKey) -> CreatedApiKeyView:
    """Return a key with the token that is never shown again."""
    key = created.key
    return CreatedApiKeyView(
        id=encode("key", key.id),
        mode=key.mode,
        name=key.name,
        scopes=key.scopes,
        hint=key.hint,
        created_at=timestamp(key.created_at),
        expires_at=timestamp(key.expires_at),
        revoked_at=None,
        secret=created.token,
    )


@get("/api-keys", opt=_KEYS, responses=refusals(*TENANT), summary="List API keys")
async def list_api_keys(
    request: ApiRequest, desk: NamedDependency[Desk], limit: Limit = DEFAULT_LIMIT, after: After = None
) -> Page[ApiKeyView]:
    """Return a page of keys, the newest first, revoked ones included."""
    async with desk.tenant(request.auth) as session:
        rows = await service.page(request.auth, session, limit=limit + 1, after=id_after(request, after))
    return page_of(request, rows, limit, view=api_key_view, place=lambda row: row.id)


@post(
    "/api-keys",
    status_code=201,
    opt=_KEYS,
    responses=refusals(*TENANT, *WITH_BODY, *WITH_IDEMPOTENCY, "tenant_closed"),
    summary="Create an API key",
    description="A key passes on no more than its own scopes, and a test key creates test keys only.",
)
async def create_api_key(
    request: ApiRequest, data: JSONBody[NewKey], desk: NamedDependency[Desk]
) -> Response[CreatedApiKeyView]:
    """Create a key and show its secret this once."""

    async def work(session: AsyncSession) -> CreatedApiKeyView:
        created = await service.create_key(
            request.auth,
            session,
            data,
            pepper=desk.pepper,
            now=desk.services.clock.now(),
            own_scopes=request.user,
        )
        return created_api_key_view(created)

    return await desk.tenant_once(request, work, status=201)


@delete(
    "/api-keys/{key_id:str}",
    status_code=200,
    opt=_KEYS,
    responses=refusals(*TENANT, "not_found", "live_key_required"),
    summary="Revoke an API key",
    description="In force everywhere within 5 s; revoking it again changes nothing. A test key revokes test "
    "keys only.",
)
async def revoke_api_key(
    request: ApiRequest, key_id: FromPath[str], desk: NamedDependency[Desk]
) -> ApiKeyView:
    """End a key."""
    wanted = path_id("key", key_id, "API key")
    async with desk.tenant(request.auth) as session:
        key = await service.revoke_key(request.auth, session, wanted, now=desk.services.clock.now())
    desk.keyring.forget(wanted)
    return api_key_view(key)
