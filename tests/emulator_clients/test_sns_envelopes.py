"""The emulator's envelopes, judged by an implementation of SNS's rules that shares no code with it."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.conftest import Aws, Sink, emulated
from tests.emulator_clients.independent_sns import PublicKey, openssl_agrees

ENVELOPES, MUTATIONS = 40, 500
"""20,000 together."""
CHARACTERS = "ABCXYZabcxyz0189+/=-_.:\n \u00e9"

Envelope = dict[str, Any]


async def envelopes_of(aws: Aws, sink: Sink, count: int) -> list[Envelope]:
    """Return a confirmation and notifications of both signature versions, with and without a subject."""
    topics = []
    for version in ("1", "2"):
        name, attributes = f"version-{version}", {"SignatureVersion": version}
        topic = await aws.sns.create_topic(Name=name, Attributes=attributes)
        topics.append(topic["TopicArn"])
        await aws.sns.subscribe(TopicArn=topics[-1], Protocol="http", Endpoint=sink.url)
        await sink.confirmed(topics[-1])
    for number in range(count - len(topics)):
        message = f'{{"n": {number}, "text": "caf\u00e9 \u2603 {"x" * (number * 7)}"}}'
        await aws.sns.publish(TopicArn=topics[number % 2], Message=message)
    await sink.until(lambda: len(sink.envelopes) >= count)
    return sink.envelopes


async def certificate_of(aws: Aws, envelope: Envelope, folder: Path) -> Path:
    """Fetch the certificate that an envelope names."""
    async with aws.http.get(envelope["SigningCertURL"]) as answer:
        assert answer.status == 200
        content = await answer.read()
    path = folder / "certificate.pem"
    path.write_bytes(content)
    return path


def edited(text: str, dice: random.Random) -> str:
    """Return a text with one character changed, added or missing."""
    at = dice.randrange(len(text) + 1)
    other = dice.choice([each for each in CHARACTERS if each != text[at : at + 1]])
    return dice.choice([text[:at] + other + text[at + 1 :], text[:at] + other + text[at:]])


def field_edited(envelope: Envelope, dice: random.Random) -> Envelope:
    """Change one signed value."""
    names = [name for name in ("Message", "MessageId", "Timestamp", "TopicArn", "Token") if name in envelope]
    name = dice.choice(names)
    return {**envelope, name: edited(envelope[name], dice)}


def signature_edited(envelope: Envelope, dice: random.Random) -> Envelope:
    """Change the signature's text."""
    return {**envelope, "Signature": edited(envelope["Signature"], dice)}


def field_removed(envelope: Envelope, dice: random.Random) -> Envelope:
    """Leave out one signed member."""
    name = dice.choice(["Message", "MessageId", "Timestamp", "TopicArn", "Type", "Signature"])
    return {key: value for key, value in envelope.items() if key != name}


def version_or_type_changed(envelope: Envelope, dice: random.Random) -> Envelope:
    """Have the same signature read by other rules."""
    if dice.random() < 0.5:
        versions = [each for each in ("1", "2", "3", "") if each != envelope["SignatureVersion"]]
        return {**envelope, "SignatureVersion": dice.choice(versions)}
    kinds = ["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation", "notification"]
    kind = dice.choice([each for each in kinds if each != envelope["Type"]])
    return {"Token": "t", "SubscribeURL": "http://127.0.0.1/", **envelope, "Type": kind}


def subject_added(envelope: Envelope, dice: random.Random) -> Envelope:
    """Add a member that would have been signed, or, where it would not, swallow the next one."""
    if envelope["Type"] == "Notification":
        return {**envelope, "Subject": dice.choice(["", "Hello", "x" * dice.randint(1, 50)])}
    return {**envelope, "Message": f"{envelope['Message']}\nMessageId\n{envelope['MessageId']}"}


def values_swapped(envelope: Envelope, dice: random.Random) -> Envelope:
    """Give one signed member the value of another."""
    one, other = dice.sample(["Message", "MessageId", "Timestamp", "TopicArn"], 2)
    return {**envelope, one: envelope[other], other: envelope[one]}


WAYS: list[Callable[[Envelope, random.Random], Envelope]] = [
    field_edited,
    signature_edited,
    field_removed,
    version_or_type_changed,
    subject_added,
    values_swapped,
]


@pytest.fixture
async def aws() -> Any:
    """An emulator with a key of the size that SNS uses."""
    async with emulated(signing_key_bits=2048) as running:
        yield running


async def test_openssl_verifies_what_the_emulator_signs(aws: Aws, sink: Sink, tmp_path: Path) -> None:
    """Confirmations and notifications, both signature versions; the arithmetic in the tests agrees."""
    envelopes = await envelopes_of(aws, sink, 6)
    certificate = await certificate_of(aws, envelopes[0], tmp_path)
    key = PublicKey(certificate)
    kinds = {(each["Type"], each["SignatureVersion"]) for each in envelopes}
    assert len(kinds) == 4
    for envelope in envelopes:
        assert openssl_agrees(envelope, certificate, tmp_path)
        assert key.verifies(envelope)
        forged = {**envelope, "Message": envelope["Message"] + " "}
        assert not openssl_agrees(forged, certificate, tmp_path)
        assert not key.verifies(forged)


async def test_none_of_20000_mutated_envelopes_is_verified(aws: Aws, sink: Sink, tmp_path: Path) -> None:
    """Every envelope as it came is; with anything signed, or the signature, changed it is not."""
    envelopes = await envelopes_of(aws, sink, ENVELOPES)
    key = PublicKey(await certificate_of(aws, envelopes[0], tmp_path))
    dice = random.Random(20_261_121)
    tried = 0
    for envelope in envelopes[:ENVELOPES]:
        assert key.verifies(envelope)
        for _ in range(MUTATIONS):
            mutated = dice.choice(WAYS)(envelope, dice)
            assert mutated != envelope
            assert not key.verifies(mutated), mutated
            tried += 1
    assert tried == 20_000
