"""Sends: text, media and voice messages, and the feedback on them."""

from typing import Any

from gateway.emulator.call import Call
from gateway.emulator.carrier.countries import country_of, e164, simulator_numbers
from gateway.emulator.carrier.event_record import UNPAID
from gateway.emulator.carrier.life import Road, draw_outcome, draw_steps, with_faults
from gateway.emulator.carrier.media import media_failure
from gateway.emulator.carrier.parts import Sizing, sizing
from gateway.emulator.carrier.profiles import MEDIA_PRICE_FACTOR, VOICE_PRICE_MICROS, Profile
from gateway.emulator.carrier.spend import spend
from gateway.emulator.errors import not_found, validation
from gateway.emulator.operations.draft import Draft
from gateway.emulator.operations.ids import message_id
from gateway.emulator.operations.lookups import Identity, identity, required
from gateway.emulator.operations.send_checks import month_of, pass_checks
from gateway.emulator.state.records import ConfigurationSet, NetworkOptOut, PhoneNumber, SenderId
from gateway.emulator.state.traffic_records import Message

LONGEST_SPOKEN_TEXT = 3000
"""Characters of plain text in a call; SSML may have 6000."""

DEFAULT_TTL_S = 259_200
FEEDBACK_WINDOW_MS = 3_600_000.0
"""Feedback that is not given within an hour counts as FAILED."""

ONE_PART = Sizing("GSM", 1, too_long=False)


def send_text_message(call: Call) -> dict[str, Any]:
    """Send an SMS."""
    body: str | None = call.input.get("MessageBody")
    if body is None:
        raise validation("MISSING_PARAMETER", "MessageBody is required", "MessageBody")
    return _send(call, "TEXT", body, sizing(body))


def send_media_message(call: Call) -> dict[str, Any]:
    """Send an MMS."""
    body: str = call.input.get("MessageBody", "")
    if not call.input.get("MediaUrls") and not body:
        raise validation("MISSING_PARAMETER", "MediaUrls or MessageBody is required", "MediaUrls")
    return _send(call, "MEDIA", body, ONE_PART)


def send_voice_message(call: Call) -> dict[str, Any]:
    """Read a text to someone over the phone."""
    body: str | None = call.input.get("MessageBody")
    if body is None:
        raise validation("MISSING_PARAMETER", "MessageBody is required", "MessageBody")
    if call.input.get("MessageBodyTextType", "TEXT") == "TEXT" and len(body) > LONGEST_SPOKEN_TEXT:
        raise validation("MAXIMUM_SIZE_EXCEEDED", "Plain text is limited to 3000 characters", "MessageBody")
    return _send(call, "VOICE", body, ONE_PART)


def put_message_feedback(call: Call) -> dict[str, Any]:
    """Say whether a message did its job."""
    wanted: str = call.input["MessageId"]
    message = call.store.find(Message, wanted)
    if message is None:
        raise not_found("message", wanted)
    if not message.feedback:
        raise validation("INVALID_REQUEST", "Feedback is not enabled for the message", "MessageId")
    repeated = message.feedback_status is not None
    if repeated and call.world.options.behaviour.feedback_repeat == "conflict":
        raise validation("INVALID_REQUEST", "Feedback was given before", "MessageId")
    if call.world.clock.now_ms() - message.accepted_ms <= FEEDBACK_WINDOW_MS:
        message.feedback_status = call.input["MessageFeedbackStatus"]
        call.store.put(message)
    return {"MessageId": wanted, "MessageFeedbackStatus": call.input["MessageFeedbackStatus"]}


def reply(call: Call, number: PhoneNumber, destination: str, text: str) -> Message:
    """Send an automatic reply from a number, past every check: opt-out confirmations must arrive."""
    draft = _draft(call, "TEXT", text, sizing(text), destination=destination)
    draft.sender = number
    message = _message(call, draft)
    message.automatic = True
    call.world.traffic.accept(call.store, message)
    return message


def send_verification(call: Call, destination: str, text: str, channel: str) -> Message:
    """Send a verification code; the sandbox does not stand in its way."""
    size = sizing(text) if channel == "TEXT" else ONE_PART
    draft = _draft(call, channel, text, size, destination=destination)
    pass_checks(call, draft, sandbox=False)
    return accept(call, draft)


def _send(call: Call, channel: str, body: str, size: Sizing) -> dict[str, Any]:
    draft = _draft(call, channel, body, size)
    pass_checks(call, draft)
    message = accept(call, draft)
    if message.dry_run and not call.world.options.behaviour.dry_run_message_id:
        return {}
    return {"MessageId": message.id}


def _draft(call: Call, channel: str, body: str, size: Sizing, destination: str | None = None) -> Draft:
    request = call.input
    destination = e164(destination or request["DestinationPhoneNumber"])
    country = country_of(destination)
    if country is None:
        raise validation(
            "INVALID_PARAMETER", "The destination is not a phone number", "DestinationPhoneNumber"
        )
    named_set = request.get("ConfigurationSetName")
    owner = required(call, ConfigurationSet, named_set, "ConfigurationSetName") if named_set else None
    named = request.get("OriginationIdentity")
    found = identity(call, named, country) if named else None
    if channel != "TEXT" and isinstance(found, SenderId):
        raise validation("INVALID_PARAMETER", "Sender IDs only send text messages", "OriginationIdentity")
    price_micros, fee_micros = _price(channel, size.parts, call.world.profiles.of(country))
    return Draft(
        channel=channel,
        destination=destination,
        country=country,
        body=body,
        sizing=size,
        message_type=_message_type(request, owner, found),
        configuration_set=owner,
        identity=found,
        price_micros=price_micros,
        fee_micros=fee_micros,
    )


def _message_type(request: dict[str, Any], owner: ConfigurationSet | None, found: Identity | None) -> str:
    if "MessageType" in request:
        return str(request["MessageType"])
    if owner is not None and owner.default_message_type is not None:
        return owner.default_message_type
    return "TRANSACTIONAL" if found is None or isinstance(found, SenderId) else found.message_type


def _price(channel: str, parts: int, profile: Profile) -> tuple[int, int]:
    if channel == "VOICE":
        return VOICE_PRICE_MICROS, 0
    factor = MEDIA_PRICE_FACTOR if channel == "MEDIA" else parts
    return profile.price_micros * factor, profile.fee_micros * factor


def accept(call: Call, draft: Draft) -> Message:
    """Turn a draft that passed every check into a message on its way."""
    world = call.world
    message = _message(call, draft)
    world.truth_log.accepted(message)
    receipts = world.faults.faults.receipts
    early = receipts.before_response and not message.dry_run and message.configuration_set is not None
    world.traffic.accept(call.store, message, hold=early)
    if early:
        call.before_answer.append(world.traffic.settle_now(call.store, message))
    if not message.dry_run:
        spend(
            call.store,
            draft.channel,
            month_of(call.now_s),
            0 if message.outcome in UNPAID else draft.price_micros + draft.fee_micros,
        )
    return message


def _message(call: Call, draft: Draft) -> Message:
    world, request = call.world, call.input
    profile = world.profiles.of(draft.country)
    dice = world.traffic.dice_for(draft.destination)
    operator = profile.operators[dice.below(len(profile.operators))]
    pumping = world.pumping.suspects(draft.destination, world.clock.now_ms())
    drawn = draw_outcome(profile, dice)
    outcome = _outcome(call, draft, drawn, pumping=pumping)
    ttl_s: int = request.get("TimeToLive", DEFAULT_TTL_S)
    road = Road(
        channel=draft.channel,
        outcome=outcome,
        ttl_s=ttl_s,
        latency_scale=world.options.latency_scale,
        final_success_rate=world.options.behaviour.final_success_rate,
    )
    life = draw_steps(road, profile, dice)
    owner = draft.configuration_set
    default_feedback = owner.default_feedback if owner else False
    return Message(
        scope=call.store.scope,
        id=message_id(),
        channel=draft.channel,
        destination=draft.destination,
        body=draft.body,
        accepted_ms=world.clock.now_ms(),
        country=draft.country,
        origination=draft.origination,
        identity=request.get("OriginationIdentity"),
        message_type=draft.message_type,
        encoding=draft.sizing.encoding,
        parts=draft.sizing.parts,
        price_micros=draft.price_micros,
        fee_micros=draft.fee_micros,
        steps=with_faults(life, world.faults.faults.receipts, dice),
        outcome=life[-1].status,
        operator=operator.name,
        mcc=operator.mcc,
        mnc=operator.mnc,
        configuration_set=owner.name if owner else None,
        context=request.get("Context", {}),
        country_parameters=request.get("DestinationCountryParameters", {}),
        media_urls=request.get("MediaUrls", []),
        protect_id=draft.protect_id,
        protect_status=draft.protect_status,
        pumping=pumping,
        feedback=request.get("MessageFeedbackEnabled", default_feedback),
        dry_run=request.get("DryRun", False),
        ttl_s=ttl_s,
        max_price=request.get("MaxPrice", request.get("MaxPricePerMinute")),
        keyword=request.get("Keyword"),
    )


def _outcome(call: Call, draft: Draft, drawn: str, *, pumping: bool) -> str:
    """Return how the message ends: what is fixed by rule comes before what was drawn."""
    return _refused_by_aws(call, draft, pumping=pumping) or _fixed_by_carrier(call, draft) or drawn


def _refused_by_aws(call: Call, draft: Draft, *, pumping: bool) -> str | None:
    if draft.sizing.too_long and call.world.options.behaviour.long_body == "invalid_message":
        return "INVALID_MESSAGE"
    if draft.protect_status == "FILTER" and pumping and draft.channel == "TEXT":
        return "PROTECT_BLOCKED"
    return media_failure(call.input.get("MediaUrls", []), call.world.objects)


def _fixed_by_carrier(call: Call, draft: Draft) -> str | None:
    if _blocked_by_network(call, draft):
        return "BLOCKED"
    simulated = simulator_numbers().get(draft.destination)
    if simulated is not None:
        return "DELIVERED" if simulated[1] else "BLOCKED"
    return "CARRIER_BLOCKED" if call.world.options.strict and _lacks_dlt(call, draft) else None


def _blocked_by_network(call: Call, draft: Draft) -> bool:
    if not isinstance(draft.sender, PhoneNumber):
        return False
    return call.store.find(NetworkOptOut, f"{draft.sender.number}/{draft.destination}") is not None


def _lacks_dlt(call: Call, draft: Draft) -> bool:
    """Indian carriers reject a sender id's text without its registered entity and template."""
    registered = {"IN_ENTITY_ID", "IN_TEMPLATE_ID"}
    given = call.input.get("DestinationCountryParameters", {})
    return draft.country == "IN" and isinstance(draft.sender, SenderId) and not registered <= given.keys()


OPERATIONS = {
    "SendTextMessage": send_text_message,
    "SendMediaMessage": send_media_message,
    "SendVoiceMessage": send_voice_message,
    "PutMessageFeedback": put_message_feedback,
}
