"""The JSON envelopes that SNS posts to HTTP endpoints."""

import datetime as dt
from urllib.parse import quote

import msgspec

from gateway.emulator.sns.signing import Signer
from gateway.emulator.state.sns_records import Subscription, Topic


class EnvelopeWriter:
    """Writes signed envelopes whose links point back at the emulator."""

    def __init__(self, signer: Signer, base_url: str) -> None:
        self._signer = signer
        self._base_url = base_url

    def notification(self, topic: Topic, message_id: str, message: str, now_ms: float) -> dict[str, str]:
        """Return a signed Notification; it is the same for every subscription but for UnsubscribeURL."""
        return self._signed(
            topic,
            {
                "Type": "Notification",
                "MessageId": message_id,
                "TopicArn": topic.arn,
                "Message": message,
                "Timestamp": _iso(now_ms),
            },
        )

    def addressed(self, envelope: dict[str, str], subscription: Subscription) -> bytes:
        """Return the body for one subscription."""
        return msgspec.json.encode({**envelope, "UnsubscribeURL": self._unsubscribe_url(subscription)})

    def confirmation(self, topic: Topic, subscription: Subscription, message_id: str, now_ms: float) -> bytes:
        """Return the body that asks an endpoint to confirm its subscription."""
        text = (
            f"You have chosen to subscribe to the topic {topic.arn}.\n"
            "To confirm the subscription, visit the SubscribeURL included in this message."
        )
        envelope = {
            "Type": "SubscriptionConfirmation",
            "MessageId": message_id,
            "Token": subscription.token,
            "TopicArn": topic.arn,
            "Message": text,
            "SubscribeURL": self._subscribe_url(subscription),
            "Timestamp": _iso(now_ms),
        }
        return msgspec.json.encode(self._signed(topic, envelope))

    def _signed(self, topic: Topic, envelope: dict[str, str]) -> dict[str, str]:
        version = topic.signature_version
        return {
            **envelope,
            "SignatureVersion": version,
            "Signature": self._signer.sign(envelope, version),
            "SigningCertURL": self._base_url + self._signer.certificate_path,
        }

    def _subscribe_url(self, subscription: Subscription) -> str:
        topic = quote(subscription.topic_arn, safe="")
        return f"{self._base_url}/?Action=ConfirmSubscription&TopicArn={topic}&Token={subscription.token}"

    def _unsubscribe_url(self, subscription: Subscription) -> str:
        return f"{self._base_url}/?Action=Unsubscribe&SubscriptionArn={quote(subscription.arn, safe='')}"


def _iso(now_ms: float) -> str:
    moment = dt.datetime.fromtimestamp(now_ms / 1000.0, dt.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
