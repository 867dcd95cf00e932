"""Fixtures: an emulator of its own for each test, real AWS clients for it, and an SNS endpoint."""

import asyncio
import contextlib
import functools
import io
from collections.abc import AsyncIterator, Callable
from typing import Any

import aioboto3
import aiohttp
import msgspec
import pytest
from aiohttp import web
from botocore.config import Config

from gateway.emulator.options import EmulatorOptions
from gateway.emulator.server import RunningEmulator, running_emulator

REGION = "us-east-1"
ONE_ATTEMPT = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=10)


class Aws:
    """Real clients of the service and of SNS, and bare HTTP, for one emulator."""

    def __init__(self, emulator: RunningEmulator, sms: Any, sns: Any, http: aiohttp.ClientSession) -> None:
        self.emulator = emulator
        self.base_url = emulator.base_url
        self.sms = sms
        self.sns = sns
        self.http = http

    async def raw(self, action: str, payload: Any, **headers: str) -> tuple[int, dict[str, Any]]:
        """Call an action without a client's own validation."""
        body = payload if isinstance(payload, bytes) else msgspec.json.encode(payload)
        sent = {
            "X-Amz-Target": f"PinpointSMSVoiceV2.{action}",
            "Content-Type": "application/x-amz-json-1.0",
            "Authorization": f"AWS4-HMAC-SHA256 Credential=AKID/20260101/{REGION}/sms-voice/aws4_request",
            **headers,
        }
        async with self.http.post(self.base_url + "/", data=io.BytesIO(body), headers=sent) as answer:
            return answer.status, msgspec.json.decode(await answer.read())

    async def control(self, method: str, path: str, payload: Any = None) -> Any:
        """Use one of the emulator's own endpoints."""
        body = None if payload is None else msgspec.json.encode(payload)
        async with self.http.request(method, f"{self.base_url}/_emulator/{path}", data=body) as answer:
            decoded = msgspec.json.decode(await answer.read())
            assert answer.status == 200, decoded
            return decoded

    async def number(self, **changes: Any) -> dict[str, Any]:
        """Lease a US toll-free number."""
        wanted = {
            "IsoCountryCode": "US",
            "MessageType": "TRANSACTIONAL",
            "NumberCapabilities": ["SMS", "VOICE", "MMS"],
            "NumberType": "TOLL_FREE",
        }
        return await self.sms.request_phone_number(**{**wanted, **changes})

    async def send(self, destination: str = "+14254147755", **changes: Any) -> str:
        """Send a text and return its MessageId."""
        wanted = {"DestinationPhoneNumber": destination, "MessageBody": "Your code is 123456"}
        answer = await self.sms.send_text_message(**{**wanted, **changes})
        return answer["MessageId"]

    async def configuration_set(self, sink: "Sink", name: str = "events", **topic: str) -> str:
        """Create a configuration set whose text events reach a sink, and wait for the confirmation."""
        arn = (await self.sns.create_topic(Name=name, Attributes=topic))["TopicArn"]
        await self.sns.subscribe(TopicArn=arn, Protocol="http", Endpoint=sink.url)
        await sink.confirmed(arn)
        await self.sms.create_configuration_set(ConfigurationSetName=name)
        await self.sms.create_event_destination(
            ConfigurationSetName=name,
            EventDestinationName="sns",
            MatchingEventTypes=["ALL"],
            SnsDestination={"TopicArn": arn},
        )
        return name


class Sink:
    """An HTTP endpoint that confirms its subscriptions and keeps what it gets."""

    def __init__(self) -> None:
        self.url = ""
        self.envelopes: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.statuses: list[int] = []
        """Statuses to answer notifications with, the next one first; then 200."""
        self._changed = asyncio.Condition()
        self._confirmed: set[str] = set()

    @property
    def notifications(self) -> list[dict[str, Any]]:
        """Envelopes of type Notification."""
        return [each for each in self.envelopes if each["Type"] == "Notification"]

    @property
    def events(self) -> list[dict[str, Any]]:
        """Event records inside the notifications."""
        return [msgspec.json.decode(each["Message"]) for each in self.notifications]

    async def take(self, request: web.Request) -> web.Response:
        """Handle one POST of SNS."""
        envelope = msgspec.json.decode(await request.read())
        if "Type" not in envelope:
            envelope = {
                "Type": "Notification",
                "Message": msgspec.json.encode(envelope).decode(),
                "Raw": True,
            }
        self.headers.append(dict(request.headers))
        status = 200
        if envelope["Type"] == "SubscriptionConfirmation":
            async with aiohttp.ClientSession() as session, session.get(envelope["SubscribeURL"]) as answer:
                assert answer.status == 200
            self._confirmed.add(envelope["TopicArn"])
        elif self.statuses:
            status = self.statuses.pop(0)
        self.envelopes.append(envelope)
        async with self._changed:
            self._changed.notify_all()
        return web.Response(status=status)

    async def until(self, condition: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait until what has arrived fulfils a condition."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(condition)

    async def confirmed(self, topic_arn: str) -> None:
        """Wait until a topic's subscription is confirmed."""
        await self.until(lambda: topic_arn in self._confirmed)

    async def final(self, message_id: str) -> dict[str, Any]:
        """Wait for a message's final event and return it."""
        await self.until(lambda: any(self._finals(message_id)))
        return self._finals(message_id)[-1]

    def _finals(self, message_id: str) -> list[dict[str, Any]]:
        return [each for each in self.events if each["messageId"] == message_id and each["isFinal"]]


@functools.cache
def aws_session() -> aioboto3.Session:
    """Return one session for all tests: it reads the service models once."""
    return aioboto3.Session(aws_access_key_id="AKID", aws_secret_access_key="secret", region_name=REGION)


@contextlib.asynccontextmanager
async def connected(emulator: RunningEmulator) -> AsyncIterator[Aws]:
    """Open clients for an emulator."""
    session = aws_session()
    async with (
        session.client("pinpoint-sms-voice-v2", endpoint_url=emulator.base_url, config=ONE_ATTEMPT) as sms,
        session.client("sns", endpoint_url=emulator.base_url, config=ONE_ATTEMPT) as sns,
        aiohttp.ClientSession() as http,
    ):
        yield Aws(emulator, sms, sns, http)


@contextlib.asynccontextmanager
async def emulated(**options: Any) -> AsyncIterator[Aws]:
    """Run an emulator with some options changed and open clients for it."""
    quick = EmulatorOptions(
        port=0,
        check_outputs=True,
        latency_scale=0.1,
        review_ms=1,
        sns_retry_delay_s=0.02,
        signing_key_bits=1024,
    )
    async with running_emulator(quick, **options) as emulator, connected(emulator) as aws:
        yield aws


@pytest.fixture
async def aws() -> AsyncIterator[Aws]:
    """An emulator with default behaviour, only quicker."""
    async with emulated() as running:
        yield running


@pytest.fixture(scope="session")
async def shared() -> AsyncIterator[Aws]:
    """One emulator for tests that leave nothing behind."""
    async with emulated() as running:
        yield running


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    """An SNS endpoint."""
    taking = Sink()
    app = web.Application()
    app.router.add_post("/sns", taking.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    taking.url = f"http://127.0.0.1:{runner.addresses[0][1]}/sns"
    yield taking
    await runner.cleanup()
