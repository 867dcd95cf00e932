"""
What an exception of the AWS client says about a send: the one table from code and Reason to outcome.

Pure. Branches on modelled codes and on `Reason`, never on message text, and on the HTTP status where there is
no code or it tells of a server's fault: NotFound and AccessDenied are 400 like everything else.
SendTextMessage has no ClientToken, so whatever may have left the machine without a definite refusal is
Unknown, and is never sent again blindly.

    what came back                                            outcome
    ThrottlingException, 429                                  not sent, throttled: the lane slows down
    ConflictException, ValidationException                    by its Reason (aws_reasons); else refused
    ResourceNotFoundException                                 not sent, the sender's fault: its line waits
    AccessDenied, ServiceQuotaExceeded, bad credentials       not sent, the account's fault: the route waits
    any other 4xx, such as a proxy's                          not sent, the account's fault
    no connection, no TLS                                     not sent, passing
    5xx (whatever it says), 408, a timeout, a reset, ...      unknown
"""

import re
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

from gateway.carrier.aws_reasons import NO_CREDENTIALS, OF_ACCOUNT, OF_MESSAGE, OF_SENDER
from gateway.carrier.ports import NotSent, Outcome, Refused, Unknown
from gateway.carrier.wire import NeverConnected

_THROTTLED = frozenset(
    {"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"}
)
_SERVER = frozenset(
    {"InternalServerException", "InternalFailure", "InternalServerError", "ServiceUnavailable"}
)
_OF_THE_REQUEST = frozenset({"ValidationException", "ValidationError", "ConflictException"})
"""Exceptions that are about this one request, unless their Reason says otherwise."""
_NOT_FOUND = "ResourceNotFoundException"
_NAME = re.compile(r"[A-Za-z0-9_.]{1,80}")
_TOO_MANY_REQUESTS = 429
_REQUEST_TIMEOUT = 408
_CLIENT_ERRORS = range(400, 500)

_THROTTLE_MS = 1_000
_CONNECT_MS = 1_000
_OPERATOR_MS = 5_000
"""A message comes back to its line soon; the line itself waits for as long as the fault lasts."""


def classify(error: BaseException) -> Outcome:
    """Return what `error`, raised by one SendTextMessage call, says about the message."""
    match error:
        case ClientError():
            return _modelled(error.response)
        case EndpointConnectionError() if _never_connected(error):
            return NotSent(reason="connect_failed", retry_after_ms=_CONNECT_MS)
        case ConnectTimeoutError() | SSLError() | ProxyConnectionError() | NeverConnected():
            return NotSent(reason="connect_failed", retry_after_ms=_CONNECT_MS)
        case NoCredentialsError() | PartialCredentialsError():
            return NotSent(reason=NO_CREDENTIALS, retry_after_ms=_OPERATOR_MS, fault="account")
        case _:
            return Unknown(reason=type(error).__name__)


def judge(*, code: str, reason: str, status: int) -> Outcome:
    """
    Return what an answer that is no success says about the message.

    Args:
        code: The exception's name without its namespace, or "" where the body named none.
        reason: The `Reason` member, or "".
        status: HTTP's; decides where the code is not the service's, and of a server's fault in any case: AWS
            refuses with 400, so a 5xx that speaks of throttling may be of what stands behind the accept.
    """
    code, reason = _name(code), _name(reason)
    if code in _SERVER or status not in _CLIENT_ERRORS or status == _REQUEST_TIMEOUT:
        return Unknown(reason=code or f"http_{status}")
    if code in _THROTTLED or status == _TOO_MANY_REQUESTS:
        return NotSent(reason="throttled", retry_after_ms=_THROTTLE_MS, fault="throttled")
    if (known := OF_MESSAGE.get(reason)) is not None:
        return _refused(code, reason, known.code, known.detail)
    if code == _NOT_FOUND or reason in OF_SENDER:
        return NotSent(reason=reason or code, retry_after_ms=_OPERATOR_MS, fault="sender")
    if code in _OF_THE_REQUEST and reason not in OF_ACCOUNT:
        return _refused(code, reason, "carrier_refused", "AWS refused the message.")
    return NotSent(reason=reason or code or f"http_{status}", retry_after_ms=_OPERATOR_MS, fault="account")


def _name(word: str) -> str:
    """Return a code or reason; nothing for what is none: anybody on the way may have written it."""
    return word if _NAME.fullmatch(word) else ""


def _never_connected(error: EndpointConnectionError) -> bool:
    """Tell it from a connection that broke after the request left: only the cause differs."""
    return isinstance(error.kwargs.get("error"), ClientConnectorError | socket.gaierror)


def _modelled(response: Any) -> Outcome:
    return judge(
        code=str(response.get("Error", {}).get("Code", "")),
        reason=str(response.get("Reason", "")),
        status=int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)),
    )


def _refused(code: str, reason: str, ours: str, detail: str) -> Refused:
    """Name AWS's own words only where ours are general: tenants see them."""
    if ours != "carrier_refused":
        return Refused(code=ours, detail=detail)
    return Refused(
        code=ours, detail=f"{detail} AWS said {code} ({reason})." if reason else f"{detail} AWS said {code}."
    )
