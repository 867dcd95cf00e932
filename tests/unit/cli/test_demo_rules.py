"""The demo's pure parts: the script it draws, what it measures and how it judges."""

import pytest

from gateway.demo.crowd import measure_crowd
from gateway.demo.script import COUNTRIES, CROWDED, FEWEST, refused_number, write_script
from tenants.countries.numbers import Number, parse_number


@pytest.mark.parametrize("messages", [FEWEST, 41, 200, 1000])
def test_the_script_has_as_many_messages_as_were_asked_for(messages: int) -> None:
    """The summary's first line is compared with it."""
    assert write_script(messages, 1).total == messages


def test_the_same_seed_writes_the_same_script() -> None:
    """A run that failed can be played again."""
    assert write_script(200, 7) == write_script(200, 7)
    assert write_script(200, 7) != write_script(200, 8)


def test_every_recipient_is_a_number_of_a_country_its_tenant_may_reach() -> None:
    """Otherwise a send of the script would be refused for a reason that is not part of the play."""
    script = write_script(1000, 3)
    for send in [*script.campaign, *script.otps, *script.traffic, script.replayed, *script.last_credits]:
        number = parse_number(send.body["to"])
        assert isinstance(number, Number)
        assert number.country in COUNTRIES[send.tenant]
    assert isinstance(parse_number(refused_number("JP")), Number)


def message(kind: str, created: int, dispatched: int) -> dict[str, object]:
    """Return a message into the crowded country, with its seconds of a minute."""
    return {
        "country": CROWDED,
        "type": kind,
        "created_at": f"2026-01-01T00:00:{created:02d}.000Z",
        "dispatched_at": f"2026-01-01T00:00:{dispatched:02d}.000Z",
    }


def test_an_otp_that_left_before_older_promotions_has_overtaken_them() -> None:
    """Two were accepted before it and left after it; the third left before it."""
    promotions = [message("promotional", 0, 1), message("promotional", 0, 5), message("promotional", 0, 9)]
    crowd = measure_crowd([*promotions, message("otp", 2, 3)], [], mps=1)
    assert crowd.overtaken == 2
    assert crowd.otp_wait_s == 1
    assert crowd.campaign_wait_s == 5
    assert crowd.otps_first
    assert crowd.queued


def test_rates_are_measured_in_parts_on_what_reached_aws() -> None:
    """Ten parts at a tenth of a second each are ten a second, and a burst shows in the window."""
    even = [{"country": CROWDED, "accepted_at": 100.0 * n, "parts": 1} for n in range(21)]
    crowd = measure_crowd([], even, mps=10)
    assert crowd.peak_parts == 10
    assert crowd.sustained == pytest.approx(10)
    assert crowd.kept
    burst = [{"country": CROWDED, "accepted_at": 1.0 * n, "parts": 2} for n in range(20)]
    assert not measure_crowd([], burst, mps=10).kept


def test_nothing_sent_is_nothing_measured() -> None:
    """An emulator that saw nothing must fail a check, not the arithmetic."""
    crowd = measure_crowd([], [], mps=10)
    assert not crowd.queued
    assert not crowd.otps_first
