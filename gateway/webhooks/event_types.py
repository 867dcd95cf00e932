"""
What a tenant can be told about, by name. The list is a promise: names are added, never changed.

`docs/how-to/webhooks.md` says what each means.
"""

from typing import Final, Literal, get_args

EventType = Literal[
    "message.queued",
    "message.sent",
    "message.delivered",
    "message.undelivered",
    "message.failed",
    "message.expired",
    "message.canceled",
    "message.unknown",
    "message.rerouted",
    "message.feedback",
    "inbound.received",
    "opt_out.created",
    "opt_out.removed",
    "template.approved",
    "template.rejected",
    "registration.status_changed",
    "short_code.stage_changed",
    "sender.swapped",
    "credits.low",
    "credits.top_up_requested",
    "spend.threshold",
    "pumping.suspected",
    "alarm.raised",
    "alarm.cleared",
    "webhook_endpoint.disabled",
    "onboarding.step_changed",
]

EVENT_TYPES: Final[tuple[EventType, ...]] = get_args(EventType)
