"""Ids in paths: what cannot be an id of the kind is answered like one that does not exist."""

from uuid import UUID

from tenants.errors import InvalidId, NotFound
from tenants.ids import decode
from tenants.scope import TenantScope


def path_id(prefix: str, text: str, kind: str) -> UUID:
    """
    Return the UUID behind the id in a path.

    Raises:
        NotFound: The text is no such id; says no more than a foreign id would.
    """
    try:
        return decode(prefix, text)
    except InvalidId:
        raise NotFound(kind) from None


def named_tenant(text: str) -> TenantScope:
    """Return the scope of the tenant that the operator names; only operator routes may mint one so."""
    return TenantScope(tenant_id=path_id("ten", text, "tenant"))
