"""What each error code means and the way out, for people. `problems` holds the rest of the table."""

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "bad_request": (
        "A header or the request line could not be read, so nothing behind it was looked at.",
        "Send the request with a plain HTTP client, without a proxy that rewrites it.",
    ),
    "invalid_json": (
        (
            "The body is empty, is not UTF-8, is nested too deeply or breaks the JSON grammar; `detail` says "
            "where."
        ),
        "Encode the body with a JSON library and send it whole.",
    ),
    "invalid_idempotency_key": (
        "A key is 1 to 255 printable ASCII characters.",
        "Use a random UUID per operation and repeat it on every retry of that operation.",
    ),
    "search_too_wide": (
        (
            "The search walked over messages for as long as one may and found less than a page. It was "
            "ended, so that it burdens nobody's sends."
        ),
        (
            "Give a shorter span with `created_after` and `created_before`, or one of `to`, "
            "`client_reference`, `reason`, `provider_message_id`, or a `status` that is a bad end."
        ),
    ),
    "media_refused": (
        "The bytes are no file that an MMS carries, too many, or broken; or the address may not be called.",
        "Send a PNG, JPEG or GIF up to 2 MB, or another kind up to 600 KB; `errors` says what was wrong.",
    ),
    "media_unavailable": (
        (
            "The address did not answer with a file in time, or the id names no file of the tenant that lies "
            "where the message would be sent from."
        ),
        "Try again if the address was slow; else upload the file to `POST /v1/media` and send its id.",
    ),
    "unauthenticated": (
        (
            "The Authorization header is missing, is not `Bearer <key>`, or names a key that is unknown, "
            "revoked or expired. Which of these it was is not said."
        ),
        (
            "Send `Authorization: Bearer tg_live_…` or `tg_test_…`, on the operator's routes the operator's "
            "key; create another key if this one has ended."
        ),
    ),
    "signature_rejected": (
        "No secret in force signed this post within five minutes. Nothing was read of it.",
        "Sign id, time and the exact bytes of the body as Standard Webhooks says; set the clock by NTP.",
    ),
    "missing_scope": (
        (
            "The key is valid but was created with scopes that leave this operation out; `detail` names the "
            "scope."
        ),
        "Use a key with that scope, or one without scopes, which may do all a tenant may do.",
    ),
    "not_found": (
        "The id does not exist, or belongs to someone else: the two are answered alike on purpose.",
        "Check the id, and that the key is of the tenant and of the mode (live or test) that made it.",
    ),
    "no_such_route": (
        "The path is none of the API's.",
        "Compare the path with /openapi.json.",
    ),
    "method_not_allowed": (
        "The path exists, but not for this HTTP method; the Allow header lists those it takes.",
        "Use one of the methods in the Allow header.",
    ),
    "body_too_large": (
        "Reading stopped at the limit: 64 KB, or 1 MB for a batch.",
        "Send fewer messages per batch, or shorten the request.",
    ),
    "unsupported_media_type": (
        "The Content-Type header names another type, or is missing.",
        "Send `Content-Type: application/json`.",
    ),
    "validation_failed": (
        (
            "The request was understood, but a value has the wrong type, form or range; `errors` names each "
            "field."
        ),
        "Correct the fields named in `errors`.",
    ),
    "unknown_field": (
        (
            "Unknown fields and query parameters are refused, so that a misspelt one never becomes a silent "
            "default."
        ),
        "Remove or correct the field named in `errors`.",
    ),
    "idempotency_mismatch": (
        "The key is stored with a request whose method, path or body differs from this one's.",
        "Use a new key for a new operation; repeat a key only with the identical request.",
    ),
    "idempotency_in_flight": (
        (
            "Nothing was done a second time. The stored answer will be replayed once the first request has "
            "ended."
        ),
        "Send the same request again after Retry-After.",
    ),
    "insufficient_credits": (
        "Available money is what was paid less what is held for messages under way. Nothing was held.",
        "Top up, wait for holds to be released, or send fewer parts.",
    ),
    "spend_limit_reached": (
        "A budget of the calendar month would be passed; `detail` says which one. Nothing was held.",
        "Wait until then or ask the operator to raise the cap; GET /v1/credits shows the budgets.",
    ),
    "price_over_max": (
        "The price of all parts together, less what a bundle covers, is over the `max_price` of the request.",
        "Raise `max_price`, or shorten the text so that it needs fewer parts.",
    ),
    "no_price": (
        "The operator's price book has no line for the country and channel, so nothing can be held.",
        "Ask the operator to price the country.",
    ),
    "template_required": (
        (
            "The tenant's model or plan does not allow free text, so `body` is refused; or the plan allows a "
            "`body` that an approved template gives, and this one is none. `detail` names the nearest."
        ),
        "Send `template` with the name of an approved template, or exactly its words.",
    ),
    "template_not_compliant": (
        (
            "The compliance linter found what carriers refuse, such as a public link shortener; `errors` "
            "names each finding with its fix. The version stays a draft."
        ),
        "Edit the template as the findings say, and submit the new version.",
    ),
    "template_not_allowed": (
        (
            "The template does not exist for this tenant, no version of it is approved, or it is not meant "
            "for the country or type."
        ),
        "Submit the template and wait for its approval, or name an approved version.",
    ),
    "invalid_template_variables": (
        "A variable is missing, surplus, too long or of another kind than declared; `errors` names each.",
        "Give exactly the declared variables, each in its declared form.",
    ),
    "body_too_long": (
        "The text is over what AWS takes in one message: 1,530 characters of GSM 03.38 or 630 of Unicode.",
        "Shorten it; POST /v1/messages/estimate shows which characters force Unicode.",
    ),
    "invalid_number": (
        "`to` is not E.164, or no such number can exist in its country.",
        "Send the number as `+`, country code and subscriber number, without spaces.",
    ),
    "not_supported": (
        "The request is well formed, but asks for a channel or option that is not built.",
        "Leave the field named in `errors` out.",
    ),
    "country_not_allowed": (
        "Countries are closed until they are opened, so that a leaked key cannot pump traffic anywhere.",
        "Ask the operator to open the country.",
    ),
    "destination_not_verified": (
        (
            "The country is in phase `test`, or the sender's AWS account is in AWS's sandbox: simulator "
            "numbers and verified numbers are reached, nobody else."
        ),
        "Verify the number by `POST /v1/verified-numbers`; for everybody, ask the operator to go live.",
    ),
    "opted_out": (
        "The number is on the tenant's opt-out list for this type of message. Nothing was held.",
        "Do not message the person. They may opt in again; `GET /v1/opt-outs` shows the list.",
    ),
    "pumping_suspected": (
        (
            "Too many numbers of one block of a thousand were sent to, or too many texts to one recipient; "
            "`detail` names the rule, the prefix and when it ends by itself. Nothing was held."
        ),
        (
            "Look at who asks for the messages. If they are wanted, `DELETE /v1/protect/blocks/{id}` lifts "
            "the block, and the operator can put the prefix on the plan's safe list."
        ),
    ),
    "protect_blocked": (
        ("The country or number is blocked by the tenant's protect rules."),
        "Check the rules (`GET /v1/protect/effective`), and the traffic for pumping.",
    ),
    "channel_disabled": (
        "The tenant's plan does not list the channel.",
        "Use another channel, or ask the operator to switch this one on.",
    ),
    "content_refused": (
        (
            "The text names a public link shortener or has a word of content that carriers do not carry to "
            "the country, however it is spelt; or the country takes no promotional messages. `detail` says "
            "which."
        ),
        "Change the text, or send it as a template, which the operator approves.",
    ),
    "country_parameters_required": (
        (
            "A sender id's text to India travels only with the entity and template ids of the DLT registry; "
            "without them carriers drop it after it was charged. Nothing was held."
        ),
        (
            "Give `country_parameters`, or let the template carry `dlt_template_id` and the plan "
            "`india_entity_id`."
        ),
    ),
    "consent_required": (
        (
            "The tenant's plan asks for a consent to this type of message, and the ledger has none of this "
            "number that is granted: it never agreed, did not confirm in time, or withdrew. Nothing was held."
        ),
        "Let the person agree on the hosted opt-in page, or write the consent down with `POST /v1/consents`.",
    ),
    "quiet_hours": (
        "The tenant's policy refuses promotional messages in the recipient's quiet hours.",
        "Send again after `retry_after_ms`, or set `send_at`.",
    ),
    "use_case_mismatch": (
        "The sender's registration does not cover messages of this type.",
        "Use another sender, or the type that fits the text.",
    ),
    "tenant_suspended": (
        (
            "The operator has suspended or closed the tenant. Reading still works; sending does not. What "
            "waits of a suspended tenant leaves when it is resumed, or expires."
        ),
        "Contact the operator.",
    ),
    "not_live": (
        "Live keys do not send before the operator has set the tenant live. Test keys work.",
        "Use a `tg_test_` key, or ask the operator to set the tenant live.",
    ),
    "no_originator": (
        "No active sender, or none that `from` names, serves country, channel and type; `detail` says why.",
        "Ask the operator to provision a sender for the country, or name another `from`.",
    ),
    "rate_limited": (
        "The tenant's request rate, or its rate to the country, is used up for the moment.",
        "Send again after Retry-After; the RateLimit headers show the state.",
    ),
    "daily_cap_reached": (
        "The country's rollout is capped at a number of live messages a UTC day, and today's are sent.",
        "Send again after Retry-After, which is midnight UTC, or ask the operator to raise the cap.",
    ),
    "queue_full": (
        (
            "What goes before the message at its sender takes longer than its `ttl_seconds`; "
            "`estimated_dispatch_at` says when it would leave."
        ),
        "Send again after Retry-After, raise `ttl_seconds`, or add a sender.",
    ),
    "conflict": (
        "The request is valid, but not in the state the thing is in; `detail` says which.",
        "Read the thing again and act on its present state.",
    ),
    "name_taken": (
        "Another object of the same kind already has this name.",
        "Choose another name.",
    ),
    "slug_taken": (
        "Another tenant has this slug; slugs are part of names at AWS and never change hands.",
        "Choose another slug.",
    ),
    "answers_changed": (
        "The `version` sent is not the present one: somebody answered since. Nothing was stored.",
        "Read the onboarding again, look at what changed, and answer or decide with the new `version`.",
    ),
    "cut_over_not_ready": (
        "A share above 0 was asked for while nothing of the tenant's can send there. No share changed.",
        "The detail names what is missing: going live, the country, or an active sender; then ask again.",
    ),
    "onboarding_not_ready": (
        "A step before the one asked for is not done, or the one asked for is over. Nothing changed.",
        "The detail names the step; `GET /v1/onboarding` says what each one waits for.",
    ),
    "tenant_closed": (
        "A closed tenant stays as it is for good.",
        "Create another tenant.",
    ),
    "tenant_not_closed": (
        "Only a closed tenant is erased: an erasure has no way back, and an open tenant would go on writing.",
        "Close it first, export what it is owed, then ask again.",
    ),
    "messages_in_flight": (
        "Messages of the tenant wait or have no final receipt yet; their money is still to be settled.",
        "Cancel what is scheduled and wait for the rest, at most 72 hours after the last dispatch.",
    ),
    "already_invited": (
        "Somebody with this e-mail address may sign in to the console already, for another tenant.",
        "Invite another address.",
    ),
    "balance_not_zero": (
        "The pricing changes only while balance and holds are zero: a dollar has no price in credits.",
        "Wait for the holds to end, adjust the balance to zero, then change the plan.",
    ),
    "balance_too_large": (
        "The ledger does not count that high.",
        "Check the amount: dollars are written as decimals, not in cents or micros.",
    ),
    "correction_above_charge": (
        "A correction of a message gives back at most what it was charged, less what was given back before.",
        "Correct by less, or without naming the message: that is the platform's own money.",
    ),
    "fee_charged": (
        "Only a fee that is still open can be waived; what is in the ledger stays there.",
        "Give it back by a correction, with the reason for it.",
    ),
    "template_state": (
        (
            "A version goes from draft to submitted to approved or rejected, and never back. Of several that "
            "wait, none is decided on without its number."
        ),
        "Read the template; name the `version` that was read, or write a new one where it was decided on.",
    ),
    "newer_version_approved": (
        "Approving this one would take the newer one out of force.",
        "Approve with `keep_older`, or write the wording as a new version.",
    ),
    "webhook_url_refused": (
        "Webhook targets are public addresses; this one is private, reserved, or not a plain URL.",
        "Use a public https URL.",
    ),
    "cursor_expired": (
        (
            "The feed keeps 30 days of events. This cursor stands before them, so events in between are not "
            "listed any more, and going on in silence would hide that."
        ),
        "Begin again without `after`, or with `since`, and read from `GET /v1/messages` what you missed.",
    ),
    "webhook_endpoint_disabled": (
        "Nothing is sent to a disabled endpoint.",
        'Enable it: PATCH it with `{"state": "enabled"}`.',
    ),
    "message_not_cancelable": (
        "Only a scheduled or queued message can be canceled; this one was handed over or is final.",
        "Nothing: its outcome is in GET /v1/messages/{id}.",
    ),
    "feedback_not_requested": (
        "AWS counts feedback only for messages whose send asked for it, and this one's did not.",
        "Send with `feedback: true` what you will report on.",
    ),
    "feedback_closed": (
        (
            "Feedback counts within one hour of `dispatched_at`. The message was not spoken of by then, or "
            "otherwise, and stands as it is."
        ),
        "Report as soon as the person used the message; read `feedback` for what it counts as.",
    ),
    "keyword_reserved": (
        (
            "STOP, HELP, JOIN and their words in other languages cannot be deleted or renamed, and no "
            "keyword may begin with a word that stops: every person may rely on it."
        ),
        "Choose another word; to change what STOP, HELP or JOIN answer, set their texts.",
    ),
    "keyword_registered": (
        "The keyword was registered with the carriers, who audit that it does what is on file.",
        "Open a support case with AWS; when it is done the operator unlocks the keyword.",
    ),
    "two_way_not_possible": (
        "Sender ids cannot be answered, and a number without SMS takes no texts.",
        "Use a long code, 10DLC number, toll-free number or short code; offer opt-outs another way.",
    ),
    "carrier_managed": (
        "On a toll-free number the network answers STOP, UNSTOP and START and blocks by itself.",
        "Leave `opt_outs` at `managed`; the gateway follows what people text there.",
    ),
    "no_protect_configuration": (
        "The request means the tenant's default protect configuration, and there is none.",
        "`POST /v1/protect/configurations`; the first one is the default.",
    ),
    "protect_locked": (
        "The operator locked the configuration: its rules and overrides are the operator's to change.",
        "Ask the operator, or make a configuration of your own and name it in the request.",
    ),
    "protect_in_use": (
        "The protect configuration is the default, or a configuration set's; without it none would decide.",
        "Name the `replacement` that becomes the default, or associate another one with the set first.",
    ),
    "too_many_overrides": (
        "A tenant has at most 10,000 number overrides that have not expired, over all configurations.",
        "Delete some, or give them an expiry; a rule for the country may say the same in one line.",
    ),
    "verification_code_wrong": (
        "The code is not the one that was sent last to the number. The guess was counted.",
        "Give the newest code; after five wrong ones, `POST /v1/verified-numbers/{id}/code` sends another.",
    ),
    "verification_closed": (
        "A code is taken for 15 minutes and five guesses; either is over, or no code was sent.",
        "`POST /v1/verified-numbers/{id}/code` sends another one.",
    ),
    "verification_refused": (
        "AWS, or a quota of the account, refused; `detail` has its words. The number is not verified.",
        "Do what `detail` says. An account in AWS's sandbox has ten verified numbers at most.",
    ),
    "too_many_alarms": (
        "A tenant may have 100 alarms; each of them is measured all day.",
        "Delete one that is not needed, or let one alarm watch several countries together.",
    ),
    "too_many_webhook_endpoints": (
        "There may be 50 webhook endpoints, with those that are disabled: every event is owed to each.",
        "Remove one, or tell several systems of yours from one endpoint.",
    ),
    "too_many_codes": (
        "A number gets at most five codes a day: each costs money and rings somebody's phone.",
        "Use a code that has arrived, or wait for as long as `Retry-After` says.",
    ),
    "too_many_verified_numbers": (
        "A tenant has at most 100 verified numbers for live keys, and 100 for test keys.",
        "Delete some.",
    ),
    "pool_mismatch": (
        (
            "A pool answers as one sender: its members are in one AWS account, share its opt-out list and "
            "carry its kind of messages. `detail` names the sender that differs, and how."
        ),
        (
            "Leave the sender out, give the pool its list, or say `allow_mixed` where mixing is meant. "
            "A new sender that fits no pool: add it with `standby`, make a pool for it, and enable it."
        ),
    ),
    "plan_changed": (
        (
            "AWS, the tenant or the body differ from when the plan was made, so nothing was done. `detail` "
            "names the steps that are new or otherwise."
        ),
        "Plan again, read it, and apply that.",
    ),
    "provision_refused": (
        (
            "AWS, or a quota of the account, refused a step. The steps before it stand; a second run goes on "
            "from there."
        ),
        "Do what `detail` says and provision again.",
    ),
    "queue_refused": (
        "SQS refused the call or did not answer, or the queue has no dead-letter queue.",
        (
            "Do what `detail` says: check that the queue exists, that the account's credentials may use it, "
            "and that it has a redrive policy."
        ),
    ),
    "registration_state": (
        "What was asked does not fit where the registration is: reviewers have it, or it is decided.",
        "Read the registration; wait for the decision, or begin a new version with `POST …/versions`.",
    ),
    "registration_changed": (
        "The `edition` sent is not the present one: somebody changed the values since. Nothing was stored.",
        "Read the registration again, look at what changed, and send the values with the new `edition`.",
    ),
    "cost_not_confirmed": (
        "The next step costs money from the moment it is done; `detail` says how much and for what.",
        "Confirm with `POST …/confirm-cost` and the amounts shown, then ask again.",
    ),
    "registration_not_compliant": (
        "The linter found what reviewers refuse; `errors` names each field, what is wrong and the fix.",
        "Change the fields; `POST /v1/registrations/lint` checks a draft without storing anything.",
    ),
    "attachment_refused": (
        "The file is too large, of another kind, broken, encrypted, or more than it seems.",
        "Attach a plain PDF, JPEG or PNG of at most 500 KB; print it to a new PDF if in doubt.",
    ),
    "live_key_required": (
        (
            "A test key reaches neither carriers nor AWS, and ends no live key: registrations and senders "
            "cost money and go to real reviewers."
        ),
        "Fill, lint and read with any key; prepare, confirm, submit, provision and go live with a live one.",
    ),
    "envelope_rejected": (
        (
            "The signature, certificate, topic or age of the envelope is wrong, or it is no envelope at all. "
            "Nothing was stored."
        ),
        "Only Amazon SNS posts here, for topics that the operator registered.",
    ),
    "internal_error": (
        (
            "An error nobody expected. It is logged under the request id in `instance`. A POST with an "
            "Idempotency-Key can be repeated safely."
        ),
        "Repeat the request with the same Idempotency-Key; report the request id if it happens again.",
    ),
    "unavailable": (
        (
            "A store the answer depends on does not answer, so nothing was accepted: a 202 is only given for "
            "what is on disk."
        ),
        "Send again after Retry-After with the same Idempotency-Key.",
    ),
    "overloaded": (
        "The bounded line in front of the database is full, so nothing was accepted.",
        "Send again after Retry-After with the same Idempotency-Key.",
    ),
}
"""By code: one paragraph that says what happened, and one sentence that says what to do."""
