"""The ASGI application: the service, SNS, the certificate and the control endpoints on one port."""

import logging
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from gateway.emulator.control.api import answer as control_answer
from gateway.emulator.errors import AwsError
from gateway.emulator.pipeline import Answer, Pipeline
from gateway.emulator.query_apis import query_answer
from gateway.emulator.s3 import s3_answer
from gateway.emulator.wire import Request, caller_of
from gateway.emulator.world import World

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

FORM = "application/x-www-form-urlencoded"
TOO_LARGE = AwsError("RequestEntityTooLargeException", "The request body is too large", status=413)
CERTIFICATE = re.compile(r"/SimpleNotificationService-[0-9a-f]{32}\.pem")

log = logging.getLogger(__name__)


class EmulatorApp:
    """Routes requests; built inside the server's event loop."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._pipeline = Pipeline(world)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            return
        body = await _read(receive, self.world.options.max_body_bytes)
        request = _request(scope, body or b"")
        try:
            answer = await self._answer(request) if body is not None else Answer(413, TOO_LARGE.body())
        except Exception:
            log.exception(
                "emulator_defect path=%s target=%s", request.path, request.headers.get("x-amz-target")
            )
            answer = Answer(500, AwsError("InternalServerException", "A defect of the emulator").body())
        if answer.dropped:
            self.world.stats.dropped_responses += 1
            scope["state"]["abort"]()
        else:
            await _write(send, answer)

    async def _answer(self, request: Request) -> Answer:
        if request.path.startswith("/_emulator"):
            status, text = control_answer(self.world, request)
            return Answer(status, text, "application/json")
        if CERTIFICATE.fullmatch(request.path):
            return self._certificate(request.path)
        return await self._service_answer(request)

    async def _service_answer(self, request: Request) -> Answer:
        if "x-amz-target" in request.headers:
            return await self._pipeline.answer(request)
        if caller_of(request, self.world.options.default_region).service == "s3":
            return s3_answer(self.world, request)
        fields = _form(request)
        if "Action" in fields:
            return query_answer(self.world, request, fields)
        if request.path == "/healthz":
            return Answer(200, b'{"status":"ok"}', "application/json")
        return await self._pipeline.answer(request)

    def _certificate(self, path: str) -> Answer:
        if path != self.world.signer.certificate_path:
            return Answer(404, b"", "text/plain")
        return Answer(200, self.world.signer.certificate_pem, "application/x-pem-file")


def _form(request: Request) -> dict[str, str]:
    text = request.query
    if request.headers.get("content-type", "").partition(";")[0].strip() == FORM:
        text = (
            f"{text}&{request.body.decode('utf-8', 'replace')}"
            if text
            else request.body.decode("utf-8", "replace")
        )
    return dict(parse_qsl(text, keep_blank_values=True))


def _request(scope: Scope, body: bytes) -> Request:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    query = scope["query_string"].decode("latin-1")
    return Request(scope["method"], unquote(scope["path"]), query, headers, body)


async def _read(receive: Receive, limit: int) -> bytes | None:
    """Return the body, or None when it is over the limit."""
    message = await receive()
    if not message.get("more_body"):
        whole: bytes = message.get("body", b"")
        return whole if len(whole) <= limit else None
    chunks, size = [message["body"]], len(message["body"])
    while message.get("more_body"):
        message = await receive()
        size += len(message.get("body", b""))
        if size <= limit:
            chunks.append(message.get("body", b""))
    return b"".join(chunks) if size <= limit else None


async def _write(send: Send, answer: Answer) -> None:
    headers = [
        (b"content-type", answer.content_type.encode()),
        (b"content-length", str(len(answer.body)).encode()),
    ]
    if answer.request_id:
        headers.append((b"x-amzn-requestid", answer.request_id.encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
