"""What people do: recipients who write, reviewers who decide."""

from typing import Any

import msgspec

from gateway.emulator.control.refusal import Refusal
from gateway.emulator.inbound import Inbound, UnknownRecipientError, receive
from gateway.emulator.reviews import UNDER_REVIEW, Decision
from gateway.emulator.state.registration_records import Registration
from gateway.emulator.world import World


def receive_inbound(world: World, body: bytes) -> dict[str, Any]:
    """Take in a message from a recipient."""
    try:
        message = receive(world, msgspec.json.decode(body, type=Inbound))
    except UnknownRecipientError as unknown:
        raise Refusal(str(unknown)) from unknown
    return {"inbound_message_id": message.id, "keyword": message.keyword, "topic_arn": message.topic_arn}


def decide_review(world: World, body: bytes) -> dict[str, Any]:
    """Decide about a registration."""
    decision = msgspec.json.decode(body, type=Decision)
    for store in world.stores.all():
        registration = store.find(Registration, decision.registration_id)
        if registration is not None:
            _check(registration, decision)
            world.reviews.decide(store, registration, decision)
            return {
                "registration_id": registration.id,
                "status": registration.status,
                "version_status": registration.versions[-1].status,
            }
    raise Refusal(f"no such registration: {decision.registration_id}")


def _check(registration: Registration, decision: Decision) -> None:
    reviewed = registration.versions[-1].status
    if decision.decision in {"approve", "deny", "require_authentication"} and reviewed not in UNDER_REVIEW:
        raise Refusal(f"the current version is {reviewed}, not under review")
    if decision.decision == "revoke" and reviewed != "APPROVED":
        raise Refusal(f"the current version is {reviewed}, not APPROVED")
