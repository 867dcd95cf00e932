"""Requests that no SDK would send: answered in AWS's own error shape, never with a traceback."""

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.emulator.conftest import Aws, emulated

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.text(max_size=20)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"1",
        b'"text"',
        b"{",
        b'{"a":',
        b"\xff\xfe",
        b"{}x",
        b'{"DestinationPhoneNumber":"\xff"}',
        b"[" * 5000,
    ],
)
async def test_a_body_that_is_no_json_object_is_a_serialization_error(shared: Aws, body: bytes) -> None:
    """An empty body counts as an empty object and then lacks what is required."""
    status, answer = await shared.raw("SendTextMessage", body)
    assert status == 400
    assert answer["__type"] == ("ValidationException" if not body else "SerializationException")


async def test_a_member_of_the_wrong_type_is_a_serialization_error(shared: Aws) -> None:
    """AWS deserialises before it validates."""
    for payload in (
        {"DestinationPhoneNumber": 1},
        {"DestinationPhoneNumber": "+1", "TimeToLive": "60"},
        {"DryRun": 1},
    ):
        status, answer = await shared.raw("SendTextMessage", payload)
        assert (status, answer["__type"]) == (400, "SerializationException")


@pytest.mark.parametrize(
    "target",
    [
        "",
        "SendTextMessage",
        "Other.SendTextMessage",
        "PinpointSMSVoiceV2.",
        "PinpointSMSVoiceV2.SendNotifyTextMessage",
    ],
)
async def test_an_action_outside_the_reference_is_unknown(shared: Aws, target: str) -> None:
    """Newer actions of newer SDKs are told apart from mistakes in known ones."""
    status, answer = await shared.raw("Ignored", {}, **{"X-Amz-Target": target})
    assert (status, answer["__type"]) == (400, "UnknownOperationException")


async def test_another_content_type_is_not_supported(shared: Aws) -> None:
    """The protocol is json-1.0."""
    status, answer = await shared.raw("SendTextMessage", {}, **{"Content-Type": "text/html"})
    assert (status, answer["__type"]) == (415, "UnsupportedMediaTypeException")


@pytest.mark.parametrize("number", ["9" * 20, "9" * 5000, "-1", "\u0661"])
async def test_a_place_that_no_list_has_is_refused(shared: Aws, number: str) -> None:
    """A number of twenty digits, or of five thousand, was a defect."""
    for path, name in (("messages", "offset"), ("messages", "limit"), ("arrivals", "after")):
        async with shared.http.get(f"{shared.base_url}/_emulator/{path}", params={name: number}) as answer:
            assert answer.status == 422, await answer.text()
    form = {"Action": "ListTopics", "NextToken": number}
    async with shared.http.post(f"{shared.base_url}/", data=form) as answer:
        assert (answer.status, "InvalidParameter" in await answer.text()) == (400, True)


async def test_a_body_over_the_limit_is_refused_whole() -> None:
    """A limit keeps memory bounded."""
    async with emulated(max_body_bytes=1000) as aws:
        status, answer = await aws.raw("SendTextMessage", {"MessageBody": "x" * 2000})
        assert (status, answer["__type"]) == (413, "RequestEntityTooLargeException")


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:sms-voice:us-east-1:123456789012:pool",
        "arn:x",
        "arn:aws:sns:us-east-1:123456789012:topic/x",
        "arn:aws:sms-voice:eu-west-1:123456789012:pool/pool-1",
        "arn:aws:sms-voice:us-east-1:123456789012:phone-number/phone-1",
    ],
)
async def test_a_bad_arn_is_named_as_such(shared: Aws, arn: str) -> None:
    """Id parameters take an id or an ARN of the right kind, account and Region."""
    status, answer = await shared.raw("DescribePools", {"PoolIds": [arn]})
    assert (status, answer["__type"], answer["Reason"]) == (400, "ValidationException", "INVALID_ARN")


async def test_a_made_up_page_token_is_refused(shared: Aws) -> None:
    """Tokens are opaque and come from the service only."""
    for token in ("x", "cGFnZTotMQ==", "cGFnZTphYmM=", "\u00e9"):
        status, answer = await shared.raw("DescribePools", {"NextToken": token})
        assert (status, answer["Reason"]) == (400, "INVALID_NEXT_TOKEN")


async def test_a_page_token_is_good_for_its_own_list_alone(aws: Aws) -> None:
    """A caller that mixes up two lists would get a part of one and never know."""
    for n in range(3):
        await aws.sms.create_opt_out_list(OptOutListName=f"list-{n}")
    first = await aws.sms.describe_opt_out_lists(MaxResults=2)
    rest = await aws.sms.describe_opt_out_lists(NextToken=first["NextToken"], MaxResults=1)
    assert [each["OptOutListName"] for each in rest["OptOutLists"]] == ["list-1"]
    token = {"NextToken": first["NextToken"]}
    for action, asked in (("DescribePools", {}), ("DescribeOptOutLists", {"Owner": "SELF"})):
        status, answer = await aws.raw(action, asked | token)
        assert (status, answer["__type"]) == (400, "ValidationException")
        assert answer["Reason"] == "INVALID_NEXT_TOKEN"


@pytest.mark.parametrize(
    ("action", "name", "value"),
    [
        ("DescribePhoneNumbers", "status", "VERIFIED"),
        ("DescribePhoneNumbers", "message-type", "transactional"),
        ("DescribePhoneNumbers", "number-type", "MOBILE"),
        ("DescribePhoneNumbers", "number-capability", "FAX"),
        ("DescribePhoneNumbers", "iso-country-code", "USA"),
        ("DescribePhoneNumbers", "two-way-enabled", "yes"),
        ("DescribePools", "status", "PENDING"),
        ("DescribeSenderIds", "message-type", "OTP"),
        ("DescribeConfigurationSets", "matching-event-types", "TEXT_LOST"),
        ("DescribeRegistrations", "registration-status", "APPROVED"),
        ("DescribeRegistrationAttachments", "attachment-status", "COMPLETE"),
        ("DescribeVerifiedDestinationNumbers", "status", "ACTIVE"),
    ],
)
async def test_a_filter_value_that_nothing_can_have_is_refused(
    shared: Aws, action: str, name: str, value: str
) -> None:
    """An empty list would hide the mistake until the call meets AWS."""
    status, answer = await shared.raw(action, {"Filters": [{"Name": name, "Values": [value]}]})
    assert (status, answer["__type"]) == (400, "ValidationException")
    assert answer["Reason"] == "INVALID_FILTER_VALUES"


@pytest.mark.parametrize(
    ("name", "value"),
    [("action", "DENY"), ("iso-country-code", "us"), ("expires-before", "soon"), ("created-after", "nan")],
)
async def test_a_filter_value_is_looked_at_where_there_is_nothing_to_filter(
    aws: Aws, name: str, value: str
) -> None:
    """Whether a call is right does not depend on what is stored."""
    made = await aws.sms.create_protect_configuration()
    asked = {
        "ProtectConfigurationId": made["ProtectConfigurationId"],
        "Filters": [{"Name": name, "Values": [value]}],
    }
    status, answer = await aws.raw("ListProtectConfigurationRuleSetNumberOverrides", asked)
    assert (status, answer.get("Reason")) == (400, "INVALID_FILTER_VALUES")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    payload=st.dictionaries(
        st.sampled_from(
            [
                "DestinationPhoneNumber",
                "OriginationIdentity",
                "MessageBody",
                "Context",
                "TimeToLive",
                "MaxPrice",
                "ConfigurationSetName",
                "X",
            ]
        ),
        JSON_VALUES,
    )
)
async def test_no_send_input_ever_makes_a_server_error(shared: Aws, payload: dict[str, Any]) -> None:
    """Whatever arrives, the answer is a success or a modelled 400."""
    status, answer = await shared.raw("SendTextMessage", payload)
    assert status in {200, 400}, answer


@pytest.mark.parametrize("path", ["faults", "carriers", "clock", "inbound", "reviews"])
async def test_control_endpoints_refuse_nonsense(shared: Aws, path: str) -> None:
    """A typo in a test's set-up must not pass in silence."""
    for body in (b"{", b'{"nonsense": 1}', b"[]"):
        async with shared.http.post(f"{shared.base_url}/_emulator/{path}", data=body) as answer:
            assert answer.status == 422
            assert "error" in msgspec.json.decode(await answer.read())


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("faults", {"actions": {"SendTextMessage": {"throttle_rate": 30}}}),
        ("faults", {"actions": {"*": {"error_rate": -0.1}}}),
        ("faults", {"actions": {"*": {"latency_ms": -1}}}),
        ("faults", {"actions": {"*": {"latency_after_ms": 1e300}}}),
        ("faults", {"receipts": {"lose_rate": 1.5}}),
        ("faults", {"receipts": {"delay_ms": -1}}),
        ("carriers", {"US": {"delay_ms": -1}}),
    ],
)
async def test_control_endpoints_refuse_shares_and_times_that_are_none(
    shared: Aws, path: str, body: dict[str, Any]
) -> None:
    """30 for 30 % would befall every call, and a test would hold for the wrong reason."""
    async with shared.http.post(f"{shared.base_url}/_emulator/{path}", json=body) as answer:
        assert answer.status == 422
        assert "delay" in (text := await answer.text()) or "rate" in text or "latency" in text


@pytest.mark.parametrize("asked", ["messages?limit", "messages?offset", "arrivals?after"])
async def test_control_endpoints_refuse_numbers_that_nothing_is_counted_to(shared: Aws, asked: str) -> None:
    """Five thousand digits are a mistake of the caller's, not of the emulator's."""
    async with shared.http.get(f"{shared.base_url}/_emulator/{asked}={'9' * 5000}") as answer:
        assert answer.status == 422
