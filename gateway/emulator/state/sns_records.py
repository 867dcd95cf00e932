"""The records of topics, subscriptions and the key that signs for them."""

import msgspec

from gateway.emulator.state.records import Record


class Topic(Record):
    """An SNS topic."""

    arn: str
    attributes: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def key(self) -> str:
        """The topic's ARN."""
        return self.arn

    @property
    def signature_version(self) -> str:
        """1 (SHA1, the default of SNS) or 2 (SHA256)."""
        return self.attributes.get("SignatureVersion", "1")


class Subscription(Record):
    """An endpoint that gets what a topic publishes, once it has confirmed."""

    arn: str
    topic_arn: str
    protocol: str
    endpoint: str
    token: str
    created_s: float
    confirmed: bool = False
    attributes: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def key(self) -> str:
        """The subscription's ARN."""
        return self.arn

    @property
    def raw(self) -> bool:
        """Whether the bare message is delivered instead of the signed envelope."""
        return self.attributes.get("RawMessageDelivery", "false").lower() == "true"

    @property
    def group(self) -> str:
        """The topic."""
        return self.topic_arn


class SigningKey(Record):
    """The emulator's private key and self-signed certificate, both PEM."""

    private_pem: str
    certificate_pem: str

    @property
    def key(self) -> str:
        """There is one."""
        return "signing-key"
