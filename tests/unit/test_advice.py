"""Which sender is advised for what, and in which order countries can begin."""

import csv
import io
from datetime import date

import pytest

from gateway.advice.plan_sheet import COLUMNS, as_csv, planned
from gateway.advice.rank import Cost, absent, ranked
from gateway.advice.wish import Wish
from gateway.lanes.gates import identity_rate
from tenants.countries.facts import by_iso

LEASES = {"SHORT_CODE": 1_000_000_000, "TEN_DLC": 1_000_000, "TOLL_FREE": 2_000_000, "LONG_CODE": 1_000_000}
FEES = {"TEN_DLC": 40_000_000}


def cost_of(kind, _country, senders):
    """Micro-dollars in the order of AWS's."""
    return Cost(one_time=FEES.get(kind, 0) * senders, monthly=LEASES.get(kind, 0) * senders, per_part=8_000)


def advised(country, **given):
    """Return the options for a country."""
    wish = Wish(countries=[country], **given)
    return ranked(wish, by_iso()[country], rate_of=identity_rate, cost_of=cost_of)


def best(country, **given):
    """Return the kind that comes first, or None where it cannot do all."""
    first = advised(country, **given)[0]
    return None if first.blockers else first.kind


@pytest.mark.parametrize(
    ("country", "given", "kind"),
    [
        ("US", {"parts_per_second": 1}, "TOLL_FREE"),
        ("US", {"parts_per_second": 30}, "SHORT_CODE"),
        ("US", {"parts_per_second": 3, "regulated": True}, "SHORT_CODE"),
        ("US", {"messages_per_month": 13_000_000}, "SHORT_CODE"),
        ("US", {"parts_per_second": 3, "voice": True}, "TOLL_FREE"),
        ("GB", {}, "SENDER_ID"),
        ("GB", {"two_way": True}, "LONG_CODE"),
        ("CA", {"mms": True}, "LONG_CODE"),
        ("IN", {}, "SENDER_ID"),
        ("FR", {"mms": True}, None),
        ("JO", {"type": "promotional"}, None),
    ],
)
def test_the_first_sender_is_the_cheapest_that_can_do_it_or_the_advised_one(country, given, kind):
    """The cases of AWS's own posts."""
    assert best(country, **given) == kind


def test_a_country_names_what_it_does_not_have():
    """No sender ids in the United States, no shared routes to China, and India's long codes only receive."""
    assert absent(by_iso()["US"]).keys() == {"LONG_CODE", "SENDER_ID", "SHARED"}
    assert "SHARED" in absent(by_iso()["CN"])
    assert "only receive" in absent(by_iso()["IN"])["LONG_CODE"]


def test_a_shared_route_is_the_last_resort():
    """However cheap it is."""
    assert advised("GB")[-1].kind == "SHARED"


def test_many_numbers_for_one_text_are_not_advised():
    """Carriers filter what is spread over numbers to pass their limits."""
    toll_free = next(option for option in advised("US", parts_per_second=30) if option.kind == "TOLL_FREE")
    assert (toll_free.senders_needed, "snowshoeing" in toll_free.blockers[0]) == (10, True)


def test_a_plan_begins_where_nobody_reviews_and_ends_where_nothing_is_possible():
    """A phased roll-out, with the days of the lead times."""
    wish = Wish(countries=["VN", "US", "GB", "AD"], two_way=False, parts_per_second=2)
    options = [(by_iso()[iso], advised(iso, parts_per_second=2)) for iso in wish.countries]
    rows = planned(options, date(2026, 11, 21))
    assert [row.country.iso for row in rows] == ["AD", "GB", "US", "VN"]
    assert rows[-1].live_from == date(2027, 1, 2)
    assert rows[-1].live_by is None
    sheet = list(csv.DictReader(io.StringIO(as_csv(wish, rows))))
    assert tuple(sheet[0]) == COLUMNS
    assert (sheet[2]["originator"], sheet[2]["registration"], sheet[2]["lead_time_days"]) == (
        "TOLL_FREE",
        "required",
        "1-21",
    )


def test_a_row_without_a_way_says_what_stands_against_it():
    """An empty row would be taken for an oversight."""
    wish = Wish(countries=["FR"], mms=True)
    [row] = planned([(by_iso()["FR"], advised("FR", mms=True))], date(2026, 11, 21))
    assert "it sends no MMS there" in as_csv(wish, [row])
