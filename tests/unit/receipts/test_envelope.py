"""What counts as an SNS body."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.receipts.envelope import (
    MAX_BODY_BYTES,
    Malformed,
    Notification,
    SubscriptionConfirmation,
    UnsubscribeConfirmation,
    parse,
)


def _reason(body: bytes) -> str:
    envelope = parse(body)
    assert isinstance(envelope, Malformed), envelope
    return envelope.reason


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("Notification", Notification),
        ("SubscriptionConfirmation", SubscriptionConfirmation),
        ("UnsubscribeConfirmation", UnsubscribeConfirmation),
    ],
)
def test_each_kind_of_body_becomes_its_own_struct(topic, kind, expected) -> None:
    """The type decides which fields are signed, so it must decide the struct."""
    assert type(parse(topic.body(kind))) is expected


def test_a_repeated_key_is_refused_wherever_it_stands(topic) -> None:
    """Two readers may take different ones of the two values."""
    body = topic.body()
    assert _reason(body[:-1] + b', "Message": "other"}') == "duplicate_key"
    assert _reason(b'{"Message": "other", ' + body[1:]) == "duplicate_key"
    assert _reason(body[:-1] + b', "MessageAttributes": {"a": 1, "a": 2}}') == "duplicate_key"


def test_a_key_repeated_in_escapes_is_still_repeated(topic) -> None:
    """The escape is another spelling of the same key."""
    assert _reason(topic.body()[:-1] + b', "Mess\\u0061ge": "other"}') == "duplicate_key"


@pytest.mark.parametrize(
    "field", ["MessageId", "TopicArn", "Timestamp", "SigningCertURL", "Signature", "Subject"]
)
@pytest.mark.parametrize("added", ["\nType\nNotification", "\r", "\n", "\x00"])
def test_a_line_break_outside_the_message_is_refused(topic, field, added) -> None:
    """A field with a line break could pose as two in the string to sign."""
    fields = topic.sign(topic.fields(Subject="news"))
    assert _reason(json.dumps({**fields, field: fields[field] + added}).encode()) == "shape"


@pytest.mark.parametrize(
    "field", ["MessageId", "TopicArn", "Message", "Timestamp", "SignatureVersion", "Signature"]
)
@pytest.mark.parametrize("value", [None, 1, True, [], {}, ["text"]])
def test_a_field_of_another_type_is_refused(topic, field, value) -> None:
    """Nothing is converted: a number is not the text that was signed."""
    assert _reason(json.dumps({**topic.sign(topic.fields()), field: value}).encode()) == "shape"


@pytest.mark.parametrize(
    "field", ["Type", "MessageId", "TopicArn", "Message", "Timestamp", "SignatureVersion", "Signature"]
)
def test_a_missing_field_is_refused(topic, field) -> None:
    """Each is needed to prove the message."""
    fields = topic.sign(topic.fields())
    del fields[field]
    assert _reason(json.dumps(fields).encode()) == "shape"


@pytest.mark.parametrize(
    "over", [{"Subject": "s" * 257}, {"MessageId": "m" * 129}, {"Message": "m" * (256 * 1024 + 1)}]
)
def test_an_over_long_field_is_refused(topic, over) -> None:
    """A stranger's bytes are bounded before anything is computed over them."""
    assert _reason(json.dumps(topic.sign(topic.fields(**over))).encode()) == "shape"


def test_an_over_long_body_is_refused_unread() -> None:
    """Not even its JSON is looked at."""
    assert _reason(b" " * (MAX_BODY_BYTES + 1)) == "too_long"


def test_unsigned_extras_are_ignored(topic) -> None:
    """Message attributes are not signed, so they must not be able to say anything."""
    fields = topic.sign(topic.fields())
    plain = parse(json.dumps(fields).encode())
    extra = {
        "MessageAttributes": {"tenant": {"Type": "String", "Value": "x"}},
        "UnsubscribeURL": "http://evil",
    }
    assert parse(json.dumps({**fields, **extra}).encode()) == plain


def test_a_null_subject_is_an_absent_one(topic) -> None:
    """Some senders write the key with null; what was signed is the same."""
    fields = topic.sign(topic.fields())
    assert parse(json.dumps({**fields, "Subject": None}).encode()) == parse(json.dumps(fields).encode())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 60_000,
        b'{"Type":"Notification","Message":"\\ud800"}',
        "{}".encode("utf-16"),
    ],
)
def test_what_is_not_json_in_utf8_is_refused(body) -> None:
    """Depth, lone surrogates and other encodings end as a value, never as an exception."""
    assert _reason(body) in {"not_json", "shape"}


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_answered_with_a_value(body) -> None:
    """The road is open to the internet."""
    assert isinstance(parse(body), Malformed)


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
        max_leaves=20,
    )
)
def test_any_json_is_answered_with_a_value(value) -> None:
    """Whatever the shape."""
    assert isinstance(parse(json.dumps(value).encode()), Malformed)
