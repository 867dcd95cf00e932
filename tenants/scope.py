"""The proof of tenancy that every query takes first."""

from uuid import UUID

from msgspec import Struct


class TenantScope(Struct, frozen=True, kw_only=True):
    """
    A tenant that has been authenticated, or that the operator names.

    Minted only by `tenants.access` (an API key), `tenants.people` (a signed-in person) and by the operator's
    edge; a store that takes one needs no further proof, and cannot be called without it.
    """

    tenant_id: UUID
    live: bool = True
    """False for a `tg_test_` key: the sandbox carrier carries, and only test messages are visible."""
    key_id: UUID | None = None
    """The API key that speaks, None when the operator or a person does."""
    person_id: UUID | None = None
    """Who speaks through the console."""
