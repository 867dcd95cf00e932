"""
Messages from recipients: keywords, opt-outs, automatic replies, and the two-way channel.

The settings that count are those of the number's pool, if it is in one. STOP to a toll-free number is kept by
the carrier network; no opt-out list hears of it.
"""

import uuid

import msgspec

from gateway.emulator.call import Call
from gateway.emulator.carrier.countries import country_of, e164
from gateway.emulator.keyword_rules import matched
from gateway.emulator.operations.keywords import keywords_in_force
from gateway.emulator.operations.messages import reply
from gateway.emulator.operations.opt_out_lists import opt_out
from gateway.emulator.state.records import Keyword, NetworkOptOut, OptedOutNumber, PhoneNumber, Pool
from gateway.emulator.state.store import Store
from gateway.emulator.state.traffic_records import InboundMessage
from gateway.emulator.world import World

RESUME_WORDS = frozenset({"START", "UNSTOP", "YES"})
"""What lifts a network opt-out of a toll-free number."""


class Inbound(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"sender": "from"}
):
    """What ``POST /_emulator/inbound`` takes."""

    sender: str
    to: str
    body: str


class UnknownRecipientError(Exception):
    """No account has the number that was written to."""


def receive(world: World, inbound: Inbound) -> InboundMessage:
    """Take in a message from a recipient and let it have its effects."""
    store, number = _addressed(world, inbound.to)
    owner = store.find(Pool, number.pool_id) if number.pool_id else None
    settings: PhoneNumber | Pool = owner or number
    call = Call(world, store, "Inbound", {})
    sender = e164(inbound.sender)
    hit = matched(inbound.body, keywords_in_force(call, settings).values())
    world.stats.inbound_received += 1
    message = InboundMessage(
        scope=store.scope,
        id=str(uuid.uuid4()),
        sender=sender,
        recipient=number.number,
        body=inbound.body,
        at_ms=world.clock.now_ms(),
        keyword=hit.keyword if hit else inbound.body.split(maxsplit=1)[0] if inbound.body.strip() else "",
        topic_arn=settings.channel_arn if settings.two_way else None,
        previous_message_id=_previous(world, store, number.number, sender),
    )
    store.put(message)
    if number.number_type == "TOLL_FREE":
        _note_network(store, number, sender, inbound.body)
    elif hit is not None and not settings.self_managed:
        _follow(call, hit, settings, number, sender)
    publish(world, store, message)
    return message


def publish(world: World, store: Store, message: InboundMessage) -> None:
    """Publish an inbound message to its two-way topic."""
    if message.topic_arn is None or message.published:
        return

    def published() -> None:
        message.published = True
        store.put(message)
        world.journal.flush()

    previous = message.previous_message_id
    record = {
        "originationNumber": message.sender,
        "destinationNumber": message.recipient,
        "messageKeyword": message.keyword,
        "messageBody": message.body,
        "inboundMessageId": message.id,
        **({"previousPublishedMessageId": previous} if previous else {}),
    }
    text = msgspec.json.encode(record).decode()
    world.publisher.publish(store, message.topic_arn, text, message.id, published)


def resume(world: World) -> None:
    """Publish what a previous run took in and did not publish."""
    for store in world.stores.all():
        for message in store.all(InboundMessage):
            publish(world, store, message)


def _addressed(world: World, to: str) -> tuple[Store, PhoneNumber]:
    wanted = to.lstrip("+")
    for store in world.stores.all():
        for number in store.grouped(PhoneNumber, wanted):
            return store, number
    raise UnknownRecipientError(f"no account has the number {to}")


def _previous(world: World, store: Store, number: str, recipient: str) -> str | None:
    """Return the last message that this number sent to this person."""
    for owner, message in reversed(world.traffic.messages()):
        if owner is store and message.destination == recipient and message.origination == number:
            return message.id
    return None


def _note_network(store: Store, number: PhoneNumber, sender: str, body: str) -> None:
    words = body.upper().split()
    key = f"{number.number}/{sender}"
    known = store.find(NetworkOptOut, key)
    if words[:1] == ["STOP"]:
        store.put(NetworkOptOut(scope=store.scope, number=number.number, recipient=sender))
    elif known is not None and words and words[0] in RESUME_WORDS:
        store.remove(known)


def _follow(
    call: Call, keyword: Keyword, settings: PhoneNumber | Pool, number: PhoneNumber, sender: str
) -> None:
    listed = call.store.find(OptedOutNumber, f"{settings.opt_out_list}/{sender}")
    if keyword.action == "OPT_OUT":
        opt_out(call, settings.opt_out_list, sender, by_recipient=True)
    elif keyword.action == "OPT_IN" and listed is not None:
        call.store.remove(listed)
    if country_of(sender) is not None:
        reply(call, number, sender, keyword.message)
