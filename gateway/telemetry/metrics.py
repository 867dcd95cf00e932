"""
What the message's road counts. Every name ends in its unit; no label ever holds an id, a number or a text.

Objects live in this module because Prometheus registers a name once per process; they are written to where
the thing happens and read only by `/metrics`.
"""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

_FAST_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SLOW_SECONDS: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0, 86400.0, 259200.0)
_BATCH_SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)

HTTP_REQUEST_SECONDS: Final = Histogram(
    "tollgate_http_request_seconds",
    "Time from the request's first byte to the answer's last, by route template.",
    ["method", "route", "status"],
    buckets=_FAST_SECONDS,
)
AUTHENTICATION_DENIALS: Final = Counter(
    "tollgate_authentication_denials_total", "Requests answered 401, by reason.", ["reason"]
)
CAPTCHA_VERDICTS: Final = Counter(
    "tollgate_captcha_verdicts_total",
    "Forms that a CAPTCHA's provider was asked of.",
    ["provider", "verdict"],
)

MESSAGES_ACCEPTED: Final = Counter(
    "tollgate_messages_accepted_total", "Messages committed and answered 202.", ["type"]
)
MESSAGES_REFUSED: Final = Counter(
    "tollgate_messages_refused_total", "Sends refused before anything was stored, by gate.", ["gate"]
)
INTAKE_BATCH_MESSAGES: Final = Histogram(
    "tollgate_intake_batch_messages", "Sends that shared one commit.", buckets=_BATCH_SIZES
)
INTAKE_COMMIT_SECONDS: Final = Histogram(
    "tollgate_intake_commit_seconds", "Time of one group commit.", buckets=_FAST_SECONDS
)
INTAKE_WAITING_MESSAGES: Final = Gauge(
    "tollgate_intake_waiting_messages", "Sends in line for a commit in this process."
)

CLOCK_AHEAD_SECONDS: Final = Gauge(
    "tollgate_clock_ahead_seconds",
    "How far this machine's clock is ahead of Postgres's, by which all processes go; negative behind.",
)

FEED_BEHIND_SECONDS: Final = Gauge(
    "tollgate_feed_behind_seconds",
    "How old the youngest event is that the pull feed may list; an open transaction holds it back.",
)

PUMPING_SUSPECTED: Final = Counter(
    "tollgate_pumping_suspected_total",
    "Prefixes whose traffic looked like pumping, by rule and whether it is refused.",
    ["rule", "enforced"],
)
PUMPING_SUSPICIONS: Final = Gauge(
    "tollgate_pumping_suspicions_countries",
    "Tenants' countries whose traffic is unusual and watched more closely, as of the last round.",
)

DISPATCH_OUTCOMES: Final = Counter(
    "tollgate_dispatch_outcomes_total",
    "Attempts by outcome: sent, not_sent, refused, unknown, expired, not_opened.",
    ["route", "outcome"],
)
DISPATCH_CALL_SECONDS: Final = Histogram(
    "tollgate_dispatch_call_seconds", "Time of one call to the carrier.", ["route"], buckets=_FAST_SECONDS
)
DISPATCH_IN_FLIGHT_CALLS: Final = Gauge(
    "tollgate_dispatch_in_flight_calls", "Calls to the carrier under way in this process.", ["route"]
)
FAIL_OVERS: Final = Counter(
    "tollgate_fail_overs_total", "Messages moved to another sender, by what was to blame.", ["blame"]
)
ILL_SUBJECTS: Final = Gauge(
    "tollgate_ill_subjects", "Senders and routes that are not healthy, by kind and state.", ["kind", "state"]
)
ROUTE_CREDENTIALS: Final = Gauge(
    "tollgate_route_credentials", "1 while the route has credentials to sign with, else 0.", ["route"]
)
QUEUE_WAIT_SECONDS: Final = Histogram(
    "tollgate_queue_wait_seconds", "Time from accept to hand-over.", ["type"], buckets=_SLOW_SECONDS
)
MESSAGES_QUARANTINED: Final = Counter(
    "tollgate_messages_quarantined_total",
    "Messages taken out of the queue because they kept ending whoever held them, by reason.",
    ["route", "reason"],
)
THROTTLE_CUTS: Final = Counter(
    "tollgate_throttle_cuts_total",
    "Times a rate was cut because the carrier throttled, by what was cut: lane, route.",
    ["route", "cut"],
)
HOLDS: Final = Counter(
    "tollgate_holds_total",
    "Times a line was stopped because its sender or account was refused, by what was stopped: flow, route.",
    ["route", "scope", "reason"],
)
ROUTE_HELD: Final = Gauge(
    "tollgate_route_held_bool",
    "1 while the carrier takes nothing of the route, as this process last heard.",
    ["route"],
)
LANE_BACKLOG_PARTS: Final = Gauge(
    "tollgate_lane_backlog_parts",
    "Message parts that wait, by route, destination country and priority; every scheduler shows the same.",
    ["route", "country", "priority"],
)
LANE_BACKLOG_MESSAGES: Final = Gauge(
    "tollgate_lane_backlog_messages", "Messages that wait.", ["route", "country", "priority"]
)
LANE_DRAIN_SECONDS: Final = Gauge(
    "tollgate_lane_drain_seconds",
    "Time until the lane that takes longest has drained, at the slowest of its gates.",
    ["route", "country", "priority"],
)
LANE_OLDEST_SECONDS: Final = Gauge(
    "tollgate_lane_oldest_seconds",
    "How long the oldest message has been ready to leave.",
    ["route", "country", "priority"],
)
DISPATCH_STATIC: Final = Gauge(
    "tollgate_dispatch_static_bool",
    "1 while this process dispatches the route at a static share because Redis is away.",
    ["route"],
)

BROKEN_SEALS: Final = Counter(
    "tollgate_broken_seals_total",
    "Stored values that did not open and were left empty in a search, an export or a support case.",
)
BOOK_CHECKS: Final = Counter(
    "tollgate_book_checks_total",
    "Scheduled proofs that ledger, balances, messages, AWS's prices and usage agree: agrees, differs.",
    ["result"],
)
BOOK_DIFFERENCES: Final = Gauge(
    "tollgate_book_differences", "Differences that the last proof of the books in this process found."
)

RECEIPTS_TAKEN: Final = Counter(
    "tollgate_receipts_taken_total",
    "Bodies committed and acknowledged, by road: sns, sqs, firehose, sandbox.",
    ["road"],
)
RECEIPTS_APPLIED: Final = Counter(
    "tollgate_receipts_applied_total", "Delivery events applied to a message.", ["event_type"]
)
RECEIPTS_REJECTED: Final = Counter(
    "tollgate_receipts_rejected_total", "Posts of strangers and unreadable events, by reason.", ["reason"]
)
RECEIPTS_REPEATED: Final = Counter(
    "tollgate_receipts_repeated_total", "Delivery events that were already stored."
)
RECEIPTS_PARKED: Final = Counter(
    "tollgate_receipts_parked_total", "Authentic events that no message claimed, by reason.", ["reason"]
)
RECEIPTS_UNMAPPED: Final = Counter(
    "tollgate_receipts_unmapped_total",
    "Delivery events whose status the gateway does not know; any at all calls for a new version of it.",
)
RECEIPTS_OF_ERASED: Final = Counter(
    "tollgate_receipts_of_erased_total",
    "Delivery events of tenants that were erased: settled, and stored without what names a person.",
)
RECEIPTS_JOINED: Final = Counter(
    "tollgate_receipts_joined_total", "Parked delivery events whose message became known later."
)
QUEUE_LETTERS: Final = Counter(
    "tollgate_queue_letters_total",
    "Messages of SQS queues by what became of them: stored, refused, repeated_later.",
    ["outcome"],
)
QUEUE_IN_HAND_LETTERS: Final = Gauge(
    "tollgate_queue_in_hand_letters", "Messages of SQS queues in hand in this process, not yet deleted."
)
QUEUE_POLL_FAILURES: Final = Counter(
    "tollgate_queue_poll_failures_total", "Calls to SQS that failed, by call.", ["call"]
)
RECEIPT_BATCH_EVENTS: Final = Histogram(
    "tollgate_receipt_batch_events", "Events that shared one commit.", buckets=_BATCH_SIZES
)
RECEIPT_COMMIT_SECONDS: Final = Histogram(
    "tollgate_receipt_commit_seconds", "Time of one commit of receipts.", buckets=_FAST_SECONDS
)
RECEIPT_LAG_SECONDS: Final = Histogram(
    "tollgate_receipt_lag_seconds", "Time from the event at AWS to its commit here.", buckets=_SLOW_SECONDS
)

INBOUND_TEXTS: Final = Counter(
    "tollgate_inbound_texts_total",
    "Texts that came in, by what they did: opt_out, opt_in, help, reply, no_keyword, repeated, "
    "no_such_number, tenant_erased, unreadable, not_taken_in.",
    ["outcome"],
)
AUTO_REPLIES: Final = Counter(
    "tollgate_auto_replies_total",
    "Automatic replies by what they answer and whether they were sent.",
    ["kind", "outcome"],
)

WEBHOOK_ATTEMPTS: Final = Counter(
    "tollgate_webhook_attempts_total",
    "Posts to tenants' endpoints by outcome: delivered, failed, exhausted, disabled.",
    ["outcome"],
)
WEBHOOK_RESULTS_REFUSED: Final = Counter(
    "tollgate_webhook_results_refused_total",
    "Outcomes of posts that Postgres refused to keep; their deliveries are posted again.",
)
WEBHOOKS_UNREADABLE: Final = Counter(
    "tollgate_webhooks_unreadable_total",
    "Deliveries that were given up because the body could not be made of what is stored.",
)
WEBHOOK_PAUSES: Final = Counter(
    "tollgate_webhook_pauses_total",
    "Times an endpoint was left alone for a while, by reason: asked, failing.",
    ["reason"],
)
WEBHOOK_ATTEMPT_SECONDS: Final = Histogram(
    "tollgate_webhook_attempt_seconds", "Time of one post to an endpoint.", buckets=_FAST_SECONDS
)

ALARM_CHANGES: Final = Counter(
    "tollgate_alarm_changes_total", "Alarms that were raised or cleared, by metric.", ["metric", "change"]
)
