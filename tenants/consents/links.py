"""
Signed links to a phone's own pages.

The link is sealed with the tenant's data key: it shows no number, nobody can make or change one, another
tenant's does not open, and one for a purpose does not serve another.
"""

import base64
import binascii
from datetime import UTC, datetime
from typing import Final, Literal

from tenants.accounts.sealing import DataKey
from tenants.errors import SealBroken
from tenants.scope import TenantScope

Purpose = Literal["confirm", "preferences"]
_EXPIRY_BYTES: Final = 8
_MOST: Final = 400


def signed_link(
    scope: TenantScope, key: DataKey, purpose: Purpose, number: str, *, expires_at: datetime
) -> str:
    """Return the last part of a link's path: about 75 characters of base64url."""
    ends = int(expires_at.timestamp()).to_bytes(_EXPIRY_BYTES, "big")
    sealed = key.seal(ends + number.encode(), context=_context(scope, purpose))
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def number_behind(
    scope: TenantScope, key: DataKey, purpose: Purpose, link: str, *, now: datetime
) -> str | None:
    """Return whose link it is; None for one that is forged, expired, or made for something else."""
    if len(link) > _MOST:
        return None
    try:
        sealed = base64.b64decode(link + "=" * (-len(link) % 4), altchars=b"-_", validate=True)
        plain = key.open(sealed, context=_context(scope, purpose))
    except (binascii.Error, ValueError, SealBroken):
        return None
    ends = datetime.fromtimestamp(int.from_bytes(plain[:_EXPIRY_BYTES], "big"), UTC)
    return plain[_EXPIRY_BYTES:].decode() if now < ends else None


def _context(scope: TenantScope, purpose: Purpose) -> bytes:
    """A test key's links confirm test consents only."""
    mode = b"live" if scope.live else b"test"
    return b"hosted-link:" + purpose.encode() + b":" + mode + b":" + scope.tenant_id.bytes
