"""
The REST API from the other side, over plain HTTP: for the command line and for `tollgate dev`.

Nothing of the gateway is imported, so a shell on any machine starts it in a moment.
"""

import json
from http import HTTPStatus
from http.client import HTTPException, IncompleteRead
from shutil import copyfileobj
from typing import Any, BinaryIO, Final, cast
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from msgspec import Struct

from gateway.errors import ConfigurationError, GatewayError

_DEADLINE_S: Final = 120.0
"""Provisioning is paced at AWS's one request a second."""
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
PAGE: Final = 100

Json = Any


class ApiUnreachable(GatewayError):
    """Nothing answers at the API's address, or something else does."""


class ApiRefused(GatewayError):
    """The API said no: what, and the way out where it names one."""

    def __init__(self, status: int, problem: dict[str, Json]) -> None:
        super().__init__(sentence_of(status, problem))
        self.status = status
        self.code: str = str(problem.get("code", "unknown"))
        self.problem = problem


class Answer(Struct, frozen=True, kw_only=True):
    """A response below 400."""

    status: int
    headers: dict[str, str]
    """With lower-case names."""
    body: Json


class Client:
    """
    One key on one API. Calls block.

    Raises:
        ConfigurationError: No key can look like this one.
        ApiUnreachable: `base_url` is no URL of an API.
    """

    def __init__(self, base_url: str, key: str) -> None:
        if not key.isascii() or not key.isprintable():
            raise ConfigurationError(
                "the key holds a line break or a letter beyond ASCII, which no key does: "
                "give it with --key or TOLLGATE_API_KEY as it was shown"
            )
        self._base_url = base_url.rstrip("/")
        self._key = key
        self._opener = _opener(self._base_url)

    def speaking(self, key: str) -> "Client":
        """Return a client of the same API with another key."""
        return Client(self._base_url, key)

    def call(
        self,
        method: str,
        path: str,
        body: Json = None,
        *,
        query: dict[str, Json] | None = None,
        idempotency_key: str | None = None,
        content: bytes | None = None,
    ) -> Answer:
        """
        Return the answer to one request; its body is JSON, or the bytes of a file.

        Raises:
            ApiRefused: The status is 400 or above.
            ApiUnreachable: There was no answer.
        """
        request = Request(  # noqa: S310 - the operator's own URL, held to http and https by _opener
            self._base_url + path + _query(query),
            data=content if body is None else json.dumps(body).encode(),
            method=method,
            headers=self._headers(body, idempotency_key, content),
        )
        try:
            with self._opener.open(request, timeout=_DEADLINE_S) as response:
                return self._answer(response.status, dict(response.headers), response.read())
        except HTTPError as error:
            raise self._refusal(error) from error
        except (URLError, OSError, HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise ApiUnreachable(
                f"no answer from {self._base_url} ({reason}): is it running, and is --api-url right?"
            ) from error

    def get(self, path: str, **query: Json) -> Json:
        """Return the body of a GET."""
        return self.call("GET", path, query=query).body

    def download(self, path: str, into: BinaryIO, **query: Json) -> None:
        """
        Write the body of a GET as it comes, whatever its length.

        Raises:
            ApiRefused: The status is 400 or above; nothing is written.
            ApiUnreachable: There was no answer, or it broke off: what is written is not whole.
        """
        given = {name: value for name, value in query.items() if value is not None}
        self._fetch("GET", path + (f"?{urlencode(given, doseq=True)}" if given else ""), into)

    def download_posted(self, path: str, into: BinaryIO) -> None:
        """Do the same with a POST that has no body."""
        self._fetch("POST", path, into)

    def post(self, path: str, body: Json = None, *, idempotency_key: str | None = None) -> Json:
        """Return the body of a POST."""
        return self.call("POST", path, body, idempotency_key=idempotency_key).body

    def delete(self, path: str) -> None:
        """DELETE one thing."""
        self.call("DELETE", path)

    def rows(self, path: str, *, limit: int, **query: Json) -> list[Json]:
        """Return up to `limit` rows of a list, over as many pages as that takes."""
        found: list[Json] = []
        after: str | None = None
        while len(found) < limit:
            page = self.get(path, limit=min(PAGE, limit - len(found)), after=after, **query)
            found.extend(page["data"])
            after = page["next_cursor"]
            if after is None:
                break
        return found

    def _fetch(self, method: str, path: str, into: BinaryIO) -> None:
        request = Request(  # noqa: S310 - as in call
            self._base_url + path, headers=self._headers(None, None) | {"Accept": "*/*"}, method=method
        )
        try:
            with self._opener.open(request, timeout=_DEADLINE_S) as response:
                copyfileobj(response, into)
                if response.length:  # what was announced and did not come; no read by pieces tells of it
                    raise IncompleteRead(b"", response.length)
        except HTTPError as error:
            raise self._refusal(error) from error
        except (URLError, OSError, HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise ApiUnreachable(
                f"the answer of {self._base_url} did not come whole ({reason}): ask again"
            ) from error

    def _answer(self, status: int, headers: dict[str, str], content: bytes) -> Answer:
        named = {name.lower(): value for name, value in headers.items()}
        kind = named.get("content-type", "")
        try:
            return Answer(status=status, headers=named, body=_body(kind, content))
        except ValueError as error:
            raise ApiUnreachable(
                f"what answers at {self._base_url} is not Tollgate's API (it sent {kind or 'no JSON'}): "
                "is --api-url right?"
            ) from error

    def _refusal(self, error: HTTPError) -> GatewayError:
        if HTTPStatus.MULTIPLE_CHOICES <= error.code < HTTPStatus.BAD_REQUEST:
            return ApiUnreachable(
                f"{self._base_url} sends on to {error.headers.get('Location')}, and a key is given to nobody "
                "else: name the API's own address with --api-url or TOLLGATE_API_URL"
            )
        return ApiRefused(error.code, _problem(error.read()))

    def _headers(
        self, body: Json, idempotency_key: str | None, content: bytes | None = None
    ) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self._key}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        elif content is not None:
            headers["Content-Type"] = "application/octet-stream"
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        return headers


def path_of(*segments: str) -> str:
    """Return a path of `/v1` with each segment quoted."""
    return "/".join(("/v1", *(quote(segment, safe="") for segment in segments)))


def sentence_of(status: int, problem: dict[str, Json]) -> str:
    """Return a problem+json as sentences: what happened, to which field, and where it is explained."""
    code = problem.get("code", "unknown")
    said = [
        f"{problem.get('title', 'The request was refused')} ({status} {code}): {problem.get('detail', '-')}"
    ]
    faults: list[dict[str, Json]] = problem.get("errors") or []
    said += [f"{fault.get('field')}: {fault.get('detail')}" for fault in faults]
    if (wait_ms := problem.get("retry_after_ms")) is not None:
        said.append(f"It may succeed in {_spoken_wait(wait_ms / 1000)}.")
    if (page := problem.get("type")) not in {None, "about:blank"}:
        said.append(f"What to do: {page}")
    return "\n  ".join(said)


def _spoken_wait(seconds: float) -> str:
    """Return a wait in the largest unit of which it has at least two."""
    for unit, name in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.1f} {name}"
    return f"{seconds:.1f} s"


def _opener(base_url: str) -> OpenerDirector:
    try:
        parts = urlsplit(base_url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or parts.hostname is None or parts.query or parts.fragment:
        raise ApiUnreachable(f"{base_url!r} is not the URL of an API, such as http://127.0.0.1:8080")
    proxy = ProxyHandler({}) if parts.hostname in _LOOPBACK else ProxyHandler()
    # None that follows redirects: the key would go along to another host, and a POST arrive as a GET.
    handlers = (proxy, HTTPHandler(), HTTPSHandler(), HTTPDefaultErrorHandler(), HTTPErrorProcessor())
    opener = OpenerDirector()
    for handler in handlers:
        opener.add_handler(handler)
    return opener


def _query(query: dict[str, Json] | None) -> str:
    given = {name: value for name, value in (query or {}).items() if value is not None}
    return f"?{urlencode(given)}" if given else ""


def _body(kind: str, content: bytes) -> Json:
    """
    Return JSON as what it says, a file as its text.

    Raises:
        ValueError: It is neither, as where a web page answers.
    """
    if not content:
        return None
    if kind.startswith("text/html"):
        raise ValueError(kind)
    return content.decode() if kind.startswith("text/") else json.loads(content)


def _problem(content: bytes) -> dict[str, Json]:
    """Whatever stands before the API may answer in HTML."""
    try:
        problem: Json = json.loads(content)
    except ValueError:
        return {}
    return cast("dict[str, Json]", problem) if isinstance(problem, dict) else {}
