"""The static share as a rule: N dispatchers with no common counter, watched from the carrier's side."""

import random
from uuid import UUID

import pytest

from gateway.dispatch.share import Place, StaticShare
from gateway.lanes.entry import DailyCap, RateGate
from tests.harness.entries import entry

START_US = 1_800_000_000_000_000
SECOND_US = 1_000_000


def run(
    count, *, seconds, shares=None, places=None, poll_us=5_000, jitter=None, begins_us=START_US, **fields
):
    """Let `count` dispatchers send all they may; the instants and parts at the carrier."""
    shares = shares or [StaticShare() for _ in range(count)]
    places = places or [Place(rank, count) for rank in range(count)]
    sent, serial = [], 0
    for now_us in range(begins_us, begins_us + seconds * SECOND_US, poll_us):
        for share, place in zip(shares, places, strict=True):
            at = now_us + (jitter.randrange(poll_us) if jitter else 0)
            while share.take(entry(serial, **fields), place, at):
                sent.append((at, fields.get("parts", 1)))
                serial += 1
    return sorted(sent)


def most_in_a_second(sent):
    """The most parts in any sliding second."""
    most, start, total = 0, 0, 0
    for at, parts in sent:
        total += parts
        while sent[start][0] <= at - SECOND_US:
            total -= sent[start][1]
            start += 1
        most = max(most, total)
    return most


@pytest.mark.parametrize("parts", [1, 2, 4])
@pytest.mark.parametrize("rate", [1.0, 3.0, 20.0, 100.0])
@pytest.mark.parametrize("count", [1, 2, 8])
def test_many_dispatchers_exceed_a_lanes_rate_by_one_message_at_most(count, rate, parts):
    """Row 15: fail closed on what AWS counts, also when nobody can count for all."""
    sent = run(
        count, seconds=12 if rate < 20 else 3, identity_rate=rate, parts=parts, jitter=random.Random(7)
    )
    assert most_in_a_second(sent) <= rate + parts - 1 + parts


@pytest.mark.parametrize("rate", [1.0, 3.0, 20.0, 100.0])
@pytest.mark.parametrize("count", [1, 2, 8])
def test_together_they_use_most_of_the_rate(count, rate):
    """A share that starves the lane would turn a minute without Redis into an hour's backlog."""
    sent = run(count, seconds=16, poll_us=10_000 if rate < 20 else 5_000, identity_rate=rate)
    assert len(sent) >= 0.7 * rate * 16 - count


def test_long_texts_do_not_raise_the_rate_in_the_long_run():
    """Each slot's owner would otherwise pay for its four parts with the slots of the others."""
    sent = run(8, seconds=120, identity_rate=1.0, parts=4)
    assert sum(parts for _, parts in sent) <= 120 + 8 * 4


def test_a_share_that_forgets_the_others_is_caught_by_the_same_check():
    """The check above can fail: eight dispatchers that each think they are alone."""
    sent = run(8, seconds=10, places=[Place(0, 1)] * 8, identity_rate=3.0)
    assert most_in_a_second(sent) > 3 + 1


def test_a_campaigns_ceiling_holds_over_its_numbers():
    """Ten numbers do not carry ten campaigns."""
    share, place, sent = StaticShare(), Place(0, 1), 0
    for now_us in range(START_US, START_US + 10 * SECOND_US, 10_000):
        for number in range(10):
            message = entry(
                sent, identity=UUID(int=number), identity_rate=10.0, shared_gates=(RateGate("campaign", 4.0),)
            )
            sent += share.take(message, place, now_us)
    assert 36 <= sent <= 41


def test_a_stored_rate_beyond_all_measure_stops_nobody():
    """One from before there were bounds: the dispatcher that counts by it must not die of it."""
    assert StaticShare().take(entry(1, identity_rate=1e300), Place(0, 1), START_US)


def test_a_recipient_gets_one_message_a_second():
    """AWS counts per recipient, too; a recipient belongs to one dispatcher."""
    share, place = StaticShare(), Place(0, 1)
    fields = {"identity_rate": 100.0, "recipient_hash": b"somebody"}
    taken = [share.take(entry(at, **fields), place, START_US + at * 10_000) for at in range(400)]
    assert taken.count(True) == 4


def test_a_daily_cap_is_spread_over_the_day():
    """How much of it was used only Redis knew, so nothing may be saved up."""
    sent = run(2, seconds=60, identity_rate=100.0, daily_caps=(DailyCap("brand", 86_400),))
    assert 50 <= len(sent) <= 62


def test_the_accounts_requests_are_divided_as_well():
    """A request is one, however many parts it has."""
    shares = [StaticShare(request_us=SECOND_US / 5) for _ in range(2)]
    sent = run(2, seconds=20, shares=shares, identity_rate=100.0, parts=3)
    assert 70 <= len(sent) <= 105


def test_a_rate_that_falls_holds_from_the_next_message_on():
    """The account's quota is read again every few seconds; its old cells must not stop the new ones."""
    share = StaticShare(request_us=SECOND_US / 100)
    run(1, seconds=2, shares=[share], identity_rate=1000.0)
    share.limit_requests(SECOND_US / 5)
    sent = run(1, seconds=10, shares=[share], begins_us=START_US + 2 * SECOND_US, identity_rate=1000.0)
    assert most_in_a_second(sent) <= 5 + 1
    assert len(sent) >= 0.7 * 5 * 10


def test_a_number_whose_rate_was_changed_sends_what_was_accepted_before_and_after():
    """Its messages carry the rate that held when they were accepted."""
    share, place, waiting = StaticShare(), Place(0, 1), [20.0, 1.0] * 4
    for now_us in range(START_US, START_US + 20 * SECOND_US, 5_000):
        if waiting and share.take(entry(1, identity_rate=waiting[0]), place, now_us):
            waiting.pop(0)
    assert waiting == []
