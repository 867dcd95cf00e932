"""
The sends of one batch: each passes or fails its gates by itself, and those that pass share one commit.

One commit, so that a batch of a thousand is on disk at once or not at all, as far as the gates let it
through; a send that money or its key refuses is decided inside the commit and takes no neighbour with it. The
batch is one request to the plan's request rate: it is counted before, as a whole, and its sends do not count.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

from msgspec import Struct

from gateway.admission.verdict import Admitted
from gateway.errors import GatewayError
from gateway.intake.batch import IntakeCommit
from gateway.intake.building import Passed
from gateway.intake.commit import Decision
from gateway.intake.outcome import Accepted, Declined
from gateway.intake.request import SendRequest
from tenants.scope import TenantScope

_GATES_AT_ONCE: Final = 256
"""Sends of one batch that ask the gates at once; a batch must not fill the process's line to Redis."""

Key = tuple[str, bytes] | None
"""An Idempotency-Key and the digest of what it stands for."""


class SendInBatch(Struct, frozen=True, kw_only=True):
    """One send of a batch, with a key of its own."""

    request: SendRequest
    key: Key = None


class Gates(Protocol):
    """Judges one send; `gateway.intake.judging.Judging` fits."""

    async def pass_gates(
        self, scope: TenantScope, request: SendRequest, key: Key, counted: Admitted | None = None
    ) -> Passed | Declined:
        """Ask every gate but money, and not the request rate where the request is counted already."""
        ...


class Ends(Protocol):
    """What becomes of one send after its gates; `gateway.intake.sending.Sending` fits."""

    async def answer(self, passed: Passed, decision: Decision) -> Accepted | Declined:
        """Return what the commit's decision means to whoever asked."""
        ...

    def give_up(self, passed: Passed) -> None:
        """Take a send out of its line of which the commit said nothing."""
        ...

    async def concluded(
        self, outcome: Accepted | Declined, scope: TenantScope, key: Key
    ) -> Accepted | Declined:
        """Replay what the key got before instead of a refusal of today; count what became of it."""
        ...


async def send_together(
    gates: Gates,
    ends: Ends,
    commit: IntakeCommit,
    scope: TenantScope,
    sends: Sequence[SendInBatch],
    *,
    counted: Admitted,
) -> list[Accepted | Declined | BaseException]:
    """
    Return one outcome per send, in order; a send that failed has its exception there.

    Args:
        counted: What the request rate said of the batch.
    """
    passed = await _pass_all(gates, scope, sends, counted)
    decided = await _decided(ends, commit, passed)

    async def outcome(
        each: Passed | Declined | BaseException, decision: Decision | BaseException | None, key: Key
    ) -> Accepted | Declined:
        if isinstance(decision, BaseException):
            if isinstance(each, Passed):
                ends.give_up(each)
            raise decision
        match each:
            case BaseException():
                raise each
            case Declined():
                return await ends.concluded(each, scope, key)
            case Passed():
                assert decision is not None  # noqa: S101 - whatever passed was decided
                return await ends.concluded(await ends.answer(each, decision), scope, key)

    outcomes = [outcome(*three) for three in zip(passed, decided, (send.key for send in sends), strict=True)]
    return await asyncio.gather(*outcomes, return_exceptions=True)


async def _pass_all(
    gates: Gates, scope: TenantScope, sends: Sequence[SendInBatch], counted: Admitted
) -> list[Passed | Declined | BaseException]:
    at_once = asyncio.Semaphore(_GATES_AT_ONCE)

    async def one(send: SendInBatch) -> Passed | Declined:
        async with at_once:
            return await gates.pass_gates(scope, send.request, send.key, counted)

    return await asyncio.gather(*map(one, sends), return_exceptions=True)


async def _decided(
    ends: Ends, commit: IntakeCommit, passed: Sequence[Passed | Declined | BaseException]
) -> list[Decision | BaseException | None]:
    """Commit those that passed; None stands for the others."""
    ready = [each for each in passed if isinstance(each, Passed)]
    try:
        decisions = iter(await commit.submit_together([each.built.message for each in ready]))
    except GatewayError as error:
        return [error if isinstance(each, Passed) else None for each in passed]
    except BaseException:
        for each in ready:
            ends.give_up(each)
        raise
    return [next(decisions) if isinstance(each, Passed) else None for each in passed]
