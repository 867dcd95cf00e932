"""What OpenAPI says about refusals: each route names the codes it may answer with."""

from typing import Final

from litestar.datastructures import ResponseHeader
from litestar.openapi.datastructures import ResponseSpec

from gateway.api.problems import PROBLEMS
from gateway.api.refusals import PROBLEM_JSON, Problem

EVERYWHERE: Final = ("bad_request", "unknown_field", "validation_failed", "internal_error", "unavailable")
WITH_BODY: Final = ("invalid_json", "body_too_large", "unsupported_media_type")
WITH_IDEMPOTENCY: Final = ("invalid_idempotency_key", "idempotency_mismatch", "idempotency_in_flight")
TENANT: Final = ("unauthenticated", "missing_scope")
OPERATOR: Final = ("unauthenticated",)
SENDING: Final = (
    "insufficient_credits",
    "spend_limit_reached",
    "template_required",
    "template_not_allowed",
    "country_not_allowed",
    "destination_not_verified",
    "opted_out",
    "consent_required",
    "pumping_suspected",
    "protect_blocked",
    "quiet_hours",
    "channel_disabled",
    "content_refused",
    "country_parameters_required",
    "use_case_mismatch",
    "tenant_suspended",
    "not_live",
    "no_originator",
    "invalid_number",
    "invalid_template_variables",
    "body_too_long",
    "price_over_max",
    "no_price",
    "not_supported",
    "media_refused",
    "media_unavailable",
    "rate_limited",
    "queue_full",
    "daily_cap_reached",
    "overloaded",
)

RATE_HEADERS: Final = (
    ResponseHeader(
        name="RateLimit-Policy",
        value='"requests";q=10;w=1, "parts-US";q=5;w=2',
        description=(
            "The rates of the tenant's plan that hold for this send, as q in w seconds: `requests`, and "
            "`parts-US` for message parts to its country. A batch names the country of which least is left, "
            "an answer made before the country was known `requests` alone, a 429 the rate that refused. "
            "Where the plan sets none of them it is the rate of the sender that the message was given to, or "
            "would have been; absent where none was looked for (IETF draft)."
        ),
        documentation_only=True,
    ),
    ResponseHeader(
        name="RateLimit",
        value='"requests";r=7;t=1, "parts-US";r=0;t=3',
        description=(
            "What is left of each at once, and the seconds until it is whole. Where the plan queues what is "
            "above a country's rate, r=0 says that more waits in the queue; it is not refused."
        ),
        documentation_only=True,
    ),
)


def refusals(*codes: str) -> dict[int, ResponseSpec]:
    """Return the documentation of every refusal with one of `codes`, or with one that any route may give."""
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys((*codes, *EVERYWHERE)):
        by_status.setdefault(PROBLEMS[code].status, []).append(code)
    return {
        status: ResponseSpec(
            data_container=Problem,
            generate_examples=False,
            description="Refused with `code` " + ", ".join(f"`{code}`" for code in sorted(found)) + ".",
            media_type=PROBLEM_JSON,
        )
        for status, found in sorted(by_status.items())
    }
