"""What is done with API keys: made, listed, revoked, and looked up when someone speaks."""

from collections.abc import Sequence
from datetime import datetime
from typing import get_args
from uuid import UUID

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.access import store, tokens
from tenants.access.credential import KEY_SCOPES, KeyScope, StoredKey, may_pass_on
from tenants.access.models import ApiKey
from tenants.access.tokens import Mode
from tenants.accounts import store as accounts
from tenants.audit import store as audit
from tenants.errors import Conflict, InvalidInput, NotFound
from tenants.ids import encode
from tenants.instants import named_instant
from tenants.scope import TenantScope

_MAX_NAME = 100


class NewKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to be, as the wire describes it."""

    mode: Mode
    name: str = ""
    scopes: list[KeyScope] = []
    """Empty for all that a tenant may do."""
    expires_at: datetime | None = None


class CreatedKey(Struct, frozen=True, kw_only=True):
    """A key at its birth; `token` is shown this once and stored nowhere."""

    key: ApiKey
    token: str

    def __repr__(self) -> str:
        """Leave the token out, so that no log can hold it by accident."""
        return f"CreatedKey(key={self.key.id})"


async def create_key(
    scope: TenantScope,
    session: AsyncSession,
    new: NewKey,
    *,
    pepper: bytes,
    now: datetime,
    own_scopes: Sequence[KeyScope] = (),
) -> CreatedKey:
    """
    Add a key to the tenant.

    A key can pass on no more than `own_scopes`, those of the key that asks, and a test key makes only test
    keys. The pepper is that of `tokens.pepper_from`.

    Raises:
        InvalidInput: A field breaks a rule.
        NotFound: There is no such tenant.
        Conflict: The tenant is closed.
    """
    _check(scope, new, now=now, own_scopes=own_scopes)
    tenant = await accounts.get(scope, session)
    if tenant is None:
        raise NotFound("tenant")
    if tenant.state == "closed":
        raise Conflict("tenant_closed", "a closed tenant gets no keys")
    minted = tokens.mint(new.mode, pepper=pepper)
    key = ApiKey(
        tenant_id=scope.tenant_id,
        id=minted.key_id,
        mode=new.mode,
        name=new.name,
        scopes=sorted(set(new.scopes)),
        secret_hash=minted.secret_hash,
        hint=minted.hint,
        expires_at=new.expires_at,
    )
    session.add(key)
    await session.flush()
    detail = {"mode": key.mode, "scopes": key.scopes}
    await audit.append(scope, session, action="key.created", subject=encode("key", key.id), detail=detail)
    return CreatedKey(key=key, token=minted.token)


async def page(
    scope: TenantScope, session: AsyncSession, *, limit: int, after: UUID | None = None
) -> Sequence[ApiKey]:
    """Return up to `limit` keys, newest first; ask for one more to learn whether others follow."""
    return await store.page(scope, session, limit=limit, after=after)


async def revoke_key(scope: TenantScope, session: AsyncSession, key_id: UUID, *, now: datetime) -> ApiKey:
    """
    End a key; ending it again changes nothing. A test key ends test keys only.

    Raises:
        NotFound: The tenant has no such key.
        Conflict: A test key would end a live one.
    """
    key = await store.get(scope, session, key_id, lock=True)
    if key is None:
        raise NotFound("API key")
    if key.mode == "live" and not scope.live:
        raise Conflict(
            "live_key_required", "a test key ends test keys only; use a live key or ask the operator"
        )
    if key.revoked_at is None:
        key.revoked_at = now
        await session.flush()
        await audit.append(scope, session, action="key.revoked", subject=encode("key", key.id))
    return key


async def revoke_all(scope: TenantScope, session: AsyncSession, *, now: datetime) -> None:
    """End every key of a tenant, test keys too."""
    await store.revoke_all(scope, session, now=now)


async def authenticate(session: AsyncSession, key_id: UUID) -> StoredKey | None:
    """Return what `credential.judge` needs of a key, for a cache to keep; needs a worker's session."""
    return await store.stored_key(session, key_id)


def _check(scope: TenantScope, new: NewKey, *, now: datetime, own_scopes: Sequence[KeyScope]) -> None:
    if new.mode not in get_args(Mode):
        raise InvalidInput("/mode", "invalid_mode", "a mode is live or test")
    if new.mode == "live" and not scope.live:
        raise InvalidInput("/mode", "not_allowed", "a test key creates test keys only")
    if len(new.name) > _MAX_NAME or not new.name.isprintable():
        raise InvalidInput("/name", "invalid_name", f"a name is one line of at most {_MAX_NAME} characters")
    unknown = sorted(set(new.scopes) - set(KEY_SCOPES))
    if unknown:
        raise InvalidInput("/scopes", "unknown_scope", f"there is no scope {unknown[0]!r}")
    if not may_pass_on(own_scopes, new.scopes):
        raise InvalidInput("/scopes", "not_allowed", "a key passes on no more than its own scopes")
    if new.expires_at is not None:
        _check_expiry(new.expires_at, now)


def _check_expiry(expires_at: datetime, now: datetime) -> None:
    if named_instant(expires_at, "/expires_at") <= now:
        raise InvalidInput("/expires_at", "in_the_past", "a key expires in the future")
