"""What a test key may not do: it reaches no carrier and not AWS, and changes nothing of live keys."""

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
