"""The emulator's own certificate, and signatures in the two versions of SNS."""

import base64
import datetime as dt
import hashlib
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from gateway.emulator.state.sns_records import SigningKey
from gateway.emulator.state.store import GLOBAL_SCOPE

SIGNED_MEMBERS: Final = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
    ),
    "UnsubscribeConfirmation": (
        "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
    ),
}  # fmt: skip
"""Members under the signature by envelope type, in order."""

VALIDITY = dt.timedelta(days=3650)


class Signer:
    """Signs envelopes with the emulator's key."""

    def __init__(self, record: SigningKey) -> None:
        private = serialization.load_pem_private_key(record.private_pem.encode(), password=None)
        if not isinstance(private, rsa.RSAPrivateKey):
            raise TypeError("the signing key in the state file is not an RSA key")
        self._private = private
        self.certificate_pem = record.certificate_pem.encode()
        digest = hashlib.blake2b(self.certificate_pem, digest_size=16).hexdigest()
        self.certificate_path = f"/SimpleNotificationService-{digest}.pem"

    def sign(self, envelope: dict[str, str], version: str) -> str:
        """Return the base64 signature of an envelope: SHA1 for version 1, SHA256 for version 2."""
        algorithm = hashes.SHA256() if version == "2" else hashes.SHA1()  # noqa: S303 - what version 1 is
        signature = self._private.sign(string_to_sign(envelope), padding.PKCS1v15(), algorithm)
        return base64.b64encode(signature).decode()


def string_to_sign(envelope: dict[str, str]) -> bytes:
    """Return the bytes under an envelope's signature: a line with the name and one with the value of each."""
    names = SIGNED_MEMBERS[envelope["Type"]]
    return "".join(f"{name}\n{envelope[name]}\n" for name in names if name in envelope).encode()


def new_signing_key(bits: int) -> SigningKey:
    """Return a fresh RSA key with a self-signed certificate for ``sns.amazonaws.com``."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + VALIDITY)
        .sign(private, hashes.SHA256())
    )
    return SigningKey(
        scope=GLOBAL_SCOPE,
        private_pem=private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
        certificate_pem=certificate.public_bytes(serialization.Encoding.PEM).decode(),
    )
