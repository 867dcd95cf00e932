"""
Named places where a process can be made to die, stop, wait or fail: the handles of the fault scenarios.

Each place is one line, `await fp(FaultPoint.X)`, at an instant whose loss must cost nothing. It does nothing
unless the process was armed at its start, which needs two settings and an endpoint that is not AWS's own:

    TOLLGATE_FAULT_INJECTION=true
    TOLLGATE_FAULTPOINT=worker.after_mark:kill         die as by kill -9, at the first arrival
    TOLLGATE_FAULTPOINT=worker.after_aws:stop:3        stand still as by SIGSTOP, at the third arrival
    TOLLGATE_FAULTPOINT=accept.before_commit:sleep=500 wait 500 ms, at every arrival
    TOLLGATE_FAULTPOINT=webhooks.after_post:raise:2    raise FaultInjected, at the second arrival

Several are separated by commas. `docs/explanation/faults.md` says what is promised at each.
"""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from enum import StrEnum
from typing import Literal, cast, get_args

from msgspec import Struct

from gateway.errors import ConfigurationError, GatewayError


class FaultPoint(StrEnum):
    """The places, in the order in which a message comes by."""

    ACCEPT_BEFORE_COMMIT = "accept.before_commit"
    ACCEPT_IN_COMMIT = "accept.in_commit"
    ACCEPT_AFTER_COMMIT = "accept.after_commit"
    PUSH_BEFORE = "push.before"
    PUSH_AFTER = "push.after"
    RELAY_BEFORE_PUSH = "relay.before_push"
    RELAY_AFTER_PUSH = "relay.after_push"
    REBUILD_BEGUN = "rebuild.begun"
    REBUILD_MIDWAY = "rebuild.midway"
    WORKER_AFTER_CLAIM = "worker.after_claim"
    WORKER_BEFORE_MARK = "worker.before_mark"
    WORKER_AFTER_MARK = "worker.after_mark"
    WORKER_BEFORE_CALL = "worker.before_call"
    WORKER_AFTER_AWS = "worker.after_aws"
    WORKER_BEFORE_RECORD = "worker.before_record"
    RECORD_IN_COMMIT = "record.in_commit"
    RECORD_AFTER_COMMIT = "record.after_commit"
    UNKNOWN_IN_COMMIT = "unknown.in_commit"
    EXPIRY_IN_COMMIT = "expiry.in_commit"
    RECEIPTS_BEFORE_COMMIT = "receipts.before_commit"
    RECEIPTS_AFTER_COMMIT = "receipts.after_commit"
    QUEUE_BEFORE_DELETE = "queue.before_delete"
    PARKED_IN_COMMIT = "parked.in_commit"
    INBOUND_IN_COMMIT = "inbound.in_commit"
    REPLY_BEFORE_ACCEPT = "reply.before_accept"
    REPLY_AFTER_ACCEPT = "reply.after_accept"
    WEBHOOKS_AFTER_LEASE = "webhooks.after_lease"
    WEBHOOKS_AFTER_POST = "webhooks.after_post"
    WEBHOOKS_IN_COMMIT = "webhooks.in_commit"
    REGISTRATION_CREATED = "registration.created"
    REGISTRATION_UPLOADED = "registration.uploaded"
    REGISTRATION_FIELD_PUT = "registration.field_put"
    REGISTRATION_NUMBER_REQUESTED = "registration.number_requested"
    REGISTRATION_TIED = "registration.tied"
    REGISTRATION_SUBMITTED = "registration.submitted"
    REGISTRATION_VERSION_MADE = "registration.version_made"
    SENDER_ID_REQUESTED = "sender_id.requested"
    """After AWS's answer for one country of a bulk request, before it is written down."""
    PROVISION_MADE = "provision.made"
    """After each answer of AWS to a creation or change, before it is written down."""
    TEARDOWN_GONE = "teardown.gone"
    """After each answer of AWS to a deletion, before it is written down."""
    ERASURE_BEGUN = "erasure.begun"
    """A scheduler has found a tenant whose key is gone; no row is, yet."""
    ERASURE_MIDWAY = "erasure.midway"
    """After each batch of rows."""
    ERASURE_ROWS_GONE = "erasure.rows_gone"
    """After the last batch, before Redis forgets the tenant, too."""
    ERASURE_IN_COMMIT = "erasure.in_commit"
    """All is gone, and that it is so is about to be committed."""


Action = Literal["kill", "stop", "sleep", "raise"]


class FaultInjected(GatewayError):
    """What `raise` raises: an error that nobody expected."""


class PlannedFault(Struct, frozen=True, kw_only=True):
    """One fault of the setting."""

    point: FaultPoint
    action: Action
    sleep_ms: int = 0
    nth: int | None = None
    """The arrival that it befalls, from 1; None for every one."""


class _Plan:
    """What befalls this process, and how often each place was reached."""

    def __init__(self, faults: list[PlannedFault]) -> None:
        self._faults = faults
        self.arrivals: Counter[FaultPoint] = Counter()

    async def reached(self, point: FaultPoint) -> None:
        self.arrivals[point] += 1
        for fault in self._faults:
            if fault.point is point and fault.nth in {None, self.arrivals[point]}:
                await _befall(fault)


class _Armed:
    plan: _Plan | None = None
    """Of the process, not of an object: a fault point must cost nothing to have, so none is handed one."""


async def fp(point: FaultPoint) -> None:
    """Let what is planned for this place happen; nearly always that is nothing."""
    if _Armed.plan is not None:
        await _Armed.plan.reached(point)


def arm(setting: str) -> None:
    """
    Plan faults for the rest of this process's life.

    Raises:
        ConfigurationError: The setting names no place or no action.
    """
    _Armed.plan = _Plan(planned(setting))


@contextmanager
def counted() -> Generator[Counter[FaultPoint]]:
    """Count, for the length of a block, how often each place is reached; nothing befalls it."""
    before, plan = _Armed.plan, _Plan([])
    _Armed.plan = plan
    try:
        yield plan.arrivals
    finally:
        _Armed.plan = before


def planned(setting: str) -> list[PlannedFault]:
    """
    Return the faults that the setting spells.

    Raises:
        ConfigurationError: It names no place or no action; the text says which exist.
    """
    return [_planned(text.strip()) for text in setting.split(",") if text.strip()]


def _planned(text: str) -> PlannedFault:
    name, _, rest = text.partition(":")
    what, _, nth = rest.partition(":")
    action, _, sleep_ms = what.partition("=")
    if name not in set(FaultPoint):
        raise ConfigurationError(f"TOLLGATE_FAULTPOINT: no place is called {name!r}: {', '.join(FaultPoint)}")
    if action not in get_args(Action) or not (sleep_ms.isdecimal() if action == "sleep" else not sleep_ms):
        raise ConfigurationError(
            f"TOLLGATE_FAULTPOINT: {text!r} is not NAME:kill, NAME:stop, NAME:sleep=MS or NAME:raise"
        )
    if nth and (not nth.isdecimal() or nth == "0"):
        raise ConfigurationError(f"TOLLGATE_FAULTPOINT: {nth!r} is not the number of an arrival, from 1")
    once = None if action == "sleep" else 1
    return PlannedFault(
        point=FaultPoint(name),
        action=cast("Action", action),
        sleep_ms=int(sleep_ms or 0),
        nth=int(nth) if nth else once,
    )


async def _befall(fault: PlannedFault) -> None:
    match fault.action:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "sleep":
            await asyncio.sleep(fault.sleep_ms / 1000)
        case "raise":
            raise FaultInjected(f"planned at {fault.point}")
