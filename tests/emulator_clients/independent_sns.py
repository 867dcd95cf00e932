"""
A second implementation of what SNS subscribers check, after Amazon's guide and RFC 8017: nothing of ours.

The certificate is read by the openssl command line; the signature is checked with whole-number arithmetic.
Fast enough for tens of thousands of envelopes; ``openssl_agrees`` is the slow and independent judge of it.
"""

import base64
import binascii
import hashlib
import subprocess
from pathlib import Path
from typing import Any

_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
    ),
    "UnsubscribeConfirmation": (
        "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
    ),
}  # fmt: skip
_DIGESTS = {"1": "sha1", "2": "sha256"}
_DIGEST_INFO = {
    "1": bytes.fromhex("3021300906052b0e03021a05000414"),
    "2": bytes.fromhex("3031300d060960864801650304020105000420"),
}
"""DER of the algorithm in front of the hash (RFC 8017, section 9.2, note 1)."""
_EXPONENT = 65_537


def string_to_sign(envelope: dict[str, Any]) -> bytes | None:
    """Return the text under the signature, or None for an envelope that has none."""
    names = _SIGNED.get(envelope.get("Type", ""))
    if names is None or any(name not in envelope for name in names if name != "Subject"):
        return None
    return "".join(f"{name}\n{envelope[name]}\n" for name in names if name in envelope).encode()


class PublicKey:
    """The key of a certificate."""

    def __init__(self, certificate: Path) -> None:
        printed = _openssl("x509", "-in", str(certificate), "-noout", "-modulus").decode()
        self.modulus = int(printed.strip().removeprefix("Modulus="), 16)
        self._length = (self.modulus.bit_length() + 7) // 8

    def verifies(self, envelope: dict[str, Any]) -> bool:
        """Return whether the envelope carries a signature of its content by this key."""
        text, version = string_to_sign(envelope), envelope.get("SignatureVersion", "")
        signature = _decoded(envelope.get("Signature", ""))
        if text is None or version not in _DIGESTS or signature is None or len(signature) != self._length:
            return False
        number = int.from_bytes(signature)
        if number >= self.modulus:
            return False
        recovered = pow(number, _EXPONENT, self.modulus).to_bytes(self._length)
        return recovered == self._padded(hashlib.new(_DIGESTS[version], text).digest(), version)

    def _padded(self, digest: bytes, version: str) -> bytes:
        """Return the hash in the padding of PKCS#1 v1.5, as long as the key."""
        told = _DIGEST_INFO[version] + digest
        return b"\x00\x01" + b"\xff" * (self._length - len(told) - 3) + b"\x00" + told


def openssl_agrees(envelope: dict[str, Any], certificate: Path, folder: Path) -> bool:
    """Return what ``openssl dgst -verify`` says about the envelope's signature."""
    key, signature, text = (folder / name for name in ("key.pem", "signature", "text"))
    key.write_bytes(_openssl("x509", "-in", str(certificate), "-noout", "-pubkey"))
    signature.write_bytes(base64.b64decode(envelope["Signature"]))
    text.write_bytes(string_to_sign(envelope) or b"")
    digest = f"-{_DIGESTS[envelope['SignatureVersion']]}"
    command = ("openssl", "dgst", digest, "-verify", str(key), "-signature", str(signature), str(text))
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _decoded(text: str) -> bytes | None:
    """Return the bytes of a text in base64, or None; each signature has one spelling."""
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return decoded if base64.b64encode(decoded).decode() == text else None


def _openssl(*arguments: str) -> bytes:
    return subprocess.run(("openssl", *arguments), capture_output=True, check=True).stdout
