"""What AWS services wrap around an event comes off layer by layer, and signatures come to light. Pure."""

import json

import pytest

from gateway.receipts.envelope import Malformed, Notification, SubscriptionConfirmation
from gateway.receipts.event import InboundText, Receipt, parse
from gateway.receipts.wrapping import MAX_LAYERS, peel
from tests.harness.receipts import event

EVENT = event("DELIVERED")
TEXT = json.dumps(EVENT)
TOPIC = "arn:aws:sns:us-east-1:123456789012:tollgate-events"


def envelope(message, **changes):
    """SNS's body around a message."""
    made = {
        "Type": "Notification",
        "MessageId": "22222222-2222-4222-8222-222222222222",
        "TopicArn": TOPIC,
        "Message": message,
        "Timestamp": "2026-11-21T12:00:00.000Z",
        "SignatureVersion": "2",
        "Signature": "c2lnbmF0dXJl",
        "SigningCertURL": "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-x.pem",
        "UnsubscribeURL": "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe",
    } | changes
    return json.dumps({name: value for name, value in made.items() if value is not None})


def bridged(detail, kind="Text Message Delivery Status Updated"):
    """EventBridge's event around an object."""
    return json.dumps(
        {
            "version": "0",
            "id": "15226fe5-c283-a862-e5e5-0a29ad450fd9",
            "detail-type": kind,
            "source": "aws.sms-voice",
            "account": "123456789012",
            "time": "2026-11-21T12:00:00Z",
            "region": "us-east-1",
            "resources": [],
            "detail": detail,
        }
    )


def piped(body):
    """What an EventBridge Pipe makes of a message in a queue."""
    return {
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
        "receiptHandle": "AQEB",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1"},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:receipts",
        "awsRegion": "us-east-1",
    }


WAYS = {
    "the event itself": (TEXT, 0),
    "SNS": (envelope(TEXT), 1),
    "SNS without a signature": (envelope(TEXT, Signature=None), 0),
    "EventBridge": (bridged(EVENT), 0),
    "EventBridge, SNS": (envelope(bridged(EVENT)), 1),
    "SNS, SQS, Pipe": (json.dumps(piped(envelope(TEXT))), 1),
    "SNS, SQS, Pipe, EventBridge": (bridged(piped(envelope(TEXT)), "Event from aws:sqs"), 1),
    "EventBridge, SQS, Pipe, EventBridge": (bridged(piped(bridged(EVENT)), "Event from aws:sqs"), 0),
    "SNS as EventBridge's detail": (bridged(json.loads(envelope(TEXT)), "Notification"), 1),
    "SNS in SNS": (envelope(envelope(TEXT)), 2),
}


@pytest.mark.parametrize(("body", "signatures"), WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("as_bytes", [False, True])
def test_every_way_ends_in_one_and_the_same_receipt(body, signatures, as_bytes):
    """One event is one event whatever road it took: the same key, so that copies of two roads count once."""
    peeled = peel(body.encode() if as_bytes else body)
    assert not isinstance(peeled, Malformed)
    assert [type(each) for each in peeled.envelopes] == [Notification] * signatures
    receipt = parse(peeled.event)
    assert isinstance(receipt, Receipt)
    assert receipt.event_key == parse(TEXT).event_key


def test_the_documented_events_of_eventbridge_are_receipts():
    """AWS's own samples leave the recipient and the Context out."""
    detail = {k: v for k, v in EVENT.items() if k not in {"destinationPhoneNumber", "context"}}
    receipt = parse(peel(bridged(detail)).event)
    assert (receipt.status, receipt.destination, receipt.message_id) == ("DELIVERED", None, None)


def test_an_inbound_text_comes_through_as_one():
    """Two-way channels are SNS topics, so their messages come by the same queues."""
    text = {
        "originationNumber": "+14255550111",
        "destinationNumber": "+12065550100",
        "messageKeyword": "JOIN",
        "messageBody": "Join please",
        "inboundMessageId": "ae0f",
    }
    assert isinstance(parse(peel(envelope(json.dumps(text))).event), InboundText)


def test_a_question_of_sns_holds_no_event():
    """A queue of another account than the topic's is asked to confirm."""
    asked = envelope("You have chosen", Type="SubscriptionConfirmation", Token="t", SubscribeURL="https://x")
    peeled = peel(asked)
    assert peeled.event is None
    assert isinstance(peeled.envelopes[0], SubscriptionConfirmation)


@pytest.mark.parametrize(
    "body",
    [
        envelope(TEXT, MessageId="two\nlines"),
        envelope(TEXT)[:-1] + ', "Message": "other"}',
        envelope(TEXT, SigningCertURL=None),
    ],
    ids=["line break", "repeated key", "no certificate"],
)
def test_an_envelope_that_is_none_is_never_taken_for_its_contents(body):
    """What could be read in two ways is believed in neither."""
    assert isinstance(peel(body), Malformed)


def test_layers_without_end_are_refused():
    """A message may not cost more the deeper it is wrapped."""
    body = TEXT
    for _ in range(MAX_LAYERS):
        body = json.dumps(piped(body))
    assert isinstance(peel(body), Malformed)


@pytest.mark.parametrize("body", ["", "null", "[]", '"aws:sqs"', "{", "\x00", '{"TopicArn": 1}', "[" * 9000])
def test_noise_is_left_as_it_is(body):
    """Whatever it is, the reader of events will say so."""
    assert peel(body).event == body
