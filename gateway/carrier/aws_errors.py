"""
What an exception of the AWS client says about a send: the one table from code and Reason to outcome.

Pure. Branches on modelled codes and on `Reason`, never on message text or HTTP status: NotFound and
AccessDenied are 400 like everything else. SendTextMessage has no ClientToken, so whatever may have left the
machine without a definite refusal is Unknown, and is never sent again blindly.
"""

import socket
from typing import Any

from aiohttp import ClientConnectorError
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    ProxyConnectionError,
    SSLError,
)

from gateway.carrier.ports import NotSent, Outcome, Refused, Unknown

_THROTTLED = frozenset(
    {"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"}
)
_CREDENTIALS = frozenset(
    {
        "ExpiredTokenException", "ExpiredToken", "UnrecognizedClientException", "InvalidClientTokenId",
        "InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignature", "RequestExpired",
        "MissingAuthenticationToken", "OptInRequired", "NotAuthorized",
    }
)  # fmt: skip
_SERVER = frozenset(
    {"InternalServerException", "InternalFailure", "InternalServerError", "ServiceUnavailable"}
)
_SERVER_ERROR = 500

_THROTTLE_MS = 1_000
_QUOTA_MS = 60_000
_OPERATOR_MS = 30_000
_CONNECT_MS = 1_000

_REASONS: dict[str, tuple[str, str]] = {
    "DESTINATION_PHONE_NUMBER_OPTED_OUT": (
        "opted_out",
        "The recipient is on an opt-out list at AWS; only the person can opt in again.",
    ),
    "DESTINATION_PHONE_NUMBER_NOT_VERIFIED": (
        "destination_not_verified",
        "The AWS account is in its sandbox and the number is not verified; the operator can verify it.",
    ),
    "NO_ORIGINATION_IDENTITIES_FOUND": (
        "no_originator",
        "AWS has no origination identity of this tenant for the country; the operator can provision one.",
    ),
    "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION": (
        "protect_blocked",
        "A protect configuration at AWS blocks the country.",
    ),
    "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE": (
        "protect_blocked",
        "A protect configuration at AWS blocks the number.",
    ),
    "DESTINATION_COUNTRY_BLOCKED": ("country_blocked", "AWS does not carry texts to this country."),
    "COUNTRY_NOT_ENABLED": ("country_blocked", "The country is not enabled for the AWS account."),
    "PRICE_OVER_THRESHOLD": (
        "price_over_max",
        "AWS's price is above the MaxPrice behind the hold; the operator's price book is behind.",
    ),
    "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY": (
        "no_originator",
        "The sender cannot reach this country; use one that serves it.",
    ),
    "SENDER_ID_NOT_REGISTERED": ("sender_not_registered", "The sender id is not registered in this country."),
    "SENDER_ID_NOT_SUPPORTED": ("no_originator", "The country does not support sender ids."),
}


def classify(error: BaseException) -> Outcome:
    """Return what `error`, raised by one SendTextMessage call, says about the message."""
    match error:
        case ClientError():
            return _modelled(error.response)
        case EndpointConnectionError() if _never_connected(error):
            return NotSent(reason="connect_failed", retry_after_ms=_CONNECT_MS)
        case ConnectTimeoutError() | SSLError() | ProxyConnectionError() | ClientConnectorError():
            return NotSent(reason="connect_failed", retry_after_ms=_CONNECT_MS)
        case NoCredentialsError() | PartialCredentialsError():
            return NotSent(reason="no_credentials", retry_after_ms=_OPERATOR_MS)
        case _:
            return Unknown(reason=type(error).__name__)


def _never_connected(error: EndpointConnectionError) -> bool:
    """Tell it from a connection that broke after the request left: only the cause differs."""
    return isinstance(error.kwargs.get("error"), ClientConnectorError | socket.gaierror)


def _modelled(response: Any) -> Outcome:
    code = str(response.get("Error", {}).get("Code", ""))
    reason = str(response.get("Reason", ""))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in _THROTTLED:
        return NotSent(reason="throttled", retry_after_ms=_THROTTLE_MS)
    if code in _SERVER or status >= _SERVER_ERROR:
        return Unknown(reason=code or f"http_{status}")
    if code in _CREDENTIALS:
        return NotSent(reason=code, retry_after_ms=_OPERATOR_MS)
    if code == "ServiceQuotaExceededException":
        return NotSent(reason=reason or code, retry_after_ms=_QUOTA_MS)
    if reason == "RESOURCE_NOT_ACCESSIBLE":
        return NotSent(reason=reason, retry_after_ms=_OPERATOR_MS)
    return _refused(code, reason)


def _refused(code: str, reason: str) -> Refused:
    known = _REASONS.get(reason)
    if known is not None:
        return Refused(code=known[0], detail=known[1])
    said = f"{code} ({reason})" if reason else code
    return Refused(code="carrier_refused", detail=f"AWS refused the message: {said}.")
