"""Checking SigV4 signatures, when the emulator knows credentials."""

import datetime as dt
import hashlib
import hmac
import re
from urllib.parse import parse_qsl, quote

from gateway.emulator.accounts import secret_of
from gateway.emulator.errors import AwsError
from gateway.emulator.wire import Request

HEADER = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/"
    r"(?P<scope>(?P<date>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request),"
    r"\s*SignedHeaders=(?P<names>[a-z0-9;-]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)
LARGEST_SKEW_S = 900.0


def check_signature(request: Request, credentials: dict[str, str], now_s: float) -> None:
    """Raise what AWS answers unless the request is signed with one of the known keys, in time."""
    if "authorization" not in request.headers:
        raise _refused("MissingAuthenticationTokenException", "Missing Authentication Token", 403)
    found = HEADER.fullmatch(request.headers.get("authorization", ""))
    if found is None:
        raise _refused("IncompleteSignature", "The request signature does not conform to AWS standards", 400)
    secret = secret_of(found["key"], credentials)
    if secret is None:
        raise _refused(
            "UnrecognizedClientException", "The security token included in the request is invalid", 403
        )
    stamp = request.headers.get("x-amz-date", "")
    if abs(_moment_s(stamp) - now_s) > LARGEST_SKEW_S:
        raise _refused("RequestExpired", f"Signature expired: {stamp} is too far from the current time", 400)
    names = found["names"].split(";")
    canonical = canonical_request(request, names)
    to_sign = "\n".join(
        ["AWS4-HMAC-SHA256", stamp, found["scope"], hashlib.sha256(canonical.encode()).hexdigest()]
    )
    expected = hmac.new(_signing_key(secret, found["scope"]), to_sign.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, found["signature"]):
        raise _refused("InvalidSignatureException", "The request signature we calculated does not match", 403)


def canonical_request(request: Request, names: list[str]) -> str:
    """Return the canonical form of a request that its signature covers."""
    pairs = sorted((_escape(k), _escape(v)) for k, v in parse_qsl(request.query, keep_blank_values=True))
    query = "&".join(f"{name}={value}" for name, value in pairs)
    headers = "".join(f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in names)
    digest = hashlib.sha256(request.body).hexdigest()
    return "\n".join(
        [request.method, quote(request.path, safe="/-_.~"), query, headers, ";".join(names), digest]
    )


def _signing_key(secret: str, scope: str) -> bytes:
    key = b"AWS4" + secret.encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def _moment_s(stamp: str) -> float:
    try:
        moment = dt.datetime.strptime(stamp, "%Y%m%dT%H%M%S%z")
    except ValueError as broken:
        raise _refused("IncompleteSignature", "Date must be in ISO-8601 basic format", 400) from broken
    return moment.timestamp()


def _escape(text: str) -> str:
    return quote(text, safe="-_.~")


def _refused(code: str, message: str, status: int) -> AwsError:
    return AwsError(code, message, status=status)
