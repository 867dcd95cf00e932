"""A topic with a certificate of its own: signs envelopes as SNS does, apart from the code under test."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from gateway.clock import FixedClock

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TOPIC = "arn:aws:sns:eu-west-1:123456789012:receipts"
CERT_URL = f"https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-{'0a' * 16}.pem"
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message",
        "MessageId",
        "SubscribeURL",
        "Timestamp",
        "Token",
        "TopicArn",
        "Type",
    ),
}
_SIGNED["UnsubscribeConfirmation"] = _SIGNED["SubscriptionConfirmation"]


class SigningTopic:
    """Holds a key and signs fields the way Amazon's guide describes."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def certificate(
        self,
        *,
        common_name: str = "sns.amazonaws.com",
        organization: str = "Amazon",
        alternative: str | None = None,
        days: tuple[int, int] = (-30, 300),
        key=None,
    ) -> bytes:
        """Return a PEM certificate valid from `days[0]` to `days[1]` around NOW."""
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        issuer = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)])
        signing = key or self.key
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(signing.public_key())
            .serial_number(7)
            .not_valid_before(NOW + timedelta(days=days[0]))
            .not_valid_after(NOW + timedelta(days=days[1]))
        )
        if alternative is not None:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([x509.DNSName(alternative)]), critical=False
            )
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def fields(self, kind: str = "Notification", **over: str | None) -> dict[str, str]:
        """Return the unsigned fields of an envelope; None removes one."""
        fields: dict[str, str | None] = {
            "Type": kind,
            "MessageId": "0e7e7f3c-0000-4000-8000-000000000001",
            "TopicArn": TOPIC,
            "Message": '{"eventType":"TEXT_DELIVERED"}',
            "Timestamp": "2026-03-01T11:59:30.123Z",
            "SignatureVersion": "2",
            "SigningCertURL": CERT_URL,
        }
        if kind != "Notification":
            fields["Token"] = "2336412f37fb687f5d51e6e241d"
            fields["SubscribeURL"] = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription"
        else:
            fields["UnsubscribeURL"] = "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe"
        fields.update(over)
        return {name: value for name, value in fields.items() if value is not None}

    def sign(self, fields: dict[str, str]) -> dict[str, str]:
        """Return the fields with their signature."""
        text = "".join(f"{name}\n{fields[name]}\n" for name in _SIGNED[fields["Type"]] if name in fields)
        algorithm = hashes.SHA256()
        if fields["SignatureVersion"] == "1":
            algorithm = hashes.SHA1()  # noqa: S303 - what version 1 means
        signature = self.key.sign(text.encode(), padding.PKCS1v15(), algorithm)
        return {**fields, "Signature": base64.b64encode(signature).decode()}

    def body(self, kind: str = "Notification", **over: str | None) -> bytes:
        """Return a signed body as it would be posted."""
        return json.dumps(self.sign(self.fields(kind, **over))).encode()


@pytest.fixture(scope="session")
def topic() -> SigningTopic:
    """One key for all tests: making one takes longer than using it a thousand times."""
    return SigningTopic()


@pytest.fixture
def clock() -> FixedClock:
    """Stands at NOW."""
    return FixedClock(NOW)
