"""What every carrier promises: the four outcomes mean what they say, and receipts find their message."""

from collections.abc import Iterator

import msgspec
import pytest

from gateway.carrier.ports import NotSent, Outcome, Refused, Sent, Unknown
from tests.contract_suite.aws_line import ACCESS
from tests.contract_suite.emulator_line import EmulatorLine
from tests.contract_suite.lines import FAILED, Line, Situation
from tests.contract_suite.sandbox_line import SandboxLine


def _able(situation: Situation) -> Iterator[str]:
    if situation in EmulatorLine.SITUATIONS:
        yield from ("lean", "aioboto3")
    if situation in SandboxLine.SITUATIONS:
        yield "sandbox"
    if ACCESS is not None and situation in ACCESS.situations:
        yield "aws"


def on(*situations: Situation) -> pytest.MarkDecorator:
    """Run a test in each situation on every line that can arrange it."""
    pairs = [(name, situation) for situation in situations for name in _able(situation)]
    return pytest.mark.parametrize(("line", "situation"), pairs, indirect=["line"])


async def outcome(line: Line, situation: Situation) -> Outcome:
    """Send one text in a situation."""
    async with line.trial(situation) as trial:
        return await trial.carrier.send(trial.text)


@on("accepting")
async def test_a_text_that_is_taken_is_sent_and_has_an_id(line: Line, situation: Situation) -> None:
    """Ids of two texts differ."""
    async with line.trial(situation) as trial:
        first, second = [await trial.carrier.send(trial.text) for _ in range(2)]
    assert isinstance(first, Sent)
    assert isinstance(second, Sent)
    assert len({first.provider_message_id, second.provider_message_id, ""}) == 3


@on("throttled")
async def test_a_throttled_text_is_certainly_not_sent(line: Line, situation: Situation) -> None:
    """It may be offered again soon, and that is no second attempt."""
    refused = await outcome(line, situation)
    assert isinstance(refused, NotSent)
    assert refused.reason == "throttled"
    assert 0 < refused.retry_after_ms <= 60_000


@on("opted_out", "protect_blocked", "price_over_max")
async def test_a_refusal_has_our_code_for_its_reason(line: Line, situation: Situation) -> None:
    """Asking again would not help; the code is what the tenant's status_reason says."""
    refused = await outcome(line, situation)
    assert isinstance(refused, Refused)
    assert refused.code == situation
    assert refused.detail


@on("no_originator")
async def test_a_sender_that_serves_nobody_there_keeps_its_texts(line: Line, situation: Situation) -> None:
    """The operator can add one; the text has not left and may wait for it."""
    kept = await outcome(line, situation)
    assert isinstance(kept, NotSent)
    assert (kept.reason, kept.fault) == ("NO_ORIGINATION_IDENTITIES_FOUND", "sender")


@on("error_before", "error_after", "unavailable", "dropped_before", "dropped_after", "reset", "slow")
async def test_without_a_usable_answer_the_outcome_is_unknown(line: Line, situation: Situation) -> None:
    """The text may have been taken: nobody may send it again as if it had not."""
    lost = await outcome(line, situation)
    assert isinstance(lost, Unknown)
    assert lost.reason


@on("unreachable")
async def test_a_carrier_that_cannot_be_reached_has_certainly_not_sent(
    line: Line, situation: Situation
) -> None:
    """Nothing left the machine."""
    refused = await outcome(line, situation)
    assert isinstance(refused, NotSent)
    assert refused.reason == "connect_failed"


@on("receipts")
async def test_the_receipts_of_a_text_carry_its_context(line: Line, situation: Situation) -> None:
    """Our message id, the attempt and what the caller added come back in each, and the last one is final."""
    async with line.trial(situation) as trial:
        sent = await trial.carrier.send(trial.text)
        assert isinstance(sent, Sent)
        receipts = await line.receipts(trial.text, sent.provider_message_id)
    assert {each.message_id for each in receipts} == {trial.text.message_id}
    assert {each.attempt for each in receipts} == {trial.text.attempt}
    assert {each.provider_message_id for each in receipts} == {sent.provider_message_id}
    assert all(each.context.items() >= trial.text.context.items() for each in receipts)
    assert any(each.is_final for each in receipts)
    assert all(not each.doubts for each in receipts)


@on("receipts")
async def test_a_text_to_a_simulator_number_that_fails_ends_undelivered(
    line: Line, situation: Situation
) -> None:
    """It is sent like any other; only its receipt tells."""
    async with line.trial(situation) as trial:
        text = msgspec.structs.replace(trial.text, destination=FAILED)
        sent = await trial.carrier.send(text)
        assert isinstance(sent, Sent)
        receipts = await line.receipts(text, sent.provider_message_id)
    [last] = [each for each in receipts if each.is_final]
    assert last.status not in {"DELIVERED", "SUCCESSFUL"}
