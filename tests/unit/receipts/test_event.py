"""One struct for a delivery event, whatever its road."""

import hashlib
import json
from bisect import bisect_left
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import ids
from gateway.receipts.event import InboundText, Receipt, Unreadable, parse

MESSAGE = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
EVENT = {
    "eventType": "TEXT_DELIVERED",
    "eventVersion": "1.0",
    "eventTimestamp": 1767261605123,
    "isFinal": True,
    "originationPhoneNumber": "+12065550100",
    "destinationPhoneNumber": "+14255550111",
    "isoCountryCode": "US",
    "mcc": "310",
    "mnc": "260",
    "carrierName": "Example Mobile",
    "isInternationalSend": False,
    "messageId": "5f1d8c3a-8b0c-4f37-9d7e-1c2b3a4d5e6f",
    "messageRequestTimestamp": 1767261602345,
    "messageEncoding": "GSM",
    "messageType": "TRANSACTIONAL",
    "messageStatus": "DELIVERED",
    "messageStatusDescription": "Message has been accepted by phone",
    "context": {"tg_m": ids.message_id(MESSAGE), "tg_a": "2"},
    "totalMessageParts": 1,
    "totalMessagePrice": 0.00581,
    "totalCarrierFee": 0.00256,
}
INBOUND = {
    "originationNumber": "+14255550111",
    "destinationNumber": "+12065550100",
    "messageKeyword": "JOIN",
    "messageBody": "Join please",
    "inboundMessageId": "ae0f1f6e",
    "previousPublishedMessageId": "wJalr",
}


def _receipt(**over: object) -> Receipt:
    fields = {name: value for name, value in {**EVENT, **over}.items() if value is not ...}
    receipt = parse(json.dumps(fields))
    assert isinstance(receipt, Receipt), receipt
    return receipt


def _reason(message: str | bytes) -> str:
    event = parse(message)
    assert isinstance(event, Unreadable), event
    return event.reason


def test_every_field_of_a_text_event_is_read() -> None:
    """The example of Amazon's guide, with our context."""
    receipt = _receipt()
    assert (receipt.event_type, receipt.channel, receipt.status) == ("TEXT_DELIVERED", "text", "DELIVERED")
    assert receipt.at == datetime(2026, 1, 1, 10, 0, 5, 123000, UTC)
    assert receipt.is_final
    assert (receipt.message_id, receipt.attempt) == (MESSAGE, 2)
    assert (receipt.country, receipt.mcc, receipt.mnc, receipt.carrier) == (
        "US",
        "310",
        "260",
        "Example Mobile",
    )
    assert (receipt.encoding, receipt.parts) == ("GSM", 1)
    assert (receipt.price_micros, receipt.carrier_fee_micros) == (5810, 2560)
    assert (receipt.origination, receipt.destination) == ("+12065550100", "+14255550111")
    assert receipt.description == "Message has been accepted by phone"
    assert receipt.doubts == ()


def test_all_roads_give_the_same_receipt() -> None:
    """SNS text, a Firehose record with its newline, and EventBridge's wrapping carry one object."""
    wrapped = {
        "detail-type": "Text Message Delivery Status Updated",
        "source": "aws.sms-voice",
        "detail": EVENT,
    }
    roads = [
        json.dumps(EVENT),
        json.dumps(EVENT).encode() + b"\n",
        json.dumps(wrapped),
        json.dumps(EVENT, indent=2),
    ]
    assert len({msgspec.json.encode(parse(road)) for road in roads}) == 1


def test_the_event_key_is_the_hash_of_the_canonical_event() -> None:
    """Key order and white space are the road's; the event is the same."""
    receipt = _receipt()
    shuffled = parse(json.dumps(dict(reversed(EVENT.items()))))
    assert isinstance(shuffled, Receipt)
    assert shuffled.event_key == receipt.event_key == hashlib.sha256(receipt.raw).digest()
    assert json.loads(receipt.raw) == EVENT
    assert list(json.loads(receipt.raw)) == sorted(EVENT)
    assert _receipt(eventTimestamp=1767261605124).event_key != receipt.event_key


@pytest.mark.parametrize(
    ("event_type", "status", "expected"),
    [
        ("TEXT_QUEUED", ..., ("text", "QUEUED")),
        ("MEDIA_FILE_SIZE_EXCEEDED", ..., ("media", "FILE_SIZE_EXCEEDED")),
        ("MEDIA_FILE_SIZE_EXCEEDED", "MEDIA_FILE_SIZE_EXCEEDED", ("media", "FILE_SIZE_EXCEEDED")),
        ("VOICE_NO_ANSWER", "VOICE_NO_ANSWER", ("voice", "NO_ANSWER")),
        ("TEXT_UNKNOWN", "FAILED", ("text", "FAILED")),
        (..., "SUCCESSFUL", ("other", "SUCCESSFUL")),
        ("RCS_DELIVERED", "DELIVERED", ("other", "DELIVERED")),
    ],
)
def test_the_status_is_named_without_its_channel(event_type, status, expected) -> None:
    """`messageStatus` is the finer word and counts first; the event type stands in for it."""
    receipt = _receipt(eventType=event_type, messageStatus=status)
    assert (receipt.channel, receipt.status) == expected


def test_what_may_be_absent_is_none() -> None:
    """EventBridge's examples lack numbers, context and prices."""
    kept = ("eventType", "eventTimestamp", "messageId")
    receipt = _receipt(**{name: ... for name in EVENT if name not in kept})
    values = msgspec.structs.asdict(receipt)
    absent = [
        "message_id",
        "attempt",
        "origination",
        "destination",
        "country",
        "carrier",
        "mcc",
        "mnc",
        "encoding",
    ]
    absent += [
        "parts",
        "price_micros",
        "carrier_fee_micros",
        "description",
        "requested_at",
        "call_duration_s",
    ]
    assert {values[name] for name in absent} == {None}
    assert (receipt.context, receipt.doubts, receipt.is_final) == ({}, (), False)


@pytest.mark.parametrize(
    ("price", "micros"),
    [
        ("0", 0),
        ("0.0", 0),
        ("0.00581", 5810),
        ("0.017429999999999998", 17430),
        ("0.0000005", 0),
        ("0.0000015", 2),
        ("5.81E-3", 5810),
        ("1", 1_000_000),
        ("50", 50_000_000),
        ("-0.0", 0),
    ],
)
def test_prices_are_read_exactly(price, micros) -> None:
    """Binary floats would lose or gain a micro-dollar; half a one is rounded to even."""
    text = json.dumps({**EVENT, "totalMessagePrice": "PRICE"}).replace('"PRICE"', price)
    receipt = parse(text)
    assert isinstance(receipt, Receipt)
    assert (receipt.price_micros, receipt.doubts) == (micros, ())


@pytest.mark.parametrize("price", ["-0.01", "50.01", "581", '"0.00581"', "true", "[]", "{}", "1e30"])
def test_a_price_that_makes_no_sense_is_doubted_not_charged(price) -> None:
    """A wrong unit or sign must not reach the ledger; the receipt itself still counts."""
    text = json.dumps({**EVENT, "totalMessagePrice": "PRICE"}).replace('"PRICE"', price)
    receipt = parse(text)
    assert isinstance(receipt, Receipt)
    assert (receipt.price_micros, receipt.doubts) == (None, ("totalMessagePrice",))


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({"tg_m": str(MESSAGE), "tg_a": "1"}, (MESSAGE, 1)),
        ({"tg_m": ids.message_id(MESSAGE).lower()}, (MESSAGE, None)),
        ({"tg_m": "ten_" + ids.message_id(MESSAGE)[4:], "tg_a": "x"}, (None, None)),
        ({"tg_m": "msg_short", "tg_a": "0"}, (None, None)),
        ({"tg_m": "", "tg_a": "-1"}, (None, None)),
        ({"tg_m": 7, "tg_a": 1}, (None, None)),
        ({"tg_m": "msg_" + "Z" * 26, "tg_a": "99999"}, (None, None)),
        ({"tg_a": "\u0663"}, (None, None)),
        ("tg_m", (None, None)),
        (None, (None, None)),
    ],
)
def test_a_malformed_context_is_no_context(context, expected) -> None:
    """Events of other senders on the same account carry what they like."""
    receipt = _receipt(context=context)
    assert (receipt.message_id, receipt.attempt) == expected


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("mcc", "31"),
        ("mnc", "x"),
        ("isoCountryCode", "usa"),
        ("totalMessageParts", 0),
        ("totalMessageParts", 10**9),
        ("totalMessageParts", True),
        ("messageEncoding", "UCS2"),
        ("carrierName", ""),
        ("destinationPhoneNumber", "9" * 129),
        ("messageRequestTimestamp", 5),
        ("callDurationInSeconds", -1),
        ("callDurationInSeconds", False),
    ],
)
def test_an_odd_field_is_named_as_a_doubt(field, value) -> None:
    """An operator can see that AWS changed something, and no status is lost over it."""
    assert _receipt(**{field: value}).doubts == (field,)


def test_a_call_has_a_length() -> None:
    """Voice events say how long it lasted."""
    receipt = _receipt(eventType="VOICE_COMPLETED", messageStatus="COMPLETED", callDurationInSeconds=31.9)
    assert (receipt.channel, receipt.call_duration_s) == ("voice", 31)


@pytest.mark.parametrize(
    ("over", "reason"),
    [
        ({"messageId": ...}, "message_id"),
        ({"messageId": 5}, "message_id"),
        ({"eventTimestamp": ...}, "timestamp"),
        ({"eventTimestamp": 1767261605}, "timestamp"),
        ({"eventTimestamp": 10**30}, "timestamp"),
        ({"eventTimestamp": True}, "timestamp"),
        ({"eventTimestamp": "1767261605123"}, "timestamp"),
        ({"eventType": ..., "messageStatus": ...}, "status"),
        ({"eventType": "delivered", "messageStatus": "it's fine"}, "status"),
    ],
)
def test_an_event_without_its_core_is_unreadable(over, reason) -> None:
    """No id, no status or no time: there is nothing to apply."""
    fields = {name: value for name, value in {**EVENT, **over}.items() if value is not ...}
    assert _reason(json.dumps(fields)) == reason


def test_an_inbound_text_is_told_apart() -> None:
    """Both kinds arrive at one topic."""
    text = parse(json.dumps(INBOUND))
    assert isinstance(text, InboundText)
    assert (text.origination, text.destination) == ("+14255550111", "+12065550100")
    assert (text.keyword, text.body, text.previous_provider_message_id) == ("JOIN", "Join please", "wJalr")
    assert text.inbound_message_id == "ae0f1f6e"


def test_an_inbound_text_needs_no_keyword_and_no_predecessor() -> None:
    """A first text that matches nothing has neither."""
    fields = {k: v for k, v in INBOUND.items() if k not in {"messageKeyword", "previousPublishedMessageId"}}
    text = parse(json.dumps({**fields, "messageBody": ""}))
    assert isinstance(text, InboundText)
    assert (text.keyword, text.previous_provider_message_id, text.body) == (None, None, "")


@pytest.mark.parametrize(
    ("over", "reason"),
    [
        ({"messageBody": None}, "shape"),
        ({"messageBody": "x" * 20_000}, "shape"),
        ({"originationNumber": ""}, "number"),
        ({"destinationNumber": None}, "number"),
        ({"inboundMessageId": 1}, "message_id"),
    ],
)
def test_an_inbound_text_without_its_core_is_unreadable(over, reason) -> None:
    """It could not be stored or answered."""
    assert _reason(json.dumps({**INBOUND, **over})) == reason


def test_a_nul_never_reaches_postgres() -> None:
    """Text and jsonb both refuse U+0000; one such text would fail the batch it is in."""
    text = parse(json.dumps({**INBOUND, "messageBody": "a\x00b"}))
    assert isinstance(text, InboundText)
    assert text.body == "a\ufffdb"
    assert b"\\u0000" not in text.raw


@pytest.mark.parametrize(
    "message",
    [
        *("", "null", "[]", "7", '"x"', "{", "[" * 100_000, '{"a":' * 5_000, b"\xff", "\ud800"),
        *(
            '{"a": 1e999999999}',
            '{"a": 1e' + "9" * 30 + "}",
            '{"a": 0.' + "1" * 100_000 + "}",
            '{"a": 1' + "0" * 5000 + "}",
        ),
        *("x" * 300_000, '{"a": NaN}'),
    ],
    ids=range(16),
)
def test_what_is_no_event_is_unreadable(message) -> None:
    """Depth, size, huge numbers and broken text end as a value."""
    assert _reason(message) in {"not_json", "shape", "too_long", "message_id"}


def test_no_depth_raises() -> None:
    """Also at the edge, where reading still works and writing does not; each Python has its own."""
    opening = json.dumps(EVENT)[:-1] + ', "x": '

    def kind(depth: int) -> str:
        return type(parse(f"{opening}{'[' * depth}1{']' * depth}}}")).__name__

    edge = bisect_left(range(100_000), "Unreadable", key=kind)
    kinds = {kind(depth) for depth in range(edge - 250, edge + 250)}
    assert kinds == {"Receipt", "Unreadable"}


_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([*list(EVENT.values())[:-4], str(MESSAGE)])
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_NAMES = st.sampled_from([*EVENT, *INBOUND, "detail", "detail-type"])


@settings(max_examples=500, deadline=None)
@given(st.dictionaries(_NAMES, _VALUES, max_size=24))
def test_no_event_raises(fields) -> None:
    """Right names with wrong values are the likeliest accident."""
    for message in (json.dumps({**EVENT, **fields}), json.dumps(fields)):
        event = parse(message)
        if not isinstance(event, Unreadable):
            assert event.event_key == hashlib.sha256(event.raw).digest()
            assert parse(event.raw) == event


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200))
def test_no_bytes_raise(message) -> None:
    """Whatever arrives."""
    assert isinstance(parse(message), Unreadable)
