"""What fails before a request was begun has put nothing on the wire, whatever its exception is."""

import math
import time
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from msgspec import structs

from gateway.carrier.aws import AwsCarrier
from gateway.carrier.lean import LeanCarrier
from gateway.carrier.one_request import _Straight, departing
from gateway.carrier.ports import NotSent, OutboundText, Outcome, Unknown
from gateway.carrier.wire import TooLate
from tests.contract_suite.lines import a_text

KEYS: Any = SimpleNamespace()
"""Whose keys are always there."""


async def _current() -> None:
    """No keys are needed."""


def _judged(outcome: Outcome) -> Outcome:
    """Nobody revokes them."""
    return outcome


KEYS.current, KEYS.judged = _current, _judged
STS_IS_SLOW = ReadTimeoutError(endpoint_url="https://sts.amazonaws.com")
STS_SAYS_NO = ClientError({"Error": {"Code": "ValidationError"}}, "AssumeRole")


class Client:
    """The SDK's client, which fails before it asks its HTTP session, or after."""

    def __init__(self, error: Exception, *, after: bool = False) -> None:
        self._error, self._after = error, after
        self.meta = SimpleNamespace(events=SimpleNamespace(register=_nothing, unregister=_nothing))

    async def send_text_message(self, **_: object) -> None:
        """Fail."""
        if self._after:
            await _Straight(SimpleNamespace(request=_answer)).request("POST")  # type: ignore[arg-type]
        raise self._error


def _nothing(*_: object, **__: object) -> None:
    """Take no notice."""


async def _answer(*_: object, **__: object) -> None:
    """Stand for an HTTP session that was asked."""


def carriers(client: Client) -> list[Any]:
    """The way through aioboto3, and the lean one, which asks it for a pattern first."""
    reference = AwsCarrier(client, KEYS)
    wire: Any = None
    return [reference, LeanCarrier(reference, client, wire, KEYS)]


@pytest.mark.parametrize("error", [STS_IS_SLOW, STS_SAYS_NO], ids=["slow", "refused"])
async def test_keys_that_could_not_be_renewed_are_neither_a_doubt_nor_a_refusal(error: Exception) -> None:
    """The SDK renews them as it signs; an advertisement in doubt is lost, and a refusal ends a message."""
    for carrier in carriers(Client(error)):
        outcome = await carrier.send(a_text())
        assert isinstance(outcome, NotSent)
        assert outcome.reason == "request_not_made"


async def test_the_same_error_of_a_request_that_was_begun_is_a_doubt() -> None:
    """From then on only the error says whether it left."""
    for carrier in carriers(Client(STS_IS_SLOW, after=True)):
        assert isinstance(await carrier.send(a_text()), Unknown)


async def test_a_request_is_not_begun_later_than_it_may_leave() -> None:
    """A process that stood still since its last look may have lost its lease."""
    asked: list[object] = []

    async def request(*_: object, **__: object) -> None:
        asked.append(1)

    straight = _Straight(SimpleNamespace(request=request))  # type: ignore[arg-type]
    with departing(time.monotonic() - 0.001) as departure:
        with pytest.raises(TooLate):
            await straight.request("POST")
        assert (departure.is_late, departure.began) == (True, False)
    with departing(math.inf):
        await straight.request("POST")
    assert asked == [1]


async def test_a_late_text_is_not_sent_and_may_be_tried_again() -> None:
    """It is no attempt."""
    late: OutboundText = structs.replace(a_text(), leaves_by=time.monotonic() - 1)
    outcome = await AwsCarrier(Client(STS_IS_SLOW, after=True), KEYS).send(late)
    assert outcome == NotSent(reason="mark_too_old", retry_after_ms=0)
