"""
The form of a signed SendTextMessage request, learned from one that aioboto3 made.

Endpoint, User-Agent, target, signing scope and the set of signed headers come from the SDK's own request, so
an update of the SDK or of its configuration changes both ways of sending alike. What changes from call to
call is the body, the date, the keys and the invocation id; the signature over them is made here (AWS
Signature Version 4, "Create a signed AWS API request") and held to the SDK's before the form is used.
"""

import hmac
import re
import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from urllib.parse import urlsplit

from msgspec import Struct
from uuid_utils import uuid4

from gateway.carrier.credentials import Keys

_ALGORITHM = "AWS4-HMAC-SHA256"
_AUTHORIZATION = re.compile(
    rf"{_ALGORITHM} Credential=[^/]+/\d{{8}}/(?P<scope>[^/]+/[^/]+/aws4_request), "
    r"SignedHeaders=(?P<signed>[a-z0-9;-]+), "
)
_DATE, _TOKEN, _SIGNED = "X-Amz-Date", "X-Amz-Security-Token", "Authorization"
_PLACES = {
    _DATE: "%(at)s%(token_header)s",
    _TOKEN: "",
    _SIGNED: "%(authorization)s",
    "Content-Length": "%(length)d",
    "amz-sdk-invocation-id": "%(invocation)s",
}
"""What stands for the headers that vary; the token comes where the SDK has it, after the date."""
_LAST = "\r\nAccept-Encoding: identity\r\nAccept: */*\r\n\r\n"
"""Unsigned; aiobotocore and its HTTP client add them last."""
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Unfit(Exception):
    """The SDK's request has a form that is not known here; the text says in what."""


class LeanForm(Struct, frozen=True, kw_only=True):
    """
    What all requests of one route have in common: texts with a place for each thing that varies.

    `lines` has `at`, `token_header` (all of it, or nothing: not all keys have a token), `length`,
    `invocation` and `authorization`; `canonical` has `at`, `token` and the digest of the `body`.
    """

    url: str
    scope: str
    """`us-east-1/sms-voice/aws4_request`."""
    start: str
    """What the SDK's HTTP client puts before its headers."""
    lines: str
    """The SDK's headers in its order."""
    canonical: Mapping[bool, str]
    """The canonical request, by whether there is a token."""
    signed: Mapping[bool, str]
    """The names of the signed headers, likewise."""

    @classmethod
    def learn(cls, *, method: str, url: str, headers: Mapping[str, str]) -> "LeanForm":
        """
        Return the form of a prepared request of the SDK.

        Raises:
            Unfit: It is not a POST signed by Signature Version 4 in its headers.
        """
        parts = urlsplit(url)
        found = _AUTHORIZATION.match(headers.get(_SIGNED, ""))
        if method != "POST" or found is None or parts.query:
            raise Unfit("it is not a POST that Signature Version 4 signs by its headers")
        port = "" if parts.port in {None, _DEFAULT_PORTS.get(parts.scheme)} else f":{parts.port}"
        host, path = f"{parts.hostname}{port}", _as_text(parts.path or "/")
        fixed = {name: _as_text(value) for name, value in headers.items() if name not in _PLACES}
        values = fixed | _PLACES
        known = {name.lower(): value for name, value in fixed.items()} | {
            "host": _as_text(host),
            _DATE.lower(): "%(at)s",
            _TOKEN.lower(): "%(token)s",
        }
        signed = set(found["signed"].split(";"))
        if strange := signed - set(known):
            raise Unfit(f"it signs headers that are not known here: {', '.join(sorted(strange))}")
        names = {
            with_token: sorted(signed | {_TOKEN.lower()} if with_token else signed - {_TOKEN.lower()})
            for with_token in (False, True)
        }
        return cls(
            url=url,
            scope=found["scope"],
            start=f"POST {path} HTTP/1.1\r\nHost: {known['host']}\r\n",
            lines="\r\n".join(f"{name}: {values[name]}" for name in headers if name != _TOKEN),
            canonical={each: _canonical(path, names[each], known) for each in names},
            signed={each: ";".join(names[each]) for each in names},
        )

    def headers(self, body: bytes, keys: Keys, *, at: str, invocation: str) -> dict[str, str]:
        """
        Return the headers of one request, in the order of the SDK.

        Args:
            at: The instant in UTC as `20260131T235959Z`.
            invocation: A new UUID; AWS tells retries by it, of which there are none.
        """
        lines = self.lines % self._filled(body, keys, at, invocation)
        return dict(line.split(": ", 1) for line in lines.split("\r\n"))

    def request(self, body: bytes, keys: Keys, *, at: str, invocation: str) -> bytes:
        """Return the bytes of one request: `headers`, with what the SDK's HTTP client puts around them."""
        head = self.start + self.lines + _LAST
        return (head % self._filled(body, keys, at, invocation)).encode() + body

    def _filled(self, body: bytes, keys: Keys, at: str, invocation: str) -> Mapping[str, object]:
        return {
            "at": at,
            "token_header": f"\r\n{_TOKEN}: {keys.token}" if keys.token else "",
            "length": len(body),
            "invocation": invocation,
            "authorization": self._authorization(body, keys, at),
        }

    def _authorization(self, body: bytes, keys: Keys, at: str) -> str:
        has_token = bool(keys.token)
        digest = sha256(body).hexdigest()
        canonical = self.canonical[has_token] % {"at": at, "token": keys.token, "body": digest}
        scope = f"{at[:8]}/{self.scope}"
        to_sign = f"{_ALGORITHM}\n{at}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        signature = hmac.digest(_signing_key(keys.secret_key, scope), to_sign.encode(), "sha256").hex()
        who = f"Credential={keys.access_key}/{scope}"
        return f"{_ALGORITHM} {who}, SignedHeaders={self.signed[has_token]}, Signature={signature}"


def _canonical(path: str, names: Sequence[str], known: Mapping[str, str]) -> str:
    lines = "\n".join(f"{name}:{known[name]}" for name in names)
    return f"POST\n{path}\n\n{lines}\n\n{';'.join(names)}\n%(body)s"


def _as_text(learned: str) -> str:
    """Return what the SDK wrote as a text in which it has no places."""
    return learned.replace("%", "%%")


@lru_cache(maxsize=64)
def _signing_key(secret: str, scope: str) -> bytes:
    """Return the key of one day; it is derived in four steps from the secret."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


class Stamps:
    """The instant of a signature, and the id of an invocation."""

    def __init__(
        self,
        seconds: Callable[[], float] = time.time,
        invocation: Callable[[], str] = lambda: str(uuid4()),
    ) -> None:
        self._seconds = seconds
        self.invocation = invocation
        self._written: tuple[int, str] = (-1, "")

    def at(self) -> str:
        """Return the present second as Signature Version 4 writes it."""
        second = int(self._seconds())
        if self._written[0] != second:
            self._written = second, time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))
        return self._written[1]


def differences(ours: Mapping[str, str], theirs: Mapping[str, str]) -> Sequence[str]:
    """Return the names of headers that are not the same in both."""
    return sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))
