"""One call is one request, whatever goes wrong: each further one could be a second text."""

import pytest

from gateway.carrier.ports import Sent, Unknown
from tests.contract_suite.emulator_line import EmulatorLine
from tests.contract_suite.lines import Situation

FAILURES = (
    "throttled",
    "error_before",
    "error_after",
    "unavailable",
    "dropped_before",
    "dropped_after",
    "reset",
    "slow",
)


@pytest.mark.parametrize("situation", FAILURES)
async def test_a_failed_call_puts_exactly_one_request_on_the_wire(
    on_emulator: EmulatorLine, situation: Situation
) -> None:
    """Counted between the client and the server, on a new connection."""
    async with on_emulator.trial(situation) as trial:
        await trial.carrier.send(trial.text)
    assert on_emulator.tap.requests == 1


@pytest.mark.parametrize("situation", FAILURES)
async def test_so_does_a_failed_call_on_a_connection_that_was_used_before(
    on_emulator: EmulatorLine, situation: Situation
) -> None:
    """HTTP clients like to repeat a request when a kept connection breaks."""
    async with on_emulator.trial("accepting") as trial:
        assert isinstance(await trial.carrier.send(trial.text), Sent)
        async with on_emulator.trial(situation):
            await trial.carrier.send(trial.text)
    assert on_emulator.tap.requests == 2


@pytest.mark.parametrize(
    ("situation", "taken"),
    [
        ("error_before", 0),
        ("error_after", 1),
        ("unavailable", 0),
        ("dropped_before", 0),
        ("dropped_after", 1),
        ("reset", 1),
    ],
)
async def test_unknown_is_said_of_texts_that_were_taken_and_of_texts_that_were_not(
    on_emulator: EmulatorLine, situation: Situation, taken: int
) -> None:
    """Nothing in the failure tells which; what tells is AWS's own count, which no client sees."""
    async with on_emulator.trial(situation) as trial:
        assert isinstance(await trial.carrier.send(trial.text), Unknown)
    assert await on_emulator.taken() == taken
