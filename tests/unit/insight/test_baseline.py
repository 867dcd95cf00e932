"""What is usual is said of enough hours that are alike, and of no others."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.insight import baseline
from gateway.insight.baseline import Hour, alike, grouped, usual, usual_receipt_s
from gateway.insight.metrics import METRICS, Counts, reading

MONDAY_NINE = datetime(2026, 11, 16, 9, tzinfo=UTC)


def hour(at: datetime, delivered: int, of: int = 100, **more) -> Hour:
    """An hour of which so many were delivered."""
    return Hour(at=at, counts=Counts(concluded=of, delivered=delivered, accepted=of), **more)


def weeks(at: datetime, *delivered: int) -> list[Hour]:
    """The same hour of as many weeks."""
    return [hour(at - timedelta(weeks=back + 1), each) for back, each in enumerate(delivered)]


def test_the_same_hour_of_the_same_weekday_is_compared_first() -> None:
    """Monday nine is not Sunday nine, and not Monday ten."""
    history = [
        *weeks(MONDAY_NINE, 90, 92, 94, 96),
        *weeks(MONDAY_NINE - timedelta(days=1), 10, 10, 10, 10),
        *weeks(MONDAY_NINE + timedelta(hours=1), 20, 20, 20, 20),
    ]
    found = usual("delivery_rate", history, at=MONDAY_NINE)
    assert found is not None
    assert (found.level, found.hours, round(found.median, 4)) == ("weekday_hour", 4, 0.93)


def test_with_too_few_weeks_the_hour_of_any_day_serves_and_then_any_hour() -> None:
    """A tenant of ten days has a baseline, if a coarser one; a tenant of three hours has none."""
    days = [hour(MONDAY_NINE - timedelta(days=back), 50) for back in range(1, 6)]
    hours = [hour(MONDAY_NINE - timedelta(hours=back), 70) for back in range(1, 6)]
    assert getattr(usual("delivery_rate", days, at=MONDAY_NINE), "level", None) == "hour"
    assert getattr(usual("delivery_rate", hours, at=MONDAY_NINE), "level", None) == "all"
    assert usual("delivery_rate", hours[:3], at=MONDAY_NINE) is None


def test_hours_with_few_messages_say_nothing_of_a_share() -> None:
    """One message of one is 100 % and means nothing."""
    thin = [hour(MONDAY_NINE - timedelta(weeks=back), 1, of=1) for back in range(1, 9)]
    assert usual("delivery_rate", thin, at=MONDAY_NINE) is None


def test_the_usual_time_of_receipts_is_the_median_of_the_hours() -> None:
    """By which a message is overdue."""
    history = [hour(MONDAY_NINE - timedelta(weeks=back), 90, receipt_s=float(back)) for back in range(1, 8)]
    assert usual_receipt_s(history, at=MONDAY_NINE) == 4.0


@given(
    st.lists(
        st.tuples(st.integers(0, 24 * 56), st.integers(0, 100), st.sampled_from(["US", "GB"])), max_size=80
    )
)
def test_every_hour_stands_in_one_group_and_percentiles_are_in_order(given_hours) -> None:
    """Grouping loses nothing; p10 <= median <= p90 within what there was."""
    history = [
        hour(MONDAY_NINE - timedelta(hours=back), delivered, country=country)
        for back, delivered, country in given_hours
    ]
    for level in baseline.LEVELS:
        groups = grouped(history, level)
        assert sorted(map(id, history)) == sorted(id(each) for found in groups.values() for each in found)
        for found in groups.values():
            assert all(each in alike(history, found[0].at, level) for each in found)
            figures = baseline.values("delivery_rate", found)
            told = baseline.summed_up(figures, level)
            assert (told is None) == (len(figures) < baseline.FEWEST_HOURS)
            if told is not None:
                low, high = min(figures) - 1e-9, max(figures) + 1e-9
                assert low <= told.p10 <= told.median + 1e-9 <= told.p90 + 2e-9 <= high + 2e-9


@given(
    st.builds(
        Counts,
        concluded=st.integers(0, 1000),
        dispatched=st.integers(0, 1000),
        asked=st.integers(0, 1000),
        accepted=st.integers(0, 1000),
        spent=st.floats(0, 1e6),
    )
)
def test_nothing_of_nothing_is_a_figure_and_not_a_fault(counts) -> None:
    """Hours without messages are common."""
    for metric in METRICS:
        found = reading(metric, counts)
        assert found.value >= 0 or found.of > 0
