"""Whether a token is a key's, and what that key may do. Pure: the caller brings the row and the time."""

import hmac
from collections.abc import Collection
from datetime import datetime
from typing import Final, Literal, get_args
from uuid import UUID

from msgspec import Struct

from tenants.access.tokens import Mode, TokenParts, secret_hash
from tenants.scope import TenantScope

KeyScope = Literal[
    "messages:send",
    "messages:read",
    "templates",
    "senders:read",
    "registrations",
    "opt-outs",
    "protect",
    "verified-numbers",
    "webhooks",
    "credits:read",
    "keys",
    "audit:read",
    "insight",
]
"""
What a key may be limited to.

- `messages:send`: send, estimate, explain, cancel, give feedback, look numbers up
- `messages:read`: read messages, their events and the event feed
- `templates`: read, write and submit templates
- `senders:read`: read senders, pools and configuration sets
- `registrations`: read, fill, submit and lint registrations with carriers
- `opt-outs`: read, add and remove opted-out numbers
- `protect`: read and change country rules and number overrides, read what they stopped, lift blocks
- `verified-numbers`: verify, list and delete numbers
- `webhooks`: manage endpoints and their deliveries
- `credits:read`: read balance, ledger and usage
- `keys`: create and revoke keys, never beyond its own scopes
- `audit:read`: read the audit trail
- `insight`: read summaries and baselines, set alarms, make support cases
"""

KEY_SCOPES: Final[tuple[KeyScope, ...]] = get_args(KeyScope)

_NO_SUCH_KEY: Final = bytes(32)
"""Compared against when the id is unknown, so that time does not tell an unknown id from a wrong secret."""


class StoredKey(Struct, frozen=True, kw_only=True):
    """A key's row, as caches keep it."""

    id: UUID
    tenant_id: UUID
    mode: Mode
    scopes: tuple[KeyScope, ...]
    """Empty for all."""
    secret_hash: bytes
    expires_at: datetime | None
    revoked_at: datetime | None


class Granted(Struct, frozen=True, kw_only=True, tag="granted"):
    """The token is the key's, and the key is good now."""

    scope: TenantScope
    scopes: tuple[KeyScope, ...]


class Denied(Struct, frozen=True, kw_only=True, tag="denied"):
    """Not good; the reason is for the log, every caller outside sees the same 401."""

    reason: Literal["unknown", "wrong_secret", "wrong_mode", "revoked", "expired"]


def judge(parts: TokenParts, stored: StoredKey | None, *, pepper: bytes, now: datetime) -> Granted | Denied:
    """
    Return the tenant's scope for a proven token.

    The mode inside the token is only a claim: the checksum is no secret, so a test key could be respelt as a
    live one. The stored mode decides and the claim has to agree with it.
    """
    expected = _NO_SUCH_KEY if stored is None else stored.secret_hash
    proven = hmac.compare_digest(secret_hash(pepper, parts.secret), expected)
    if stored is None or stored.id != parts.key_id:
        return Denied(reason="unknown")
    if not proven:
        return Denied(reason="wrong_secret")
    if stored.mode != parts.mode:
        return Denied(reason="wrong_mode")
    if stored.revoked_at is not None and stored.revoked_at <= now:
        return Denied(reason="revoked")
    if stored.expires_at is not None and stored.expires_at <= now:
        return Denied(reason="expired")
    scope = TenantScope(tenant_id=stored.tenant_id, live=stored.mode == "live", key_id=stored.id)
    return Granted(scope=scope, scopes=stored.scopes)


def allows(scopes: Collection[KeyScope], wanted: KeyScope) -> bool:
    """Return whether a key with `scopes` may do `wanted`; a key without scopes may do all."""
    return not scopes or wanted in scopes


def may_pass_on(own: Collection[KeyScope], wanted: Collection[KeyScope]) -> bool:
    """Return whether a key with scopes `own` may create one with `wanted`: nobody gives what it has not."""
    if not own:
        return True
    return bool(wanted) and set(wanted) <= set(own)
