"""
The chain of one request: wire -> parse -> validate -> operation -> serialise.

Faults and rate limits sit between the links where they would sit in front of the real service. Whatever an
operation changed is written to the journal, with one ``write()``, before the answer leaves.
"""

import asyncio
import uuid
from typing import Any

import msgspec
from botocore.model import OperationModel

from gateway.emulator import client_tokens
from gateway.emulator.accounts import account_of
from gateway.emulator.call import Call, Operation
from gateway.emulator.errors import (
    AwsError,
    internal,
    serialization,
    throttling,
    unavailable,
    unknown_operation,
    validation_of,
)
from gateway.emulator.faults import Fault
from gateway.emulator.limits import ACTION_RATES, DEFAULT_ACTION_RATE
from gateway.emulator.model.checks import Check, Problem, ShapeChecks
from gateway.emulator.model.service import listed_errors, load_service_model, operation_models
from gateway.emulator.operations.table import OPERATIONS
from gateway.emulator.signatures import check_signature
from gateway.emulator.wire import Request, action_of, caller_of, payload_of
from gateway.emulator.world import World

LONGEST_HOLD_S = 5.0
"""An answer that waits for its receipts leaves after this long even if an endpoint does not take them."""

JSON_TYPE = "application/x-amz-json-1.0"


class Answer(msgspec.Struct, frozen=True):
    """What goes back."""

    status: int
    body: bytes
    content_type: str = JSON_TYPE
    request_id: str = ""
    dropped: bool = False
    """Close the connection instead of answering."""


class Endpoint(msgspec.Struct, frozen=True):
    """One action, ready to be called."""

    operation: Operation
    check_input: Check
    check_output: Check | None
    listed_errors: frozenset[str]
    takes_token: bool


class Pipeline:
    """Answers the actions of the service."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._endpoints = _endpoints(check_outputs=world.options.check_outputs)

    async def answer(self, request: Request) -> Answer:
        """Answer one json-1.0 request."""
        request_id = str(uuid.uuid4())
        action = "Unknown"
        fault: Fault | None = None
        try:
            named = action_of(request)
            endpoint = self._endpoints.get(named)
            if endpoint is None:
                raise unknown_operation(named)
            action = named
            fault = self._world.faults.draw(action)
            call = self._admit(request, action)
            await self._hinder(action, fault, request_id)
            body = await self._run(endpoint, call)
            await self._delay(self._world.faults.of(action).latency_after_ms)
            if fault == "accept_then_error":
                raise internal(request_id)
        except AwsError as error:
            self._world.stats.errors[error.code] += 1
            return Answer(
                error.status, error.body(), request_id=request_id, dropped=fault == "drop_before_accept"
            )
        finally:
            self._world.stats.actions[action] += 1
        return Answer(200, body, request_id=request_id, dropped=fault == "drop_after_accept")

    def _admit(self, request: Request, action: str) -> Call:
        """Check signature and rate, and read the input."""
        world = self._world
        caller = caller_of(request, world.options.default_region)
        if world.options.credentials:
            check_signature(request, world.options.credentials, world.clock.now_s())
        account = account_of(caller.access_key, world.options.account_id)
        store = world.stores.of(account, caller.region)
        if world.options.strict:
            self._limit(action, store.scope)
        return Call(world, store, action, payload_of(request))

    def _limit(self, action: str, scope: str) -> None:
        raised = self._world.options.requests_per_second
        usual = raised.get("*", ACTION_RATES.get(action, DEFAULT_ACTION_RATE))
        rate = raised.get(action, usual)
        if not self._world.limits.take(f"action/{scope}/{action}", rate):
            raise throttling()

    async def _hinder(self, action: str, fault: Fault | None, request_id: str) -> None:
        await self._delay(self._world.faults.of(action).latency_ms)
        if fault == "throttle":
            raise throttling()
        if fault in {"error", "drop_before_accept"}:
            raise internal(request_id)
        if fault == "unavailable":
            raise unavailable()

    async def _run(self, endpoint: Endpoint, call: Call) -> bytes:
        _validate(endpoint, call.input)
        try:
            body = self._perform(endpoint, call)
        finally:
            self._world.journal.flush()
        if call.before_answer:
            await asyncio.wait(call.before_answer, timeout=LONGEST_HOLD_S)
        return body

    def _perform(self, endpoint: Endpoint, call: Call) -> bytes:
        try:
            if endpoint.takes_token:
                body = client_tokens.replayed_or(call, endpoint.operation)
            else:
                body = msgspec.json.encode(endpoint.operation(call))
        except AwsError as error:
            if endpoint.check_output is not None:
                _check_error(endpoint, call.action, error)
            raise
        if endpoint.check_output is not None:
            _check_output(endpoint.check_output, call.action, body)
        return body

    async def _delay(self, latency_ms: float) -> None:
        if latency_ms > 0:
            await asyncio.sleep(latency_ms / 1000.0)


def _endpoints(*, check_outputs: bool) -> dict[str, Endpoint]:
    checks = ShapeChecks()
    models = operation_models(load_service_model())
    return {
        name: _endpoint(checks, models[name], operation, check_outputs=check_outputs)
        for name, operation in OPERATIONS.items()
    }


def _endpoint(
    checks: ShapeChecks, model: OperationModel, operation: Operation, *, check_outputs: bool
) -> Endpoint:
    request, response = model.input_shape, model.output_shape
    if request is None or response is None:
        raise ValueError(f"the model has no input or output for {model.name}")
    return Endpoint(
        operation,
        checks.of(request),
        checks.of(response) if check_outputs else None,
        listed_errors(model),
        "ClientToken" in request.members,
    )


def _validate(endpoint: Endpoint, payload: dict[str, Any]) -> None:
    problems: list[Problem] = []
    endpoint.check_input(payload, "", problems)
    if not problems:
        return
    mistyped = next((problem for problem in problems if problem.wrong_type), None)
    if mistyped is not None:
        raise serialization(mistyped.message)
    count = len(problems)
    noun = "error" if count == 1 else "errors"
    texts = "; ".join(problem.message for problem in problems)
    raise validation_of(
        problems[0].reason,
        f"{count} validation {noun} detected: {texts}",
        [{"Name": problem.field, "Message": problem.message} for problem in problems],
    )


UNLISTED_ANYWHERE = frozenset(
    {"ConflictException", "ResourceNotFoundException", "ServiceQuotaExceededException"}
)
"""Errors that only some actions may answer."""


def _check_error(endpoint: Endpoint, action: str, error: AwsError) -> None:
    if error.code in UNLISTED_ANYWHERE - endpoint.listed_errors:
        raise OutputMismatchError(f"{action} answers {error.code}, which its model does not list")


class OutputMismatchError(Exception):
    """An operation answered what its model does not allow: a defect of the emulator."""


def _check_output(check: Check, action: str, body: bytes) -> None:
    problems: list[Problem] = []
    check(msgspec.json.decode(body), "", problems)
    if problems:
        raise OutputMismatchError(f"{action}: {problems}")
