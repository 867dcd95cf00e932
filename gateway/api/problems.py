"""
The only table of refusals: each error code with its status, its meaning and the way out.

The codes are public: names are added, never changed. `docs/errors.md` and the pages under `/docs/errors` are
made from this table.
"""

from typing import Final

from msgspec import Struct


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


def _kind(
    status: int, code: str, title: str, explanation: str, way_out: str, *, retryable: bool = False
) -> tuple[str, ProblemKind]:
    kind = ProblemKind(
        code=code,
        status=status,
        title=title,
        explanation=explanation,
        way_out=way_out,
        retryable=retryable,
    )
    return code, kind


PROBLEMS: Final[dict[str, ProblemKind]] = dict(
    (
        # ------------------------------------------------------------------ the request itself
        _kind(
            400,
            "bad_request",
            "The request is not well-formed HTTP",
            "A header or the request line could not be read, so nothing behind it was looked at.",
            "Send the request with a plain HTTP client, without a proxy that rewrites it.",
        ),
        _kind(
            400,
            "invalid_json",
            "The body is not JSON",
            "The body is empty, is not UTF-8, is nested too deeply or breaks the JSON grammar; `detail` says where.",
            "Encode the body with a JSON library and send it whole.",
        ),
        _kind(
            400,
            "invalid_idempotency_key",
            "The Idempotency-Key cannot be used",
            "A key is 1 to 255 printable ASCII characters.",
            "Use a random UUID per operation and repeat it on every retry of that operation.",
        ),
        _kind(
            401,
            "unauthenticated",
            "No valid key was given",
            "The Authorization header is missing, is not `Bearer <key>`, or names a key that is unknown, revoked or "
            "expired. Which of these it was is not said.",
            "Send `Authorization: Bearer tg_live_…` or `tg_test_…`; create another key if this one has ended.",
        ),
        _kind(
            403,
            "missing_scope",
            "The key may not do this",
            "The key is valid but was created with scopes that leave this operation out; `detail` names the scope.",
            "Use a key with that scope, or one without scopes, which may do all a tenant may do.",
        ),
        _kind(
            404,
            "not_found",
            "There is no such thing",
            "The id does not exist, or belongs to someone else: the two are answered alike on purpose.",
            "Check the id, and that the key is of the tenant and of the mode (live or test) that made it.",
        ),
        _kind(
            404,
            "no_such_route",
            "There is nothing at this address",
            "The path is none of the API's.",
            "Compare the path with /openapi.json.",
        ),
        _kind(
            405,
            "method_not_allowed",
            "The address does not take this method",
            "The path exists, but not for this HTTP method; the Allow header lists those it takes.",
            "Use one of the methods in the Allow header.",
        ),
        _kind(
            413,
            "body_too_large",
            "The body is too large",
            "Reading stopped at the limit: 64 KB, or 1 MB for a batch.",
            "Send fewer messages per batch, or shorten the request.",
        ),
        _kind(
            415,
            "unsupported_media_type",
            "The body is not application/json",
            "The Content-Type header names another type, or is missing.",
            "Send `Content-Type: application/json`.",
        ),
        _kind(
            422,
            "validation_failed",
            "A field breaks a rule",
            "The request was understood, but a value has the wrong type, form or range; `errors` names each field.",
            "Correct the fields named in `errors`.",
        ),
        _kind(
            422,
            "unknown_field",
            "A field does not exist",
            "Unknown fields and query parameters are refused, so that a misspelt one never becomes a silent default.",
            "Remove or correct the field named in `errors`.",
        ),
        # ------------------------------------------------------------------ idempotency
        _kind(
            422,
            "idempotency_mismatch",
            "The Idempotency-Key was used for another request",
            "The key is stored with a request whose method, path or body differs from this one's.",
            "Use a new key for a new operation; repeat a key only with the identical request.",
        ),
        _kind(
            409,
            "idempotency_in_flight",
            "The first request with this key is still running",
            "Nothing was done a second time. The stored answer will be replayed once the first request has ended.",
            "Send the same request again after Retry-After.",
            retryable=True,
        ),
        # ------------------------------------------------------------------ money
        _kind(
            402,
            "insufficient_credits",
            "The balance does not cover the message",
            "Available money is what was paid less what is held for messages under way. Nothing was held.",
            "Top up, wait for holds to be released, or send fewer parts.",
        ),
        _kind(
            402,
            "spend_limit_reached",
            "A spending cap is reached",
            "The daily or monthly cap of the plan would be passed. Nothing was held.",
            "Wait for the next period or ask the operator to raise the cap.",
        ),
        _kind(
            422,
            "price_over_max",
            "The message costs more than max_price",
            "The price of all parts together is over the `max_price` that the request allows.",
            "Raise `max_price`, or shorten the text so that it needs fewer parts.",
        ),
        _kind(
            422,
            "no_price",
            "There is no price for this destination",
            "The operator's price book has no line for the country and channel, so nothing can be held.",
            "Ask the operator to price the country.",
        ),
        # ------------------------------------------------------------------ what may be sent
        _kind(
            403,
            "template_required",
            "This tenant may only send templates",
            "The tenant's model or plan does not allow free text, so `body` is refused.",
            "Send `template` with the name of an approved template.",
        ),
        _kind(
            403,
            "template_not_allowed",
            "The template may not be sent",
            "The template does not exist for this tenant, no version of it is approved, or it is not meant for the "
            "country or type.",
            "Submit the template and wait for its approval, or name an approved version.",
        ),
        _kind(
            422,
            "invalid_template_variables",
            "The variables do not fit the template",
            "A variable is missing, surplus, too long or of another kind than declared; `errors` names each.",
            "Give exactly the declared variables, each in its declared form.",
        ),
        _kind(
            422,
            "body_too_long",
            "The text is too long",
            "The text is over what AWS takes in one message: 1,530 characters of GSM 03.38 or 630 of Unicode.",
            "Shorten it; POST /v1/messages/estimate shows which characters force Unicode.",
        ),
        _kind(
            422,
            "invalid_number",
            "The recipient is not a number that can be messaged",
            "`to` is not E.164, or no such number can exist in its country.",
            "Send the number as `+`, country code and subscriber number, without spaces.",
        ),
        _kind(
            422,
            "not_supported",
            "The gateway does not do this yet",
            "The request is well formed, but asks for a channel or option that is not built.",
            "Leave the field named in `errors` out.",
        ),
        # ------------------------------------------------------------------ who may be reached
        _kind(
            403,
            "country_not_allowed",
            "The country is not on the tenant's list",
            "Countries are closed until they are opened, so that a leaked key cannot pump traffic anywhere.",
            "Ask the operator to open the country.",
        ),
        _kind(
            403,
            "opted_out",
            "The recipient has opted out",
            "The number is on the tenant's opt-out list for this type of message. Nothing was held.",
            "Do not message the person. They may opt in again; `GET /v1/opt-outs` shows the list.",
        ),
        _kind(
            403,
            "protect_blocked",
            "A protect rule blocks the destination",
            "The country or number is blocked by the tenant's protect rules, or too many numbers alike were tried.",
            "Check the rules under /v1/protect, and the traffic for pumping.",
        ),
        _kind(
            403,
            "quiet_hours",
            "It is night where the recipient is",
            "The tenant's policy refuses promotional messages in the recipient's quiet hours.",
            "Send again after `retry_after_ms`, or set `send_at`.",
            retryable=True,
        ),
        _kind(
            403,
            "use_case_mismatch",
            "The sender is not registered for this use",
            "The sender's registration does not cover messages of this type.",
            "Use another sender, or the type that fits the text.",
        ),
        _kind(
            403,
            "tenant_suspended",
            "The tenant is suspended",
            "The operator has suspended or closed the tenant. Reading still works; sending does not.",
            "Contact the operator.",
        ),
        _kind(
            403,
            "not_live",
            "The tenant is not live yet",
            "Live keys do not send before the operator has set the tenant live. Test keys work.",
            "Use a `tg_test_` key, or ask the operator to set the tenant live.",
        ),
        _kind(
            409,
            "no_originator",
            "No sender can carry the message",
            "None of the tenant's active senders serves the country, channel and type.",
            "Ask the operator to provision a sender for the country, or name another `from`.",
        ),
        # ------------------------------------------------------------------ how fast
        _kind(
            429,
            "rate_limited",
            "Too many requests",
            "The tenant's request rate, or its rate to the country, is used up for the moment.",
            "Send again after Retry-After; the RateLimit headers show the state.",
            retryable=True,
        ),
        _kind(
            429,
            "queue_full",
            "The message could not leave within its life",
            "What already waits for the same sender takes longer than the message's `ttl_seconds`.",
            "Send again after Retry-After, raise `ttl_seconds`, or add a sender.",
            retryable=True,
        ),
        # ------------------------------------------------------------------ things in the wrong state
        _kind(
            409,
            "conflict",
            "The present state forbids it",
            "The request is valid, but not in the state the thing is in; `detail` says which.",
            "Read the thing again and act on its present state.",
        ),
        _kind(
            409,
            "name_taken",
            "The name is in use",
            "Another object of the same kind already has this name.",
            "Choose another name.",
        ),
        _kind(
            409,
            "message_not_cancelable",
            "The message has already left",
            "Only a scheduled or queued message can be canceled; this one was handed over or is final.",
            "Nothing: its outcome is in GET /v1/messages/{id}.",
        ),
        _kind(
            409,
            "provision_refused",
            "AWS did not make what was asked",
            "AWS, or a quota of the account, refused a step. The steps before it stand; a second run goes on from "
            "there.",
            "Do what `detail` says and provision again.",
        ),
        _kind(
            403,
            "envelope_rejected",
            "The SNS envelope is not believed",
            "The signature, certificate, topic or age of the envelope is wrong, or it is no envelope at all. Nothing "
            "was stored.",
            "Only Amazon SNS posts here, for topics that the operator registered.",
        ),
        # ------------------------------------------------------------------ ours
        _kind(
            500,
            "internal_error",
            "The gateway failed",
            "An error nobody expected. It is logged under the request id in `instance`. A POST with an "
            "Idempotency-Key can be repeated safely.",
            "Repeat the request with the same Idempotency-Key; report the request id if it happens again.",
            retryable=True,
        ),
        _kind(
            503,
            "unavailable",
            "The gateway cannot write",
            "A store the answer depends on does not answer, so nothing was accepted: a 202 is only given for what is "
            "on disk.",
            "Send again after Retry-After with the same Idempotency-Key.",
            retryable=True,
        ),
        _kind(
            503,
            "overloaded",
            "Too much is waiting",
            "The bounded line in front of the database is full, so nothing was accepted.",
            "Send again after Retry-After with the same Idempotency-Key.",
            retryable=True,
        ),
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
