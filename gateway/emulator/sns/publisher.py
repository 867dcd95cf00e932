"""Publishing to topics, and asking endpoints to confirm that they want what is published."""

import asyncio
import hashlib
import uuid
from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec

from gateway.emulator.clock import VirtualClock
from gateway.emulator.sns.courier import Courier, Parcel
from gateway.emulator.sns.delivery_policy import policy_of
from gateway.emulator.sns.envelopes import EnvelopeWriter
from gateway.emulator.state.sns_records import Subscription, Topic
from gateway.emulator.state.store import Store
from gateway.emulator.stats import Stats

CONFIRMATION_TRIES = 150
CONFIRMATION_LONGEST_WAIT_S = 5.0
"""An endpoint that is not up yet is asked again for about twelve minutes."""


class Publisher:
    """Publishes messages to the subscriptions of topics."""

    def __init__(
        self,
        writer: EnvelopeWriter,
        courier: Courier,
        clock: VirtualClock,
        stats: Stats,
        sqs_endpoint: str | None,
    ) -> None:
        self._writer = writer
        self._courier = courier
        self._clock = clock
        self._stats = stats
        self._sqs_endpoint = sqs_endpoint

    def publish(
        self, store: Store, topic_arn: str, message: str, message_id: str, done: Callable[[], None]
    ) -> None:
        """
        Publish a message to every confirmed subscription of a topic.

        Args:
            store: Who owns the topic.
            topic_arn: A topic that is gone delivers nothing.
            message: The text inside the envelope.
            message_id: Stays the same over retries.
            done: Called once every subscription has it or was given up.
        """
        topic = store.find(Topic, topic_arn)
        takers = [each for each in store.grouped(Subscription, topic_arn) if each.confirmed]
        if topic is None or not takers:
            done()
            return
        self._stats.events_published += len(takers)
        landing = _Landing(len(takers), self._stats, done)
        envelope = (
            {}
            if all(taker.raw for taker in takers)
            else self._writer.notification(topic, message_id, message, self._clock.wall_ms())
        )
        for taker in takers:
            if taker.protocol == "sqs" and self._sqs_endpoint is None:
                landing.landed(arrived=False)
                continue
            body = message.encode() if taker.raw else self._writer.addressed(envelope, taker)
            self._courier.send(self._parcel(taker, "Notification", message_id, body, landing.landed))

    def confirm(self, store: Store, subscription: Subscription) -> None:
        """Ask a subscription's endpoint to confirm, again and again while it cannot be reached."""
        self._ask(store, subscription, 1)

    def _ask(self, store: Store, subscription: Subscription, attempt: int) -> None:
        topic = store.find(Topic, subscription.topic_arn)
        current = store.find(Subscription, subscription.arn)
        if topic is None or current is None or current.confirmed:
            return
        self._stats.confirmations_sent += 1
        message_id = str(uuid.uuid4())
        body = self._writer.confirmation(topic, subscription, message_id, self._clock.wall_ms())

        def landed(arrived: bool) -> None:
            if not arrived and attempt < CONFIRMATION_TRIES:
                wait_s = min(CONFIRMATION_LONGEST_WAIT_S, 0.1 * 2.0 ** min(attempt, 10))
                asyncio.get_running_loop().call_later(wait_s, self._ask, store, subscription, attempt + 1)

        parcel = self._parcel(subscription, "SubscriptionConfirmation", message_id, body, landed)
        parcel.retried_by_sender = True
        self._courier.send(parcel)

    def _parcel(
        self, taker: Subscription, kind: str, message_id: str, body: bytes, done: Callable[[bool], None]
    ) -> Parcel:
        if taker.protocol == "sqs" and self._sqs_endpoint is not None:
            return sqs_parcel(taker, body, self._sqs_endpoint, done)
        headers = {
            "Content-Type": "text/plain; charset=UTF-8",
            "User-Agent": "Amazon Simple Notification Service Agent",
            "x-amz-sns-message-type": kind,
            "x-amz-sns-message-id": message_id,
            "x-amz-sns-topic-arn": taker.topic_arn,
        }
        if kind == "Notification":
            headers["x-amz-sns-subscription-arn"] = taker.arn
            if taker.raw:
                headers["x-amz-sns-rawdelivery"] = "true"
        return Parcel(taker.endpoint, headers, body, done, policy=policy_of(taker.attributes))


class _Landing:
    """Counts the copies of one message home."""

    def __init__(self, copies: int, stats: Stats, done: Callable[[], None]) -> None:
        self._copies = copies
        self._stats = stats
        self._done = done

    def landed(self, arrived: bool) -> None:
        if arrived:
            self._stats.events_delivered += 1
        else:
            self._stats.events_failed += 1
        self._copies -= 1
        if self._copies == 0:
            self._done()


def stable_message_id(*parts: str) -> str:
    """Return a message id fixed by what it is for, so that it survives retries and restarts."""
    return str(uuid.UUID(bytes=hashlib.blake2b("\x1f".join(parts).encode(), digest_size=16).digest()))


class AwsCall(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a JSON-protocol AWS API."""

    region: str
    service: str
    target: str
    json_version: str
    members: dict[str, object]


def sqs_parcel(taker: Subscription, body: bytes, root: str, done: Callable[[bool], None]) -> Parcel:
    """Return the SendMessage call that puts a body into the subscribed queue."""
    _, _, _, region, account, queue = taker.endpoint.split(":", 5)
    call = AwsCall(
        region=region,
        service="sqs",
        target="AmazonSQS.SendMessage",
        json_version="1.0",
        members={"QueueUrl": f"{root}/{account}/{queue}", "MessageBody": body.decode()},
    )
    return aws_parcel(root, call, done)


def aws_parcel(root: str, call: AwsCall, done: Callable[[bool], None]) -> Parcel:
    """Return a call as a parcel; its signature is a placeholder that only emulators take."""
    scope = f"emulator/20260101/{call.region}/{call.service}/aws4_request"
    headers = {
        "Content-Type": f"application/x-amz-json-{call.json_version}",
        "X-Amz-Target": call.target,
        "X-Amz-Date": "20260101T000000Z",
        "Host": urlsplit(root).netloc,
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
    }
    return Parcel(root + "/", headers, msgspec.json.encode(call.members), done)
