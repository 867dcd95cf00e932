"""What a test key may not do: it reaches neither a carrier nor AWS, and changes nothing that live keys use."""

from gateway.api.refusals import Refusal
from tenants.scope import TenantScope


def require_live(scope: TenantScope) -> None:
    """
    Let a live key, a person or the operator through.

    Raises:
        Refusal: It is a test key.
    """
    if not scope.live:
        raise Refusal("live_key_required")
