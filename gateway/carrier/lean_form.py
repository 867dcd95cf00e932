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
from uuid import uuid4

from msgspec import Struct

from gateway.carrier.credentials import Keys

_ALGORITHM = "AWS4-HMAC-SHA256"
_AUTHORIZATION = re.compile(
    rf"{_ALGORITHM} Credential=[^/]+/\d{{8}}/(?P<scope>[^/]+/[^/]+/aws4_request), "
    r"SignedHeaders=(?P<signed>[a-z0-9;-]+), "
)
_DATE, _TOKEN, _SIGNED, _LENGTH = "X-Amz-Date", "X-Amz-Security-Token", "Authorization", "Content-Length"
_SIGNED_DATE, _SIGNED_TOKEN = _DATE.lower(), _TOKEN.lower()
_INVOCATION = "amz-sdk-invocation-id"
_OF_THE_CALL = frozenset({_DATE, _TOKEN, _SIGNED, _LENGTH, _INVOCATION})
_LAST = "Accept-Encoding: identity\r\nAccept: */*\r\n\r\n"
"""Unsigned; aiobotocore and its HTTP client add them last."""
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Unfit(Exception):
    """The SDK's request has a form that is not known here; the text says in what."""


class LeanForm(Struct, frozen=True, kw_only=True):
    """What all requests of one route have in common."""

    url: str
    path: str
    scope: str
    """`us-east-1/sms-voice/aws4_request`."""
    names: tuple[str, ...]
    """Headers in the SDK's order."""
    fixed: dict[str, str]
    known: dict[str, str]
    """What may be signed of it, by lower-case name, the host included."""
    signed: tuple[str, ...]
    """Lower-case names of the signed headers without the token, which not all keys have."""

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
        fixed = {name: value for name, value in headers.items() if name not in _OF_THE_CALL}
        form = cls(
            url=url,
            path=parts.path or "/",
            scope=found["scope"],
            names=tuple(name for name in headers if name != _TOKEN),
            fixed=fixed,
            known={name.lower(): value for name, value in fixed.items()}
            | {"host": f"{parts.hostname}{port}"},
            signed=tuple(name for name in found["signed"].split(";") if name != _SIGNED_TOKEN),
        )
        if strange := set(form.signed) - set(form._signable("", "")):
            raise Unfit(f"it signs headers that are not known here: {', '.join(sorted(strange))}")
        return form

    def headers(self, body: bytes, keys: Keys, *, at: str, invocation: str) -> dict[str, str]:
        """
        Return the headers of one request, in the order of the SDK.

        Args:
            at: The instant in UTC as `20260131T235959Z`.
            invocation: A new UUID; AWS tells retries by it, of which there are none.
        """
        varying = {
            _DATE: at,
            _LENGTH: str(len(body)),
            _INVOCATION: invocation,
            _SIGNED: self._authorization(body, keys, at),
        }
        result: dict[str, str] = {}
        for name in self.names:
            result[name] = varying.get(name) or self.fixed[name]
            if name == _DATE and keys.token:
                result[_TOKEN] = keys.token
        return result

    def request(self, body: bytes, keys: Keys, *, at: str, invocation: str) -> bytes:
        """Return the bytes of one request: `headers`, with what the SDK's HTTP client puts around them."""
        headers = self.headers(body, keys, at=at, invocation=invocation)
        lines = "\r\n".join([f"{name}: {value}" for name, value in headers.items()])
        return (
            f"POST {self.path} HTTP/1.1\r\nHost: {self.known['host']}\r\n{lines}\r\n{_LAST}".encode() + body
        )

    def _authorization(self, body: bytes, keys: Keys, at: str) -> str:
        values = self._signable(at, keys.token or "")
        names = sorted((*self.signed, _SIGNED_TOKEN)) if keys.token else self.signed
        lines = "\n".join(f"{name}:{values[name]}" for name in names)
        signed = ";".join(names)
        canonical = f"POST\n{self.path}\n\n{lines}\n\n{signed}\n{sha256(body).hexdigest()}"
        scope = f"{at[:8]}/{self.scope}"
        to_sign = f"{_ALGORITHM}\n{at}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        signature = hmac.digest(_signing_key(keys.secret_key, scope), to_sign.encode(), "sha256").hex()
        who = f"Credential={keys.access_key}/{scope}"
        return f"{_ALGORITHM} {who}, SignedHeaders={signed}, Signature={signature}"

    def _signable(self, at: str, token: str) -> dict[str, str]:
        return {**self.known, _SIGNED_DATE: at, _SIGNED_TOKEN: token}


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
