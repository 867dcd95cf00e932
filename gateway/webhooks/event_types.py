"""What a tenant can be told about, by name. The list is a promise: names are added, never changed."""

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
    "sender.swapped",
    "credits.low",
    "credits.top_up_requested",
    "spend.threshold",
    "pumping.suspected",
    "webhook_endpoint.disabled",
    "onboarding.step_changed",
]

EVENT_TYPES: Final[tuple[EventType, ...]] = get_args(EventType)

DESCRIPTIONS: Final[dict[EventType, str]] = {
    "message.queued": "A message was accepted and waits for its turn, or its send time has come.",
    "message.sent": "AWS took the message and hands it to a carrier.",
    "message.delivered": "The phone, or its carrier on the phone's behalf, confirmed the message.",
    "message.undelivered": "The carrier or the phone refused the message; status_reason says why.",
    "message.failed": "AWS never took the message; nothing was charged.",
    "message.expired": "The message's time to live ended before it could be handed over.",
    "message.canceled": "The message was canceled before it left.",
    "message.unknown": "72 hours passed without a final answer; a late one will still be reported.",
    "message.rerouted": "A message waits in another sender's line; `rerouted` says why.",
    "message.feedback": "You reported whether the person received or used the message.",
    "inbound.received": "A person sent a text to one of your numbers.",
    "opt_out.created": "A number may no longer be messaged.",
    "opt_out.removed": "A number may be messaged again.",
    "template.approved": "A template version may now be sent.",
    "template.rejected": "A template version was refused; the reason is in the data.",
    "registration.status_changed": "A number or sender registration moved to another state.",
    "sender.swapped": "A sender was put out of use and its standby sends in its place.",
    "credits.low": "The balance fell to 50, 20 or 10 % of the last top-up, or is empty.",
    "credits.top_up_requested": "The balance is below the level at which your plan asks for a top-up.",
    "spend.threshold": "Spending reached 50, 80 or 100 % of a monthly budget.",
    "pumping.suspected": "Messages to a prefix look like SMS pumping; the rule and the end are in the data.",
    "webhook_endpoint.disabled": "An endpoint of yours is no longer called; the reason is in the data.",
    "onboarding.step_changed": "A step of your onboarding was completed, reopened or needs you.",
}
