"""Only what SNS signed, for our topics and lately, is believed."""

import base64
import json
import random
from datetime import timedelta

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from gateway.receipts.certificates import CertificateStore, CertificateUrls, FetchError
from gateway.receipts.envelope import Malformed, parse
from gateway.receipts.signature import Rejected, Verified, Verifier, signature_matches, string_to_sign

OTHER_TOPIC = "arn:aws:sns:eu-west-1:123456789012:someone-else"
TOPICS = frozenset(
    {"arn:aws:sns:eu-west-1:123456789012:receipts", "arn:aws:sns:eu-west-1:123456789012:inbound"}
)
KINDS = ("Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation")
SIGNED_FIELDS = (
    "Message",
    "MessageId",
    "Timestamp",
    "TopicArn",
    "Type",
    "Signature",
    "Token",
    "SubscribeURL",
)


@pytest.fixture
def verifier(topic, clock) -> Verifier:
    """Trusts the test topic's certificate at AWS's own URL."""

    async def fetch(_url: str) -> bytes:
        return topic.certificate()

    store = CertificateStore(CertificateUrls(regions=["eu-west-1"]), fetch, clock)
    return Verifier(store, clock, topics=TOPICS)


async def _verdict(verifier: Verifier, body: bytes) -> Verified | Rejected | Malformed:
    envelope = parse(body)
    return envelope if isinstance(envelope, Malformed) else await verifier.verify(envelope)


async def _reason(verifier: Verifier, body: bytes) -> str:
    verdict = await _verdict(verifier, body)
    assert isinstance(verdict, Rejected), verdict
    return verdict.reason


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("version", ["1", "2"])
async def test_a_signed_envelope_is_verified(verifier, topic, kind, version) -> None:
    """Both signature versions are in use: 1 is the topic's default."""
    assert isinstance(await _verdict(verifier, topic.body(kind, SignatureVersion=version)), Verified)


async def test_a_subject_is_part_of_what_is_signed(verifier, topic) -> None:
    """Present, even if empty, it is covered."""
    assert isinstance(await _verdict(verifier, topic.body(Subject="news")), Verified)
    added = topic.sign(topic.fields()) | {"Subject": ""}
    assert await _reason(verifier, json.dumps(added).encode()) == "signature_mismatch"


async def test_the_string_to_sign_is_checked_by_cryptography_itself(topic) -> None:
    """The library's own verify, called with nothing of ours but the string, agrees."""
    fields = topic.sign(topic.fields(Message="a\nMessageId\nb", Subject="ünïcode"))
    envelope = parse(json.dumps(fields).encode())
    text = string_to_sign(envelope)
    public_key, signature = topic.key.public_key(), base64.b64decode(fields["Signature"])
    public_key.verify(signature, text, padding.PKCS1v15(), hashes.SHA256())
    with pytest.raises(InvalidSignature):
        public_key.verify(signature, text + b"\n", padding.PKCS1v15(), hashes.SHA256())


def test_the_string_to_sign_has_the_documented_form(topic) -> None:
    """Key, line break, value, line break, in Amazon's order."""
    envelope = parse(topic.body("SubscriptionConfirmation", Message="hello"))
    names = string_to_sign(envelope).decode().split("\n")[::2]
    assert names == ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type", ""]


async def test_a_topic_that_is_not_ours_is_rejected_before_any_fetch(topic, clock) -> None:
    """Anybody can own a topic, and SNS signs for everybody."""

    async def fetch(url: str) -> bytes:
        raise AssertionError(url)

    store = CertificateStore(CertificateUrls(regions=["eu-west-1"]), fetch, clock)
    strict = Verifier(store, clock, topics=lambda arn: arn in TOPICS)
    assert await _reason(strict, topic.body(TopicArn=OTHER_TOPIC)) == "topic_not_allowed"


@pytest.mark.parametrize("version", ["0", "3", "", "2 ", "02", "SHA256"])
async def test_another_signature_version_is_rejected(verifier, topic, version) -> None:
    """There are two."""
    assert await _reason(verifier, topic.body(SignatureVersion=version)) == "signature_version"


def test_no_key_matches_an_unknown_version(topic) -> None:
    """Also for a caller that asks the pure rule alone."""
    envelope = parse(topic.body(SignatureVersion="3"))
    assert not signature_matches(envelope, topic.key.public_key())


async def test_the_signature_version_cannot_be_swapped(verifier, topic) -> None:
    """The version is not signed, but each has its own hash."""
    fields = topic.sign(topic.fields(SignatureVersion="2")) | {"SignatureVersion": "1"}
    assert await _reason(verifier, json.dumps(fields).encode()) == "signature_mismatch"


@pytest.mark.parametrize(
    ("moved", "expected"),
    [
        (timedelta(minutes=59), None),
        (timedelta(hours=1), "timestamp_too_old"),
        (timedelta(days=365), "timestamp_too_old"),
        (timedelta(minutes=-5), None),
        (timedelta(minutes=-6), "timestamp_in_future"),
    ],
)
async def test_a_message_is_believed_for_one_hour(verifier, topic, clock, moved, expected) -> None:
    """After that it is a replay; 5 minutes ahead are left for clocks that differ."""
    body = topic.body()
    clock.advance(moved)
    verdict = await _verdict(verifier, body)
    assert (verdict.reason if isinstance(verdict, Rejected) else None) == expected


async def test_an_emulators_moved_clock_can_be_allowed(topic, clock) -> None:
    """A developer who moves the emulator three days ahead still gets receipts, if the wiring says so."""

    async def fetch(_url: str) -> bytes:
        return topic.certificate()

    store = CertificateStore(CertificateUrls(regions=["eu-west-1"]), fetch, clock)
    patient = Verifier(store, clock, topics=TOPICS, max_ahead=timedelta(days=3650))
    assert isinstance(await _verdict(patient, topic.body(Timestamp="2026-03-04T12:00:00.000Z")), Verified)


@pytest.mark.parametrize(
    "timestamp",
    [
        "yesterday",
        "2026-03-01 11:59:30Z",
        "2026-03-01T11:59:30",
        "2026-02-30T11:59:30Z",
        "20260301T115930Z",
        "2026-03-01T11:59:30+00:00",
        "2026-03-01T24:61:00Z",
        "\u06622026-03-01T11:59:30Z",
    ],
)
async def test_an_unreadable_timestamp_is_rejected(verifier, topic, timestamp) -> None:
    """One form is accepted: the one SNS writes."""
    assert await _reason(verifier, topic.body(Timestamp=timestamp)) == "timestamp_unreadable"


async def test_a_certificate_from_elsewhere_is_rejected(verifier, topic) -> None:
    """The URL is part of the stranger's message."""
    url = "https://sns.s3-us-west-2.amazonaws.com/SimpleNotificationService-" + "0a" * 16 + ".pem"
    assert await _reason(verifier, topic.body(SigningCertURL=url)) == "certificate_url"


async def test_only_an_unavailable_certificate_asks_sns_to_try_again(topic, clock) -> None:
    """A 503 makes SNS retry; for a forgery that would be an invitation."""

    async def fetch(_url: str) -> bytes:
        raise FetchError("down")

    store = CertificateStore(CertificateUrls(regions=["eu-west-1"]), fetch, clock)
    verdict = await _verdict(Verifier(store, clock, topics=TOPICS), topic.body())
    assert isinstance(verdict, Rejected)
    assert verdict.may_pass_later
    assert not Rejected(reason="signature_mismatch", detail="").may_pass_later


def _flip(text: str, dice: random.Random) -> str:
    """Return `text` with one bit of one character changed; the result stays printable ASCII."""
    at = dice.randrange(len(text))
    flipped = next(
        candidate for bit in dice.sample(range(7), 7) if 32 <= (candidate := ord(text[at]) ^ (1 << bit)) < 127
    )
    return text[:at] + chr(flipped) + text[at + 1 :]


def _duplicate_key(fields: dict[str, str], dice: random.Random) -> bytes:
    name = dice.choice([name for name in SIGNED_FIELDS if name in fields])
    other = json.dumps({name: _flip(fields[name], dice)})[1:-1]
    text = json.dumps(fields)
    return (f"{{{other}, {text[1:]}" if dice.random() < 0.5 else f"{text[:-1]}, {other}}}").encode()


def _mutated(fields: dict[str, str], dice: random.Random) -> bytes:
    """Change something that is signed, in one of the ways an attacker would."""
    choice = dice.randrange(6)
    changed = dict(fields)
    if choice == 0:
        return _duplicate_key(fields, dice)
    if choice == 1 and fields["Type"] == "Notification":
        changed["Subject"] = dice.choice(["", "added", "x" * dice.randint(1, 100)])
        changed = {k: v for k, v in changed.items() if k != "Subject"} if "Subject" in fields else changed
    elif choice == 2:
        changed["Type"] = dice.choice([kind for kind in KINDS if kind != fields["Type"]])
        changed.setdefault("Token", "t")
        changed.setdefault("SubscribeURL", "https://sns.eu-west-1.amazonaws.com/")
    elif choice == 3:
        changed["TopicArn"] = dice.choice(
            [arn for arn in [*TOPICS, OTHER_TOPIC] if arn != fields["TopicArn"]]
        )
    elif choice == 4:
        changed["Message"] = f"{fields['Message']}\nMessageId\n{fields['MessageId']}"
    else:
        name = dice.choice([name for name in SIGNED_FIELDS if name in fields])
        changed[name] = _flip(fields[name], dice)
    return json.dumps(changed).encode()


async def test_20000_mutated_envelopes_are_rejected(verifier, topic) -> None:
    """200 signed seeds, 100 mutations each; every seed itself is accepted, no mutation is."""
    dice = random.Random(20260301)
    accepted = 0
    for seed in range(200):
        over = {"Message": json.dumps({"n": seed, "text": "x" * dice.randint(0, 400)})}
        kind = KINDS[0] if seed % 4 else KINDS[1 + seed % 2]
        if kind == "Notification" and seed % 3 == 0:
            over["Subject"] = f"subject {seed}"
        fields = topic.sign(topic.fields(kind, SignatureVersion=str(1 + seed % 2), **over))
        assert isinstance(await _verdict(verifier, json.dumps(fields).encode()), Verified)
        for _ in range(100):
            accepted += isinstance(await _verdict(verifier, _mutated(fields, dice)), Verified)
    assert accepted == 0


async def test_a_signature_has_one_spelling(verifier, topic) -> None:
    """Base64 leaves spare bits in its last digit; a message must not be accepted under several texts."""
    fields = topic.sign(topic.fields())
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = fields["Signature"][-3]
    twin = fields["Signature"][:-3] + digits[digits.index(last) + 1] + "=="
    assert base64.b64decode(twin) == base64.b64decode(fields["Signature"])
    body = json.dumps({**fields, "Signature": twin}).encode()
    assert await _reason(verifier, body) == "signature_mismatch"


async def test_edits_of_unsigned_fields_change_nothing(verifier, topic) -> None:
    """What is not signed is not read."""
    fields = topic.sign(topic.fields())
    plain = await _verdict(verifier, json.dumps(fields).encode())
    for extra in (
        {"UnsubscribeURL": "http://169.254.169.254/"},
        {"MessageAttributes": {"a": 1}},
        {"tenant": "x"},
    ):
        assert await _verdict(verifier, json.dumps({**fields, **extra}).encode()) == plain
