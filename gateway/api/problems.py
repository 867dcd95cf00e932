"""
The only table of refusals: each error code with its status, its title and whether waiting helps.

The codes are public: names are added, never changed. `docs/errors.md` and the pages under `/docs/errors` are
made from this table and the texts of `problem_texts`.
"""

from typing import Final

from msgspec import Struct

from gateway.api.problem_texts import TEXTS


class ProblemKind(Struct, frozen=True, kw_only=True):
    """One error code."""

    code: str
    status: int
    title: str
    explanation: str
    """One paragraph: what happened and what it did not do."""
    way_out: str
    """What the caller does about it."""
    retryable: bool = False
    """Whether the same request may succeed later without being changed."""


def _kind(code: str, status: int, title: str, *, retryable: bool = False) -> tuple[str, ProblemKind]:
    explanation, way_out = TEXTS[code]
    return code, ProblemKind(
        code=code, status=status, title=title, explanation=explanation, way_out=way_out, retryable=retryable
    )


PROBLEMS: Final[dict[str, ProblemKind]] = dict(
    (
        # the request itself
        _kind("bad_request", 400, "The request is not well-formed HTTP"),
        _kind("invalid_json", 400, "The body is not JSON"),
        _kind("invalid_idempotency_key", 400, "The Idempotency-Key cannot be used"),
        _kind("unauthenticated", 401, "No valid key was given"),
        _kind("signature_rejected", 401, "The signature does not prove the sender"),
        _kind("missing_scope", 403, "The key may not do this"),
        _kind("not_found", 404, "There is no such thing"),
        _kind("no_such_route", 404, "There is nothing at this address"),
        _kind("method_not_allowed", 405, "The address does not take this method"),
        _kind("body_too_large", 413, "The body is too large"),
        _kind("unsupported_media_type", 415, "The body is not application/json"),
        _kind("validation_failed", 422, "A field breaks a rule"),
        _kind("unknown_field", 422, "A field does not exist"),
        # idempotency
        _kind("idempotency_mismatch", 422, "The Idempotency-Key was used for another request"),
        _kind(
            "idempotency_in_flight", 409, "The first request with this key is still running", retryable=True
        ),
        # money
        _kind("insufficient_credits", 402, "The balance does not cover the message"),
        _kind("spend_limit_reached", 402, "A spending cap is reached"),
        _kind("price_over_max", 422, "The message costs more than max_price"),
        _kind("no_price", 422, "There is no price for this destination"),
        # what may be sent
        _kind("template_required", 403, "This tenant may only send templates"),
        _kind("template_not_allowed", 403, "The template may not be sent"),
        _kind("invalid_template_variables", 422, "The variables do not fit the template"),
        _kind("body_too_long", 422, "The text is too long"),
        _kind("invalid_number", 422, "The recipient is not a number that can be messaged"),
        _kind("media_refused", 422, "The file cannot be sent"),
        _kind("media_unavailable", 422, "The file could not be had", retryable=True),
        _kind("not_supported", 422, "The gateway does not do this yet"),
        # who may be reached
        _kind("country_not_allowed", 403, "The country is not on the tenant's list"),
        _kind("destination_not_verified", 403, "Only verified numbers are reached here"),
        _kind("opted_out", 403, "The recipient has opted out"),
        _kind("protect_blocked", 403, "A protect rule blocks the destination"),
        _kind("channel_disabled", 403, "The channel is switched off"),
        _kind("content_refused", 403, "Carriers do not carry this text"),
        _kind("country_parameters_required", 422, "The country demands more than a text"),
        _kind("pumping_suspected", 403, "The messages look like SMS pumping", retryable=True),
        _kind("consent_required", 403, "The number has not agreed to such messages"),
        _kind("quiet_hours", 403, "It is night where the recipient is", retryable=True),
        _kind("use_case_mismatch", 403, "The sender is not registered for this use"),
        _kind("tenant_suspended", 403, "The tenant is suspended"),
        _kind("not_live", 403, "The tenant is not live yet"),
        _kind("no_originator", 409, "No sender can carry the message"),
        _kind("search_too_wide", 422, "The search would take too long"),
        # how fast
        _kind("rate_limited", 429, "Too many requests", retryable=True),
        _kind("daily_cap_reached", 429, "The day's messages to the country are used up", retryable=True),
        _kind("queue_full", 429, "The message could not leave within its life", retryable=True),
        # things in the wrong state
        _kind("conflict", 409, "The present state forbids it"),
        _kind("name_taken", 409, "The name is in use"),
        _kind("slug_taken", 409, "The slug is in use"),
        _kind("tenant_closed", 409, "The tenant is closed"),
        _kind("tenant_not_closed", 409, "The tenant is not closed"),
        _kind("messages_in_flight", 409, "Messages are on their way", retryable=True),
        _kind("already_invited", 409, "The person may sign in already"),
        _kind("answers_changed", 409, "Somebody else answered meanwhile"),
        _kind("cut_over_not_ready", 409, "The country cannot come over yet"),
        _kind("onboarding_not_ready", 409, "The onboarding is not at this point"),
        _kind("balance_not_zero", 409, "The balance is not empty"),
        _kind("balance_too_large", 409, "The balance would be too large"),
        _kind("correction_above_charge", 409, "More would be given back than was charged"),
        _kind("fee_charged", 409, "The fee is in the ledger already"),
        _kind("template_not_compliant", 422, "The template breaks a rule of the carriers"),
        _kind("template_state", 409, "The version is not in the right state"),
        _kind("newer_version_approved", 409, "A newer version is approved already"),
        _kind("webhook_url_refused", 422, "The gateway does not call this URL"),
        _kind("cursor_expired", 410, "The cursor is older than what is kept"),
        _kind("webhook_endpoint_disabled", 409, "The endpoint is disabled"),
        _kind("too_many_webhook_endpoints", 409, "There are as many webhook endpoints as there may be"),
        _kind("message_not_cancelable", 409, "The message has already left"),
        _kind("feedback_not_requested", 409, "The message was sent without feedback"),
        _kind("feedback_closed", 409, "The hour for feedback is over"),
        _kind("keyword_reserved", 409, "The keyword belongs to everybody"),
        _kind("keyword_registered", 409, "Carriers have the keyword on file"),
        _kind("two_way_not_possible", 409, "Nobody can text this sender"),
        _kind("carrier_managed", 409, "The carriers' network keeps these opt-outs"),
        _kind("no_protect_configuration", 409, "The tenant has no protect configuration yet"),
        _kind("protect_locked", 409, "Only the operator changes this configuration"),
        _kind("protect_in_use", 409, "The configuration is in force somewhere"),
        _kind("too_many_overrides", 409, "There are as many overrides as there may be"),
        _kind("verification_code_wrong", 422, "That is not the code"),
        _kind("verification_closed", 409, "No guess at this code counts any more"),
        _kind("verification_refused", 409, "AWS does not verify the number"),
        _kind("too_many_alarms", 409, "There are as many alarms as there may be"),
        _kind("too_many_codes", 429, "The number has had its codes for today", retryable=True),
        _kind("too_many_verified_numbers", 409, "There are as many verified numbers as there may be"),
        _kind("pool_mismatch", 409, "A sender does not fit the pool"),
        _kind("plan_changed", 409, "The plan is not true any more"),
        _kind("provision_refused", 409, "AWS did not make what was asked"),
        _kind("queue_refused", 409, "SQS did not do what was asked"),
        _kind("registration_state", 409, "The registration is not in the right state"),
        _kind("registration_changed", 409, "Somebody else changed the values meanwhile"),
        _kind("cost_not_confirmed", 409, "Nobody has confirmed the cost"),
        _kind("registration_not_compliant", 422, "A reviewer would refuse the registration"),
        _kind("attachment_refused", 422, "The file cannot be attached"),
        _kind("live_key_required", 403, "A test key does not reach carriers"),
        _kind("envelope_rejected", 403, "The SNS envelope is not believed"),
        # ours
        _kind("internal_error", 500, "The gateway failed", retryable=True),
        _kind("unavailable", 503, "The gateway cannot write", retryable=True),
        _kind("overloaded", 503, "Too much is waiting", retryable=True),
    )
)
"""Every code, in the order of the documentation."""

STATUS_CODES: Final[dict[int, str]] = {
    400: "bad_request",
    401: "unauthenticated",
    404: "no_such_route",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
    503: "unavailable",
}
"""The code for a refusal that the HTTP framework itself makes, by its status."""
