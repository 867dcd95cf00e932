"""The tenant that is ready when the stack is: made through the REST API on the first start, then kept."""

from pathlib import Path
from typing import Final

from gateway.client import ApiRefused, Client, path_of
from gateway.stack.secrets import TestTenant, keep_test_tenant, test_tenant_of

_SLUG: Final = "test"
_COUNTRIES: Final = ("US", "CA", "GB", "DE", "FR", "ES", "IT", "NL", "AU", "IN", "BR")
_MODEL: Final = 2


def ready_test_tenant(data: Path, base_url: str, operator_key: str) -> TestTenant:
    """Return the test tenant; made anew only where the kept key is none of this gateway's."""
    known = test_tenant_of(data)
    if known is not None and _is_valid(Client(base_url, known.key)):
        return known
    operator = Client(base_url, operator_key)
    tenant_id = _created(operator)
    operator.post(path_of("admin", "tenants", tenant_id, "provision"), {})
    secret = operator.post(path_of("admin", "tenants", tenant_id, "api-keys"), {"mode": "test"})["secret"]
    made = TestTenant(id=tenant_id, key=secret)
    keep_test_tenant(data, made)
    return made


def _is_valid(client: Client) -> bool:
    try:
        client.get("/v1/credits")
    except ApiRefused:
        return False
    return True


def _created(operator: Client) -> str:
    """Create the tenant, or find the one that a start which was cut off has left."""
    wanted = {"name": "Test tenant", "slug": _SLUG, "model": _MODEL, "countries": list(_COUNTRIES)}
    try:
        return str(operator.post("/v1/admin/tenants", wanted)["id"])
    except ApiRefused as refused:
        if refused.code != "slug_taken":
            raise
    tenants = operator.rows("/v1/admin/tenants", limit=10_000)
    return str(next(tenant["id"] for tenant in tenants if tenant["slug"] == _SLUG))
