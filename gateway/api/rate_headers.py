"""The `RateLimit` headers of send endpoints (IETF draft-ietf-httpapi-ratelimit-headers-11)."""

from gateway.intake.outcome import RateState


def rate_headers(rate: RateState | None) -> dict[str, str]:
    """Return the headers for a rate of the tenant's plan; none where the plan has no such limit."""
    if rate is None:
        return {}
    quota = max(1, int(rate.limit_per_s))
    reset_s = -(-rate.reset_ms // 1000)
    return {
        "RateLimit-Policy": f'"{rate.name}";q={quota};w=1',
        "RateLimit": f'"{rate.name}";r={rate.remaining};t={reset_s}',
    }
