"""Every error that the SDK's own model knows, as one SendTextMessage could raise it."""

import socket
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from aiohttp import ClientOSError
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    ReadTimeoutError,
)

from gateway.carrier.aws_errors import classify
from gateway.carrier.aws_reasons import (
    NO_CREDENTIALS,
    NOT_OF_SENDS,
    OF_ACCOUNT,
    OF_MESSAGE,
    OF_SENDER,
    counted_as,
)
from gateway.carrier.ports import NotSent, Refused, Unknown

CODES_OF_REASONS = {
    "DESTINATION_PHONE_NUMBER_OPTED_OUT": "opted_out",
    "DESTINATION_PHONE_NUMBER_NOT_VERIFIED": "destination_not_verified",
    "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY": "no_originator",
    "SENDER_ID_NOT_SUPPORTED": "no_originator",
    "SENDER_ID_NOT_REGISTERED": "sender_not_registered",
    "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION": "protect_blocked",
    "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE": "protect_blocked",
    "DESTINATION_COUNTRY_BLOCKED": "country_blocked",
    "PRICE_OVER_THRESHOLD": "price_over_max",
    "INVALID_PARAMETER": "carrier_refused",
}
"""A sample that is written down twice on purpose: these codes are promised to tenants."""
WAITS_FOR_THE_SENDER = {
    "NO_ORIGINATION_IDENTITIES_FOUND",
    "RESOURCE_NOT_ACTIVE",
    "RESOURCE_NOT_ACCESSIBLE",
    "MESSAGE_TYPE_MISMATCH",
    "OPT_OUT_LIST_MISMATCH",
}
WAITS_FOR_THE_ACCOUNT = {
    "ACCOUNT_DISABLED",
    "INSUFFICIENT_ACCOUNT_REPUTATION",
    "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT",
}
PLACES = (OF_MESSAGE.keys(), OF_SENDER, OF_ACCOUNT, NOT_OF_SENDS)
FAULT_OF_CODE = {"ResourceNotFoundException": "sender", "ThrottlingException": "throttled"}
"""Exceptions whose fault is the same whatever their Reason; any other is the account's."""


def modelled() -> Iterator[tuple[str, str | None]]:
    """Return each code of the service that is a 400, with each of its reasons and without one."""
    model = botocore.session.get_session().get_service_model("pinpoint-sms-voice-v2")
    for shape in model.error_shapes:
        if shape.name != "InternalServerException":
            yield shape.name, None
            reason = shape.members.get("Reason")
            for name in reason.enum if reason is not None else ():
                yield shape.name, name


def error(code: str, reason: str | None, status: int = 400) -> ClientError:
    """Return what the client raises for an answer."""
    response: dict[str, Any] = {
        "Error": {"Code": code, "Message": "any text"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    if reason is not None:
        response["Reason"] = reason
    return ClientError(response, "SendTextMessage")


def test_every_reason_of_the_model_has_exactly_one_place_in_the_table() -> None:
    """A reason that AWS adds must be judged by a person before a queue is failed or stopped by it."""
    reasons = {reason for _, reason in modelled() if reason}
    assert len(reasons) > 90
    assert {reason: sum(reason in place for place in PLACES) for reason in reasons} == dict.fromkeys(
        reasons, 1
    )


def test_no_reason_has_two_places() -> None:
    """The table could otherwise say two things of reasons that the installed model does not have yet."""
    named = [reason for place in PLACES for reason in place]
    assert len(named) == len(set(named))


def test_a_reason_that_is_new_in_the_model_is_noticed() -> None:
    """The first test of this file can fail."""
    assert not any("A_REASON_OF_NEXT_YEAR" in place for place in PLACES)


def expected_fault(code: str, reason: str | None) -> str | None:
    """Return whose fault a modelled refusal is, None where it is the message's own."""
    if reason in OF_MESSAGE:
        return None
    if code in FAULT_OF_CODE:
        return FAULT_OF_CODE[code]
    if reason in OF_SENDER:
        return "sender"
    if code in {"ConflictException", "ValidationException"} and reason not in OF_ACCOUNT:
        return None
    return "account"


@pytest.mark.parametrize(("code", "reason"), list(modelled()))
def test_a_modelled_refusal_is_never_unknown(code: str, reason: str | None) -> None:
    """AWS said no: the text was not taken, and the outcome says whose fault that is."""
    outcome = classify(error(code, reason))
    fault = expected_fault(code, reason)
    if fault is None:
        assert isinstance(outcome, Refused)
        assert outcome.code != "carrier_refused" or (reason or code) in outcome.detail
    else:
        assert isinstance(outcome, NotSent)
        assert outcome.fault == fault
        assert outcome.reason == ("throttled" if fault == "throttled" else reason or code)
        assert 0 < outcome.retry_after_ms <= 60_000


@pytest.mark.parametrize(("reason", "code"), CODES_OF_REASONS.items())
def test_a_message_that_cannot_be_sent_fails_with_its_code(reason: str, code: str) -> None:
    """Tenants branch on these."""
    outcome = classify(error("ConflictException", reason))
    assert isinstance(outcome, Refused)
    assert outcome.code == code


@pytest.mark.parametrize("reason", sorted(WAITS_FOR_THE_SENDER))
@pytest.mark.parametrize("code", ["ConflictException", "ValidationException"])
def test_what_the_operator_can_mend_at_a_sender_keeps_its_messages(code: str, reason: str) -> None:
    """A number that is being moved to a pool must not fail whoever writes to it in that minute."""
    outcome = classify(error(code, reason))
    assert isinstance(outcome, NotSent)
    assert outcome.fault == "sender"


@pytest.mark.parametrize(
    ("code", "reason", "status"),
    [
        ("AccessDeniedException", None, 400),
        *(("AccessDeniedException", reason, 400) for reason in sorted(WAITS_FOR_THE_ACCOUNT)),
        ("ServiceQuotaExceededException", "A_QUOTA_OF_NEXT_YEAR", 400),
        ("ExpiredTokenException", None, 400),
        ("InvalidClientTokenId", None, 403),
        ("OptInRequired", None, 403),
        ("403", None, 403),
        ("", None, 407),
    ],
)
def test_a_broken_policy_or_account_fails_no_message(code: str, reason: str | None, status: int) -> None:
    """One wrong line in an IAM policy would otherwise finalise a whole queue within seconds."""
    outcome = classify(error(code, reason, status))
    assert isinstance(outcome, NotSent)
    assert outcome.fault == "account"


@pytest.mark.parametrize(
    "code", ["", "User: arn:aws:sts::111122223333:assumed-role/x", "<html>", "x" * 81, "AccessDenied\n"]
)
def test_a_refusal_that_is_no_codes_is_told_by_its_status(code: str) -> None:
    """Tenants read it, and a proxy on the way may write what it likes."""
    outcome = classify(error(code, code, 403))
    assert isinstance(outcome, NotSent)
    assert outcome.reason == "http_403"


def test_metrics_count_the_reasons_that_are_known_and_no_others() -> None:
    """A label that anybody on the way could fill grows until the process ends."""
    known = {*OF_SENDER, *OF_ACCOUNT, NO_CREDENTIALS, "AccessDeniedException", "ResourceNotFoundException"}
    assert {counted_as(reason) for reason in known} == known
    assert {counted_as(reason) for reason in ("http_407", "A_REASON_OF_NEXT_YEAR", "")} == {"other"}


def test_a_throttle_without_a_modelled_code_slows_the_lane() -> None:
    """A proxy on the way may say it in HTTP alone."""
    outcome = classify(error("429", None, 429))
    assert isinstance(outcome, NotSent)
    assert outcome.fault == "throttled"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("InternalServerException", 500),
        ("ServiceUnavailable", 503),
        ("ThrottlingException", 500),
        ("ThrottlingException", 503),
        ("SomethingNew", 500),
        ("", 502),
        ("", 408),
        ("", 200),
    ],
)
def test_a_failure_of_the_service_leaves_the_outcome_unknown(code: str, status: int) -> None:
    """It may have failed after taking the text."""
    assert isinstance(classify(error(code, None, status)), Unknown)


@pytest.mark.parametrize(
    "raised",
    [
        EndpointConnectionError(endpoint_url="http://127.0.0.1:1", error=socket.gaierror()),
        ConnectTimeoutError(endpoint_url="http://127.0.0.1:1"),
        NoCredentialsError(),
    ],
    ids=lambda raised: type(raised).__name__,
)
def test_what_fails_before_the_request_leaves_is_not_sent(raised: Exception) -> None:
    """The request was never on the wire."""
    assert isinstance(classify(raised), NotSent)


@pytest.mark.parametrize(
    "raised",
    [
        ReadTimeoutError(endpoint_url="http://127.0.0.1:1"),
        ConnectionClosedError(endpoint_url="http://127.0.0.1:1"),
        EndpointConnectionError(endpoint_url="http://127.0.0.1:1", error=ClientOSError()),
        EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
        HTTPClientError(error="the response made no sense"),
        TimeoutError(),
        ConnectionResetError(),
        ValueError("a defect of a library"),
    ],
    ids=lambda raised: type(raised).__name__,
)
def test_what_fails_after_the_request_may_have_left_is_unknown(raised: Exception) -> None:
    """Also what nobody has thought of: a second text costs more than a late one."""
    assert isinstance(classify(raised), Unknown)
