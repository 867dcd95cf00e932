"""Nobody is woken by an advertisement, and nothing urgent waits for the morning."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.admission.rules.ports import Closed, HeldUntil, Open, SendFacts
from gateway.admission.rules.quiet_hours import quiet_hours, quiet_until
from tenants.accounts.plan import Plan
from tenants.accounts.sending_rules import QuietHours, QuietPolicy, QuietWindow
from tenants.countries.numbers import Number

_HOLD = QuietHours(policy="hold")


def _facts(
    at: str, *, number: str = "+33612345678", country: str = "FR", kind: str = "promotional",
    policy: QuietPolicy = "hold",
) -> SendFacts:  # fmt: skip
    return SendFacts(
        plan=Plan(quiet_hours=QuietHours(policy=policy)),
        number=Number(e164=number, country=country, kind="mobile"),
        message_type=kind,
        channel="sms",
        text="Sale",
        from_template=False,
        sender_type="LONG_CODE",
        verified=False,
        leaves_at=datetime.fromisoformat(at),
    )


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("2026-06-01T19:59:00+02:00", None),
        ("2026-06-01T20:00:00+02:00", "2026-06-02T08:00:00+02:00"),
        ("2026-06-02T07:59:59+02:00", "2026-06-02T08:00:00+02:00"),
        ("2026-06-02T08:00:00+02:00", None),
        ("2026-06-06T21:00:00+02:00", "2026-06-08T08:00:00+02:00"),  # Saturday night: Sunday is quiet, too
        ("2026-06-07T12:00:00+02:00", "2026-06-08T08:00:00+02:00"),
    ],
)
def test_a_promotional_text_is_held_until_the_window_ends(at: str, opens: str | None) -> None:
    """The edges count: at the first quiet minute it waits, at the first open one it goes."""
    verdict = quiet_hours(_facts(at))
    if opens is None:
        assert isinstance(verdict, Open)
    else:
        assert isinstance(verdict, HeldUntil)
        assert verdict.at == datetime.fromisoformat(opens)


def test_a_plan_that_refuses_says_when_to_come_back() -> None:
    """A refusal without the time would be polled against."""
    verdict = quiet_hours(_facts("2026-06-01T23:00:00+02:00", policy="refuse"))
    assert isinstance(verdict, Closed)
    assert verdict.opens_at == datetime.fromisoformat("2026-06-02T08:00:00+02:00")


@pytest.mark.parametrize("kind", ["otp", "transactional"])
def test_what_somebody_waits_for_passes_at_night(kind: str) -> None:
    """A login at midnight needs its code at midnight."""
    assert isinstance(quiet_hours(_facts("2026-06-01T23:00:00+02:00", kind=kind)), Open)


def test_without_a_policy_no_hour_is_quiet() -> None:
    """The operator switches it on."""
    assert isinstance(quiet_hours(_facts("2026-06-01T23:00:00+02:00", policy="off")), Open)


def test_a_country_of_many_clocks_is_quiet_while_any_of_them_is() -> None:
    """20:30 in Perth is 22:30 in Sydney, and the number does not say where it is."""
    at = datetime(2026, 6, 1, 20, 30, tzinfo=ZoneInfo("Australia/Perth"))
    opens = quiet_until(_HOLD, "AU", "+61412345678", at)
    assert opens is not None
    local = opens.astimezone(ZoneInfo("Australia/Perth"))
    assert (local.hour, local.day) == (8, 2) or local.hour > 8


def test_an_area_code_says_more_than_its_country() -> None:
    """It is 07:30 in Los Angeles and 10:30 in New York."""
    at = datetime(2026, 6, 1, 14, 30, tzinfo=UTC)
    assert quiet_until(_HOLD, "US", "+12125550123", at) is None
    assert quiet_until(_HOLD, "US", "+13105550123", at) == datetime(2026, 6, 1, 15, 0, tzinfo=UTC)


def test_a_plan_may_set_a_country_its_own_window() -> None:
    """Windows that do not pass midnight work, too."""
    terms = QuietHours(policy="hold", windows={"FR": QuietWindow(from_="12:00", to="14:00")})
    at = datetime(2026, 6, 1, 13, 0, tzinfo=ZoneInfo("Europe/Paris"))
    assert quiet_until(terms, "FR", "+33612345678", at) == at.replace(hour=14)
    assert quiet_until(terms, "FR", "+33612345678", at.replace(hour=23)) is None


def test_the_night_of_a_clock_change_has_its_end() -> None:
    """On the last Sunday of March 02:30 does not exist in Paris; the search must not run in circles."""
    terms = QuietHours(policy="hold", windows={"FR": QuietWindow(from_="22:00", to="02:30")})
    opens = quiet_until(terms, "FR", "+33612345678", datetime(2026, 3, 28, 23, 0, tzinfo=UTC))
    assert opens is not None
    assert datetime(2026, 3, 29, 1, 0, tzinfo=UTC) <= opens <= datetime(2026, 3, 29, 2, 0, tzinfo=UTC)


@given(
    at=st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
    number=st.sampled_from(
        ["+33612345678", "+12125550123", "+919812345678", "+5511987654321", "+447700900123"]
    ),
)
def test_what_is_held_leaves_within_two_days_and_by_day(at: datetime, number: str) -> None:
    """A window always ends; at its end it is day there."""
    country = {"+3": "FR", "+1": "US", "+9": "IN", "+5": "BR", "+4": "GB"}[number[:2]]
    opens = quiet_until(_HOLD, country, number, at)
    if opens is not None:
        assert 0 < (opens - at).total_seconds() <= 36 * 3600
        assert quiet_until(_HOLD, country, number, opens) is None
