"""The pure rules: countries, parts, dice, lives and limits."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.emulator.arrivals import Arrivals
from gateway.emulator.carrier.countries import country_of, simulator_numbers
from gateway.emulator.carrier.dice import Dice
from gateway.emulator.carrier.life import UNKNOWN_AFTER_MS, Road, draw_steps, with_faults
from gateway.emulator.carrier.parts import GSM_BASIC, sizing
from gateway.emulator.carrier.profiles import OUTCOMES, Profiles, micros
from gateway.emulator.clock import VirtualClock
from gateway.emulator.limits import RateLimits, parts_fit
from gateway.emulator.state.settings_records import ReceiptFaults
from gateway.emulator.timeline import Timeline


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("+14255550100", "US"),
        ("+16045550100", "CA"),
        ("+17875550100", "PR"),
        ("+12684640100", "AG"),
        ("+447700900123", "GB"),
        ("+447937404990", "JE"),
        ("+491701234567", "DE"),
        ("+77011234567", "KZ"),
        ("+79161234567", "RU"),
        ("+9991234567", None),
        ("+1425", None),
    ],
)
def test_a_number_belongs_to_the_country_of_its_longest_prefix(number: str, country: str | None) -> None:
    """Shared codes are told apart."""
    assert country_of(number) == country


def test_every_simulator_number_is_in_the_table() -> None:
    """A success and a failure for each country."""
    outcomes = list(simulator_numbers().values())
    assert {country for country, good in outcomes if good} == {
        country for country, good in outcomes if not good
    }


@pytest.mark.parametrize(
    ("body", "encoding", "parts"),
    [
        ("a" * 160, "GSM", 1),
        ("a" * 161, "GSM", 2),
        ("a" * 306, "GSM", 2),
        ("a" * 307, "GSM", 3),
        ("€" * 80, "GSM", 1),
        ("€" * 81, "GSM", 2),
        ("a" * 152 + "€" + "a" * 10, "GSM", 2),
        ("ы" * 70, "UNICODE", 1),
        ("ы" * 71, "UNICODE", 2),
        ("😀" * 35, "UNICODE", 1),
        ("😀" * 36, "UNICODE", 2),
    ],
)
def test_parts_follow_gsm_03_40(body: str, encoding: str, parts: int) -> None:
    """Single and joined sizes, escapes and surrogate pairs."""
    size = sizing(body)
    assert (size.encoding, size.parts) == (encoding, parts)


@given(st.text(alphabet=sorted(GSM_BASIC), min_size=1, max_size=1600))
def test_plain_text_fills_its_parts(body: str) -> None:
    """Without escapes the count is a division."""
    assert sizing(body).parts == (1 if len(body) <= 160 else -(-len(body) // 153))


async def test_what_fails_on_the_timeline_stops_nothing_behind_it() -> None:
    """One event that could not leave kept every later one from leaving."""
    clock, ran = VirtualClock(), asyncio.Event()
    timeline = Timeline(clock)
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context["exception"]))

    def fails() -> None:
        raise OSError("the disk is full")

    timeline.after(0, fails)
    timeline.after(1, ran.set)
    async with asyncio.timeout(5):
        await ran.wait()
    assert [str(each) for each in failures] == ["the disk is full"]


@given(seed=st.integers(), key=st.text())
def test_dice_of_the_same_key_are_the_same(seed: int, key: str) -> None:
    """And stay within their range."""
    first, second = Dice(seed, key), Dice(seed, key)
    for _ in range(40):
        share = first.share()
        assert share == second.share()
        assert 0 <= share < 1


@given(
    outcome=st.sampled_from(sorted(OUTCOMES - {"TTL_EXPIRED"})),
    channel=st.sampled_from(["TEXT", "MEDIA", "VOICE"]),
    ttl_s=st.integers(5, 259_200),
    key=st.integers(),
    reorder=st.booleans(),
    duplicates=st.sampled_from([0.0, 1.0]),
)
def test_every_life_ends_with_one_final_status_in_time(
    outcome: str, channel: str, ttl_s: int, key: int, reorder: bool, duplicates: float
) -> None:
    """Whatever befalls the receipts, exactly one status is final and departures never run backwards."""
    road = Road(channel=channel, outcome=outcome, ttl_s=ttl_s, latency_scale=1.0, final_success_rate=0.0)
    faults = ReceiptFaults(reorder=reorder, duplicate_rate=duplicates)
    dice = Dice(1, key)
    steps = with_faults(draw_steps(road, Profiles().of("US"), dice), faults, dice)
    assert len({step.status for step in steps if step.is_final}) == 1
    offsets = [step.offset_ms for step in steps]
    assert offsets == sorted(offsets)
    assert offsets[-1] <= UNKNOWN_AFTER_MS


@pytest.mark.parametrize(
    ("text", "amount"), [("0.00581", 5810), (".5", 500_000), ("12.3", 12_300_000), ("1", 1_000_000)]
)
def test_prices_are_exact(text: str, amount: int) -> None:
    """Decimal strings become micro-dollars without floats."""
    assert micros(text) == amount


def test_any_second_sees_at_most_the_rate() -> None:
    """A message of more parts than the rate still leaves after a second without any."""
    clock = VirtualClock()
    limits = RateLimits(clock)
    assert [limits.take("a", 3.0) for _ in range(4)] == [True, True, True, False]
    clock.advance(1.1)
    assert limits.take("a", 3.0, 5.0)
    assert not limits.take("a", 3.0)


@pytest.mark.parametrize(
    ("used", "amount", "rate", "fits"),
    [
        (0, 4, 3.0, True),
        (2, 4, 3.0, True),
        (3, 1, 3.0, False),
        (0, 4, 1.0, True),
        (17, 3, 20.0, True),
        (18, 3, 20.0, False),
        (99, 1, 100.0, True),
        (100, 1, 100.0, False),
    ],
)
def test_slow_identities_may_end_a_message_beyond_their_rate(
    used: int, amount: int, rate: float, *, fits: bool
) -> None:
    """Rate + parts - 1 below 20 a second, the rate itself from there on."""
    assert parts_fit(used, amount, rate) is fits


def test_the_second_slides() -> None:
    """A bucket filled once a second would let twice the rate through around its edge."""
    clock = VirtualClock()
    limits = RateLimits(clock)
    assert all(limits.take("a", 20.0) for _ in range(20))
    clock.advance(0.9)
    assert not limits.take("a", 20.0)
    clock.advance(0.2)
    assert [limits.take("a", 20.0) for _ in range(21)] == [True] * 20 + [False]


def test_arrivals_are_told_once() -> None:
    """Whoever follows them asks with the total of the last answer."""
    arrivals = Arrivals()
    for at in range(3):
        arrivals.note(at, "BENCH", "GB", 1, throttled=False)
    assert arrivals.since(0)[0] == 3
    total, came = arrivals.since(2)
    assert (total, [each[0] for each in came]) == (3, [2])
    assert arrivals.since(3) == (3, [])
