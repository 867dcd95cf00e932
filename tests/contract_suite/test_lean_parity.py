"""The lean request is aioboto3's, byte for byte: same inputs, same clock, same invocation id."""

import asyncio
import calendar
import contextlib
import time
from typing import Any

import pytest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from gateway.carrier.aws import AwsCarrier, send_config
from gateway.carrier.credentials import RouteKeys
from gateway.carrier.lean import Caught, LeanCarrier, body_of, catch, open_wire, outcome_of
from gateway.carrier.lean_form import LeanForm, Stamps, Unfit, differences
from gateway.carrier.ports import Sent
from gateway.carrier.session import open_session
from tests.contract_suite.lines import a_text

POOL = "arn:aws:sms-voice:us-east-1:111122223333:pool/pool-78ec067f62f94d57bfdebdb5f0d6e3f5"
TEXTS = {
    "plain": a_text(),
    "with everything": a_text(
        origination_identity=POOL,
        configuration_set="events",
        promotional=True,
        max_price_micros=123_456,
        feedback=True,
    ),
    "not ASCII": a_text(body="Grüße, Ελλάδα: ваш код 🔑 123"),
    "to be escaped": a_text(body='"\\/\b\f\n\r\t\x00\x7f\u2028\u2029</script>'),
    "long": a_text(body="x" * 1600),
    "least": a_text(body="", ttl_s=5, max_price_micros=0, context={}),
    "context": a_text(context={"order": "a&b=c", "ключ": "значение", "": " "}),
}
ENDPOINTS = {
    "regional": ("eu-central-1", None),
    "custom": ("us-east-1", "http://127.0.0.1:4566"),
    "custom with a path": ("us-east-1", "https://gateway.example.com:8443/sms/"),
    "FIPS": ("us-west-2", "https://sms-voice-fips.us-west-2.amazonaws.com"),
    "GovCloud": ("us-gov-west-1", None),
}
TOKENS = {"long-lived": None, "temporary": "IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQD=="}


def keys(token: str | None) -> ReadOnlyCredentials:
    """Return a pair of keys, and a session token with it."""
    return ReadOnlyCredentials("ASIAEXAMPLE" if token else "AKIAEXAMPLE", "a/secret+key", token, None)


@contextlib.asynccontextmanager
async def client_of(region: str, endpoint: str | None, token: str | None) -> Any:
    """Open aioboto3's client on such keys, as the carrier does."""
    own = keys(token)
    async with open_session().client(
        "pinpoint-sms-voice-v2",
        region_name=region,
        endpoint_url=endpoint,
        config=send_config(4),
        aws_access_key_id=own.access_key,
        aws_secret_access_key=own.secret_key,
        aws_session_token=own.token,
    ) as client:
        # The environment of a test holds a token of its own; a key without one must stay without one.
        yield client


def lean_headers(form: LeanForm, caught: Caught, text: Any, token: str | None) -> dict[str, str]:
    """Return the headers of the lean way at the instant and for the invocation of the SDK's request."""
    at, invocation = caught.headers["X-Amz-Date"], caught.headers["amz-sdk-invocation-id"]
    return form.headers(body_of(text), keys(token), at=at, invocation=invocation)


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
@pytest.mark.parametrize(("region", "endpoint"), ENDPOINTS.values(), ids=ENDPOINTS)
async def test_every_header_and_the_body_are_those_of_the_sdk(
    region: str, endpoint: str | None, token: str | None
) -> None:
    """The form is learned from one text and must fit all others; the order of the headers counts, too."""
    async with client_of(region, endpoint, token) as client:
        first = await catch(client, a_text(body="the first"))
        form = LeanForm.learn(method=first.method, url=first.url, headers=first.headers)
        for text in TEXTS.values():
            caught = await catch(client, text)
            assert (caught.method, caught.url, caught.body) == ("POST", form.url, body_of(text))
            assert list(lean_headers(form, caught, text, token).items()) == list(caught.headers.items())


async def test_a_form_learned_with_long_lived_keys_signs_with_temporary_ones() -> None:
    """Credentials may change their kind while the route is open; the SDK then sends a token, too."""
    async with client_of("us-east-1", None, None) as client:
        first = await catch(client, a_text())
    form = LeanForm.learn(method=first.method, url=first.url, headers=first.headers)
    async with client_of("us-east-1", None, "a-token") as client:
        text = a_text()
        caught = await catch(client, text)
    assert list(lean_headers(form, caught, text, "a-token").items()) == list(caught.headers.items())


@pytest.fixture(scope="module")
async def regional() -> Any:
    """A client of the real regional endpoint and its form; nothing is sent."""
    async with client_of("us-east-1", None, "a-token") as client:
        first = await catch(client, a_text())
        yield client, LeanForm.learn(method=first.method, url=first.url, headers=first.headers)


@given(
    body=st.text(max_size=400),
    context=st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=4),
    micros=st.integers(0, 10**9),
    ttl_s=st.integers(5, 259_200),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_text_is_signed_as_the_sdk_signs_it(
    regional: Any, body: str, context: dict[str, str], micros: int, ttl_s: int
) -> None:
    """Lone surrogates, control characters, right-to-left marks: whatever a person can type."""
    client, form = regional
    text = a_text(body=body, context=context, max_price_micros=micros, ttl_s=ttl_s)
    caught = await catch(client, text)
    assert body_of(text) == caught.body
    assert differences(lean_headers(form, caught, text, "a-token"), caught.headers) == []


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """Return one request with its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    return head + await reader.readexactly(int(header(head, b"Content-Length")))


class Fixed:
    """Credentials that never change, and where they come from."""

    def __init__(self, token: str | None) -> None:
        self._keys = keys(token)

    async def get_credentials(self) -> "Fixed":
        """Return what has the keys."""
        return self

    async def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Return the keys."""
        return self._keys


class Recorder:
    """A server that keeps the bytes of each request and answers with a MessageId."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                self.heard.append(await read_request(reader))
                writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n{"MessageId": "1"}')
        writer.close()


def header(request: bytes, name: bytes) -> str:
    """Return the value of one header."""
    return next(
        line.partition(b": ")[2].decode() for line in request.split(b"\r\n") if line.startswith(name + b":")
    )


@contextlib.asynccontextmanager
async def recording() -> Any:
    """Run a recorder for the length of a block; yields it and its URL."""
    recorder = Recorder()
    server = await asyncio.start_server(recorder.take, "127.0.0.1", 0)
    async with server:
        yield recorder, "http://{}:{}".format(*server.sockets[0].getsockname())


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
async def test_the_bytes_on_the_wire_are_the_same(token: str | None) -> None:
    """What an HTTP client adds (Host, Accept) is part of the request, and in the same place."""
    async with recording() as (recorder, url), client_of("us-east-1", url, token) as client:
        route = RouteKeys(Fixed(token), route="test")
        reference = AwsCarrier(client, route)
        with open_wire(url) as wire:
            stamps = {"at": 0.0, "invocation": ""}
            lean = LeanCarrier(
                reference, client, wire, route, Stamps(lambda: stamps["at"], lambda: stamps["invocation"])
            )
            for text in TEXTS.values():
                assert isinstance(await reference.send(text), Sent)
                theirs = recorder.heard[-1]
                at = time.strptime(header(theirs, b"X-Amz-Date"), "%Y%m%dT%H%M%SZ")
                stamps |= {
                    "at": float(calendar.timegm(at)),
                    "invocation": header(theirs, b"amz-sdk-invocation-id"),
                }
                assert isinstance(await lean.send(text), Sent)
                assert recorder.heard[-1] == theirs


async def test_a_form_that_is_not_the_sdks_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """An SDK that signs in another way goes on sending by itself; the texts leave all the same."""
    monkeypatch.setattr("gateway.carrier.lean_form._ALGORITHM", "AWS4-HMAC-SHA512")
    async with recording() as (recorder, url), client_of("us-east-1", url, None) as client:
        route = RouteKeys(Fixed(None), route="test")
        with open_wire(url) as wire:
            lean = LeanCarrier(AwsCarrier(client, route), client, wire, route)
            assert isinstance(await lean.send(a_text()), Sent)
    assert len(recorder.heard) == 1
    assert header(recorder.heard[0], b"Authorization").startswith("AWS4-HMAC-SHA256 ")


def test_a_percent_sign_of_the_sdk_is_none_of_ours() -> None:
    """The form has places that begin with one, and an application's name may have one, too."""
    learned = {
        "User-Agent": "acme%20texts/100%(at)s",
        "X-Amz-Date": "20260131T235959Z",
        "Authorization": "AWS4-HMAC-SHA256 Credential=A/20260131/us-east-1/sms-voice/aws4_request, "
        "SignedHeaders=host;user-agent;x-amz-date, Signature=0",
    }
    form = LeanForm.learn(method="POST", url="https://example.com/%7Etexts", headers=learned)
    request = form.request(b"{}", keys(None), at=learned["X-Amz-Date"], invocation="")
    assert request.startswith(b"POST /%7Etexts HTTP/1.1\r\nHost: example.com\r\n")
    assert header(request, b"User-Agent") == learned["User-Agent"]


def test_a_request_of_another_kind_teaches_nothing() -> None:
    """A GET, or a bearer token instead of a signature."""
    with pytest.raises(Unfit):
        LeanForm.learn(method="GET", url="https://example.com/", headers={})
    with pytest.raises(Unfit):
        LeanForm.learn(method="POST", url="https://example.com/", headers={"Authorization": "Bearer x"})


def test_a_wrong_byte_is_noticed() -> None:
    """The comparison itself can fail."""
    assert differences({"A": "1", "B": "2"}, {"A": "1", "B": "3", "C": "4"}) == ["B", "C"]


ANSWERS = {
    "taken": (200, b'{"MessageId": "1"}'),
    "no id": (200, b"{}"),
    "an empty id": (200, b'{"MessageId": ""}'),
    "an id that is a number": (200, b'{"MessageId": 5}'),
    "an id with U+0000": (200, b'{"MessageId": "a\\u0000b"}'),
    "an endless id": (200, b'{"MessageId": "' + b"x" * 100_000 + b'"}'),
    "truncated": (200, b'{"MessageId": "1'),
    "HTML": (200, b"<html>welcome</html>"),
    "empty": (200, b""),
    "redirect": (307, b""),
    "throttled": (400, b'{"__type": "ThrottlingException", "Message": "slow"}'),
    "with a namespace": (
        400,
        b'{"__type": "com.amazonaws#ConflictException", "Reason": "PRICE_OVER_THRESHOLD"}',
    ),
    "a reason": (400, b'{"__type": "ValidationException", "Reason": "INVALID_PARAMETER"}'),
    "denied": (400, b'{"__type": "AccessDeniedException"}'),
    "expired keys": (400, b'{"__type": "ExpiredTokenException"}'),
    "a proxy's 403": (403, b"<html>forbidden</html>"),
    "a proxy's 407": (407, b""),
    "too many": (429, b"slow down"),
    "server": (500, b'{"__type": "InternalServerException"}'),
    "a gateway's 502": (502, b"<html>bad gateway</html>"),
    "unavailable": (503, b""),
    "JSON of another shape": (400, b"[1, 2]"),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer_has_the_same_outcome_on_both_ways(name: str) -> None:
    """Tenants, lanes and money depend on the outcome, not on who read the answer."""
    status, body = ANSWERS[name]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        await read_request(reader)
        asked += 1
        head = f"HTTP/1.1 {status} X\r\nLocation: /elsewhere\r\nConnection: close\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        writer.close()

    asked = 0
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = "http://{}:{}".format(*server.sockets[0].getsockname())
    route = RouteKeys(Fixed(None), route="test")
    async with server, client_of("us-east-1", url, None) as client:
        reference = AwsCarrier(client, route)
        theirs = await reference.send(a_text())
        with open_wire(url) as wire:
            ours = await LeanCarrier(reference, client, wire, route).send(a_text())
    assert asked == 2
    assert type(ours) is type(theirs)
    for member in ("fault", "retry_after_ms", "code", "detail", "provider_message_id"):
        assert getattr(ours, member, None) == getattr(theirs, member, None)


def test_an_answer_is_read_without_a_network() -> None:
    """The same function decides for every body."""
    assert outcome_of(200, {}, b'{"MessageId": "abc"}') == Sent(provider_message_id="abc")
    assert structs.asdict(outcome_of(200, {}, b"null"))["reason"] in {"unreadable_answer", "no_message_id"}


@pytest.mark.parametrize(
    ("name", "kept"),
    [("an id with U+0000", "a\ufffdb"), ("an endless id", "x" * 128)],
    ids=["U+0000", "endless"],
)
def test_a_name_that_cannot_be_kept_is_still_a_send(name: str, kept: str) -> None:
    """AWS took it: counted as unknown it would be sent once more. Receipts are read the same way."""
    status, body = ANSWERS[name]
    assert outcome_of(status, {}, body) == Sent(provider_message_id=kept)
