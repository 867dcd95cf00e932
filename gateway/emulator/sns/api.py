"""The actions of SNS that an application of this service needs."""

import re
import secrets
import uuid
from collections.abc import Callable
from typing import TypeVar

import msgspec

from gateway.emulator.clock import VirtualClock
from gateway.emulator.sns.delivery_policy import policy_of
from gateway.emulator.sns.publisher import Publisher
from gateway.emulator.sns.query_wire import Fields, QueryError, element, entries_xml, result_xml
from gateway.emulator.state.journal import Journal
from gateway.emulator.state.sns_records import Subscription, Topic
from gateway.emulator.state.store import Store
from gateway.emulator.wire import whole

T = TypeVar("T", Topic, Subscription)

TOPIC_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}(\.fifo)?")
QUEUE_ARN = re.compile(r"arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:[A-Za-z0-9_.-]+")
PROTOCOLS = ("http", "https", "sqs")
TOPIC_ATTRIBUTES = frozenset({"SignatureVersion", "DisplayName", "Policy", "TracingConfig", "KmsMasterKeyId"})
SUBSCRIPTION_ATTRIBUTES = frozenset({"RawMessageDelivery", "DeliveryPolicy"})
"""Attributes that change what is delivered, such as FilterPolicy, are refused rather than ignored."""

PAGE_SIZE = 100
LARGEST_MESSAGE_BYTES = 262_144


class SnsApi(msgspec.Struct, frozen=True):
    """Answers SNS actions for one account and Region."""

    store: Store
    publisher: Publisher
    clock: VirtualClock
    journal: Journal

    def answer(self, action: str, fields: Fields) -> bytes:
        """Perform an action and return its XML."""
        perform = ACTIONS.get(action)
        if perform is None:
            raise QueryError("InvalidAction", f"The action {action} is not valid for this endpoint.")
        try:
            return result_xml(action, perform(self, fields))
        finally:
            self.journal.flush()


def create_topic(api: SnsApi, fields: Fields) -> str:
    """Create a topic; one that exists is returned."""
    name = fields.required("Name")
    if TOPIC_NAME.fullmatch(name) is None:
        raise QueryError("InvalidParameter", "Invalid parameter: Topic Name")
    arn = f"arn:aws:sns:{api.store.region}:{api.store.account}:{name}"
    topic = api.store.find(Topic, arn) or Topic(scope=api.store.scope, arn=arn)
    given = fields.entries("Attributes")
    for attribute, value in given.items():
        _check_topic_attribute(attribute, value)
    topic.attributes = {**topic.attributes, **given}
    api.store.put(topic)
    return element("TopicArn", arn)


def delete_topic(api: SnsApi, fields: Fields) -> str:
    """Delete a topic with its subscriptions; one that is gone is no error."""
    topic = api.store.find(Topic, fields.required("TopicArn"))
    if topic is not None:
        for subscription in _of_topic(api, topic.arn):
            api.store.remove(subscription)
        api.store.remove(topic)
    return ""


def list_topics(api: SnsApi, fields: Fields) -> str:
    """List topics."""
    shown, following = _page(api.store.all(Topic), fields)
    members = "".join(f"<member>{element('TopicArn', topic.arn)}</member>" for topic in shown)
    return f"<Topics>{members}</Topics>{following}"


def get_topic_attributes(api: SnsApi, fields: Fields) -> str:
    """Tell a topic's attributes."""
    topic = _topic(api, fields)
    subscriptions = _of_topic(api, topic.arn)
    confirmed = sum(each.confirmed for each in subscriptions)
    return entries_xml(
        "Attributes",
        {
            "TopicArn": topic.arn,
            "Owner": api.store.account,
            "SignatureVersion": topic.signature_version,
            "SubscriptionsConfirmed": str(confirmed),
            "SubscriptionsPending": str(len(subscriptions) - confirmed),
            "SubscriptionsDeleted": "0",
            **topic.attributes,
        },
    )


def set_topic_attributes(api: SnsApi, fields: Fields) -> str:
    """Change one attribute of a topic."""
    topic = _topic(api, fields)
    name, value = fields.required("AttributeName"), fields.optional("AttributeValue")
    _check_topic_attribute(name, value)
    topic.attributes = {**topic.attributes, name: value}
    api.store.put(topic)
    return ""


def subscribe(api: SnsApi, fields: Fields) -> str:
    """Subscribe an endpoint; HTTP endpoints are asked to confirm."""
    topic = _topic(api, fields)
    protocol, endpoint = fields.required("Protocol"), fields.required("Endpoint")
    if protocol not in PROTOCOLS:
        raise QueryError(
            "InvalidParameter", f"Invalid parameter: Does not support this protocol {protocol!r}"
        )
    _check_endpoint(protocol, endpoint)
    subscription = _existing(api, topic.arn, protocol, endpoint) or Subscription(
        scope=api.store.scope,
        arn=f"{topic.arn}:{uuid.uuid4()}",
        topic_arn=topic.arn,
        protocol=protocol,
        endpoint=endpoint,
        token=secrets.token_hex(64),
        created_s=api.clock.now_s(),
        confirmed=protocol == "sqs",
    )
    given = fields.entries("Attributes")
    for name, value in given.items():
        _check_subscription_attribute(name, value)
    subscription.attributes = {**subscription.attributes, **given}
    api.store.put(subscription)
    if not subscription.confirmed:
        api.publisher.confirm(api.store, subscription)
    return element("SubscriptionArn", _shown_arn(subscription, fields))


def confirm_subscription(api: SnsApi, fields: Fields) -> str:
    """Confirm with the token that the endpoint was sent."""
    topic, token = _topic(api, fields), fields.required("Token")
    for subscription in _of_topic(api, topic.arn):
        if secrets.compare_digest(subscription.token.encode(), token.encode()):
            subscription.confirmed = True
            api.store.put(subscription)
            return element("SubscriptionArn", subscription.arn)
    raise QueryError("InvalidParameter", "Invalid parameter: Token")


def unsubscribe(api: SnsApi, fields: Fields) -> str:
    """End a subscription; one that is gone is no error."""
    subscription = api.store.find(Subscription, fields.required("SubscriptionArn"))
    if subscription is not None:
        api.store.remove(subscription)
    return ""


def list_subscriptions(api: SnsApi, fields: Fields) -> str:
    """List all subscriptions."""
    return _subscriptions_xml(api, api.store.all(Subscription), fields)


def list_subscriptions_by_topic(api: SnsApi, fields: Fields) -> str:
    """List a topic's subscriptions."""
    return _subscriptions_xml(api, _of_topic(api, _topic(api, fields).arn), fields)


def get_subscription_attributes(api: SnsApi, fields: Fields) -> str:
    """Tell a subscription's attributes."""
    subscription = _subscription(api, fields)
    return entries_xml(
        "Attributes",
        {
            "SubscriptionArn": subscription.arn,
            "TopicArn": subscription.topic_arn,
            "Protocol": subscription.protocol,
            "Endpoint": subscription.endpoint,
            "Owner": api.store.account,
            "PendingConfirmation": str(not subscription.confirmed).lower(),
            "RawMessageDelivery": "false",
            **subscription.attributes,
        },
    )


def set_subscription_attributes(api: SnsApi, fields: Fields) -> str:
    """Change one attribute of a subscription."""
    subscription = _subscription(api, fields)
    name, value = fields.required("AttributeName"), fields.optional("AttributeValue")
    _check_subscription_attribute(name, value)
    subscription.attributes = {**subscription.attributes, name: value}
    api.store.put(subscription)
    return ""


def publish(api: SnsApi, fields: Fields) -> str:
    """Publish a message to a topic."""
    topic, message = _topic(api, fields), fields.required("Message")
    if len(message.encode()) > LARGEST_MESSAGE_BYTES:
        raise QueryError("InvalidParameter", "Invalid parameter: Message too long")
    message_id = str(uuid.uuid4())
    api.publisher.publish(api.store, topic.arn, message, message_id, lambda: None)
    return element("MessageId", message_id)


def _topic(api: SnsApi, fields: Fields) -> Topic:
    topic = api.store.find(Topic, fields.required("TopicArn"))
    if topic is None:
        raise QueryError("NotFound", "Topic does not exist", 404)
    return topic


def _subscription(api: SnsApi, fields: Fields) -> Subscription:
    subscription = api.store.find(Subscription, fields.required("SubscriptionArn"))
    if subscription is None:
        raise QueryError("NotFound", "Subscription does not exist", 404)
    return subscription


def _of_topic(api: SnsApi, topic_arn: str) -> list[Subscription]:
    return api.store.grouped(Subscription, topic_arn)


def _existing(api: SnsApi, topic_arn: str, protocol: str, endpoint: str) -> Subscription | None:
    same = (
        each for each in _of_topic(api, topic_arn) if (each.protocol, each.endpoint) == (protocol, endpoint)
    )
    return next(same, None)


def _shown_arn(subscription: Subscription, fields: Fields) -> str:
    if subscription.confirmed or fields.optional("ReturnSubscriptionArn").lower() == "true":
        return subscription.arn
    return "pending confirmation"


def _check_endpoint(protocol: str, endpoint: str) -> None:
    pattern = QUEUE_ARN if protocol == "sqs" else re.compile(rf"{protocol}://[^/\s]\S*")
    if pattern.fullmatch(endpoint) is None:
        raise QueryError("InvalidParameter", "Invalid parameter: Endpoint must match the specified protocol")


def _check_topic_attribute(name: str, value: str) -> None:
    if name not in TOPIC_ATTRIBUTES:
        raise QueryError("InvalidParameter", f"Invalid parameter: AttributeName: {name}")
    if name == "SignatureVersion" and value not in {"1", "2"}:
        raise QueryError("InvalidParameter", "Invalid parameter: SignatureVersion must be 1 or 2")


def _check_subscription_attribute(name: str, value: str) -> None:
    if name not in SUBSCRIPTION_ATTRIBUTES:
        raise QueryError("InvalidParameter", f"Invalid parameter: AttributeName: {name}")
    if name == "RawMessageDelivery" and value.lower() not in {"true", "false"}:
        raise QueryError("InvalidParameter", "Invalid parameter: RawMessageDelivery must be true or false")
    if name == "DeliveryPolicy" and policy_of({name: value}) is None:
        raise QueryError("InvalidParameter", "Invalid parameter: DeliveryPolicy: not a healthyRetryPolicy")


def _subscriptions_xml(api: SnsApi, subscriptions: list[Subscription], fields: Fields) -> str:
    shown, following = _page(subscriptions, fields)
    members = "".join(
        "<member>"
        + element("TopicArn", each.topic_arn)
        + element("Protocol", each.protocol)
        + element("SubscriptionArn", each.arn if each.confirmed else "PendingConfirmation")
        + element("Owner", api.store.account)
        + element("Endpoint", each.endpoint)
        + "</member>"
        for each in shown
    )
    return f"<Subscriptions>{members}</Subscriptions>{following}"


def _page(items: list[T], fields: Fields) -> tuple[list[T], str]:
    start = whole(fields.optional("NextToken", "0"))
    if start is None:
        raise QueryError("InvalidParameter", "Invalid parameter: NextToken")
    end = start + PAGE_SIZE
    following = element("NextToken", str(end)) if end < len(items) else ""
    return items[start:end], following


ACTIONS: dict[str, Callable[[SnsApi, Fields], str]] = {
    "CreateTopic": create_topic,
    "DeleteTopic": delete_topic,
    "ListTopics": list_topics,
    "GetTopicAttributes": get_topic_attributes,
    "SetTopicAttributes": set_topic_attributes,
    "Subscribe": subscribe,
    "ConfirmSubscription": confirm_subscription,
    "Unsubscribe": unsubscribe,
    "ListSubscriptions": list_subscriptions,
    "ListSubscriptionsByTopic": list_subscriptions_by_topic,
    "GetSubscriptionAttributes": get_subscription_attributes,
    "SetSubscriptionAttributes": set_subscription_attributes,
    "Publish": publish,
}
