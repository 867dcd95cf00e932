"""Ids in paths and queries: one in a path that cannot be is answered like one that does not exist."""

from uuid import UUID

from gateway.api.refusals import Refusal
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


def query_id(prefix: str, text: str, field: str) -> UUID:
    """
    Return the UUID behind an id that filters a list.

    Raises:
        Refusal: The text is no such id; a filter that cannot match is a mistake, not an empty answer.
    """
    try:
        return decode(prefix, text)
    except InvalidId:
        raise Refusal.of_field(field, "invalid_id", f"An id here begins with {prefix}_.") from None


def named_tenant(text: str) -> TenantScope:
    """Return the scope of the tenant that the operator names; only operator routes may mint one so."""
    return TenantScope(tenant_id=path_id("ten", text, "tenant"))
