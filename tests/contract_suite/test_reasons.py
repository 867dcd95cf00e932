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
from gateway.carrier.ports import NotSent, Refused, Unknown

CODES_OF_REASONS = {
    "DESTINATION_PHONE_NUMBER_OPTED_OUT": "opted_out",
    "DESTINATION_PHONE_NUMBER_NOT_VERIFIED": "destination_not_verified",
    "NO_ORIGINATION_IDENTITIES_FOUND": "no_originator",
    "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY": "no_originator",
    "SENDER_ID_NOT_SUPPORTED": "no_originator",
    "SENDER_ID_NOT_REGISTERED": "sender_not_registered",
    "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION": "protect_blocked",
    "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE": "protect_blocked",
    "DESTINATION_COUNTRY_BLOCKED": "country_blocked",
    "PRICE_OVER_THRESHOLD": "price_over_max",
}
"""Reasons that tenants are told in words of our own; any other refusal is ``carrier_refused``."""
WORTH_WAITING = {"RESOURCE_NOT_ACCESSIBLE"}
"""Refusals beside quotas that the operator can end while the text waits."""


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


def test_the_model_still_has_the_reasons_that_the_table_names() -> None:
    """A renamed one would quietly become ``carrier_refused``."""
    reasons = {reason for _, reason in modelled()}
    assert len(reasons) > 90
    assert reasons.issuperset(CODES_OF_REASONS)
    assert reasons.issuperset(WORTH_WAITING)


@pytest.mark.parametrize(("code", "reason"), list(modelled()))
def test_a_modelled_refusal_is_never_unknown(code: str, reason: str | None) -> None:
    """AWS said no: the text was not taken, and the outcome says why."""
    outcome = classify(error(code, reason))
    if code == "ThrottlingException":
        assert outcome == NotSent(reason="throttled", retry_after_ms=1_000)
    elif code == "ServiceQuotaExceededException" or reason in WORTH_WAITING:
        assert isinstance(outcome, NotSent)
        assert outcome.reason == (reason or code)
        assert outcome.retry_after_ms > 0
    else:
        assert isinstance(outcome, Refused)
        assert outcome.code == CODES_OF_REASONS.get(reason or "", "carrier_refused")
        assert outcome.code != "carrier_refused" or (reason or code) in outcome.detail


@pytest.mark.parametrize(
    ("code", "status"),
    [("InternalServerException", 500), ("ServiceUnavailable", 503), ("SomethingNew", 500), ("", 502)],
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
