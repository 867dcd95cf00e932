"""When a send may leave, how long it lives and what it may cost: the edges, to the micro-dollar."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import msgspec
import pytest

from gateway.intake.outcome import Declined
from gateway.intake.prepare import SCHEDULE_WINDOW, Draft, prepare
from gateway.intake.request import SendRequest
from gateway.intake.snapshot import TenantSnapshot
from gateway.routing.facts import TenantRouting
from tenants.accounts.plan import Plan
from tenants.accounts.sealing import new_wrapped_key, unwrap
from tenants.credits.pricing import PriceBook, PriceLine
from tenants.ids import encode, new_uuid

_UNKNOWN = UUID(int=7)
NOW = datetime(2028, 2, 1, 12, tzinfo=UTC)
SNAPSHOT = TenantSnapshot(
    tenant_id=new_uuid(),
    version=1,
    state="active",
    live=True,
    model=2,
    plan=Plan(ttl_seconds=600),
    countries=frozenset({"US"}),
    unit="micros",
    key=unwrap(new_wrapped_key("s" * 16), "s" * 16),
    templates={},
    template_names={},
    routing=TenantRouting(senders={}, pools=(), routes={}, configuration_sets={}),
    read_at=NOW,
)
BOOK = PriceBook(
    {("US", "sms"): PriceLine(country="US", channel="sms", sell_micros=6450, cost_micros=5810, credits=1)}
)


def asked(*, now: datetime = NOW, **members: Any) -> Draft | Declined:
    """Prepare a send as it comes over the wire."""
    wire = {"to": "+12065550111", "body": "Hello"} | members
    request = msgspec.json.decode(msgspec.json.encode(wire), type=SendRequest)
    return prepare(SNAPSHOT, request, BOOK, now)


def fault(found: Draft | Declined) -> tuple[str, str] | None:
    """Return field and code of the first fault, None for a draft."""
    return (found.errors[0].field, found.errors[0].code) if isinstance(found, Declined) else None


@pytest.mark.parametrize(
    ("max_price", "code"),
    [
        ("0.00645", None),
        ("1", None),
        ("0.006449", ("/max_price", "price_over_max")),
        ("0", ("/max_price", "price_over_max")),
    ],
)
def test_max_price_is_inclusive_to_the_micro_dollar(max_price: str, code: tuple[str, str] | None) -> None:
    """Equal passes; a millionth less is refused before anything is held."""
    assert fault(asked(max_price=max_price)) == code


def test_max_price_is_of_the_whole_message() -> None:
    """Two parts cost twice; half of it buys nothing."""
    text = "a" * 161
    assert fault(asked(body=text, max_price="0.0129")) is None
    assert fault(asked(body=text, max_price="0.012899")) == ("/max_price", "price_over_max")


@pytest.mark.parametrize("ttl_s", [5, 600, 259_200])
def test_a_life_is_counted_from_now_and_from_send_at(ttl_s: int) -> None:
    """A scheduled message does not age before its time."""
    at_once = asked(ttl_seconds=ttl_s)
    assert isinstance(at_once, Draft)
    assert (at_once.expires_at, at_once.ttl_ms) == (NOW + timedelta(seconds=ttl_s), ttl_s * 1000)
    later = asked(ttl_seconds=ttl_s, send_at=(NOW + timedelta(days=1)).isoformat())
    assert isinstance(later, Draft)
    assert later.expires_at == NOW + timedelta(days=1, seconds=ttl_s)


@pytest.mark.parametrize("ttl_s", [4, 259_201, 0, -1])
def test_a_life_outside_of_awss_bounds_is_no_request(ttl_s: int) -> None:
    """5 s to 72 h, as TimeToLive."""
    with pytest.raises(msgspec.ValidationError):
        asked(ttl_seconds=ttl_s)


def test_without_a_life_of_its_own_a_send_has_the_plans() -> None:
    """The tenant's default."""
    draft = asked()
    assert isinstance(draft, Draft)
    assert draft.ttl_ms == 600_000


@pytest.mark.parametrize(
    ("after", "code"),
    [
        (timedelta(microseconds=1), None),
        (SCHEDULE_WINDOW, None),
        (SCHEDULE_WINDOW + timedelta(microseconds=1), ("/send_at", "too_far")),
        (timedelta(0), ("/send_at", "in_the_past")),
        (timedelta(days=-1), ("/send_at", "in_the_past")),
    ],
)
def test_a_send_is_scheduled_from_now_to_35_days(after: timedelta, code: tuple[str, str] | None) -> None:
    """The window is closed at its far end; now and the past are refused, never sent at once."""
    assert fault(asked(send_at=(NOW + after).isoformat())) == code


@pytest.mark.parametrize("name", ["tg_m", "tg_a", "tg_own"])
def test_a_pair_by_a_name_of_the_gateways_own_is_refused(name: str) -> None:
    """It would be accepted, and lost behind the pair that finds the message again."""
    assert fault(asked(context={name: "x", "order": "7"})) == (f"/context/{name}", "reserved")


def test_an_instant_without_an_offset_is_refused() -> None:
    """Whose nine o'clock it is nobody could say."""
    assert fault(asked(send_at="2028-02-10T09:00:00")) == ("/send_at", "no_offset")


@pytest.mark.parametrize(
    "named", ["", "nope", "+12065550100", encode("idn", _UNKNOWN), encode("pool", _UNKNOWN)]
)
def test_a_from_that_names_nothing_of_the_tenant_is_a_wrong_field(named: str) -> None:
    """It is the request that is wrong, not the state of the tenant's senders."""
    assert fault(asked(**{"from": named})) == ("/from", "unknown_sender")


def test_the_hour_that_a_clock_shows_twice_is_two_instants() -> None:
    """2028-10-29 02:30 comes twice in Berlin; the offset says which, and the hour between is kept."""
    now = datetime(2028, 10, 20, tzinfo=UTC)
    summer, winter = (
        asked(now=now, send_at=f"2028-10-29T02:30:00{offset}") for offset in ("+02:00", "+01:00")
    )
    assert isinstance(summer, Draft)
    assert isinstance(winter, Draft)
    assert summer.send_at == datetime(2028, 10, 29, 0, 30, tzinfo=UTC)
    assert winter.send_at - summer.send_at == timedelta(hours=1)


def test_35_days_are_days_of_24_hours_over_a_change_of_clocks() -> None:
    """A local date 35 days on is an hour more in autumn: too far, by the instant."""
    berlin_summer, berlin_winter = timezone(timedelta(hours=2)), timezone(timedelta(hours=1))
    now = datetime(2028, 10, 1, 9, tzinfo=berlin_summer)
    same_wall_clock = datetime(2028, 11, 5, 9, tzinfo=berlin_winter)
    assert fault(asked(now=now, send_at=same_wall_clock.isoformat())) == ("/send_at", "too_far")
    hour_before = same_wall_clock - timedelta(hours=1)
    assert fault(asked(now=now, send_at=hour_before.isoformat())) is None


def test_the_29th_of_february_is_a_day_in_a_leap_year_only() -> None:
    """2028 has one; 2027 has none, and a leap second is no instant here."""
    draft = asked(send_at="2028-02-29T09:00:00Z")
    assert isinstance(draft, Draft)
    assert draft.send_at == datetime(2028, 2, 29, 9, tzinfo=UTC)
    for text in (
        "2027-02-29T09:00:00Z",
        "2028-02-30T09:00:00Z",
        "2028-02-10T23:59:60Z",
        "2028-02-10T24:00:00Z",
    ):
        with pytest.raises(msgspec.ValidationError):
            asked(send_at=text)
