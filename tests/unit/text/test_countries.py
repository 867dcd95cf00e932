"""AWS's table of countries, with its slips put right in the open."""

import phonenumbers
import pytest

from tenants.countries.facts import (
    DIALING_CORRECTIONS,
    ISO_CORRECTIONS,
    UNREACHABLE,
    by_iso,
    index,
    published_rows,
)


def test_every_published_row_is_one_country():
    """A row lost to a duplicate code would close a country nobody meant to close."""
    assert len(by_iso()) == len(published_rows()) == 213


@pytest.mark.parametrize(
    ("iso", "name"), [("TV", "Tuvalu"), ("TC", "Turks and Caicos Islands"), ("XK", "Kosovo")]
)
def test_miscoded_countries_are_found_under_their_own_code(iso: str, name: str):
    """AWS lists Tuvalu as TC and Kosovo as KV; numbers parse to TV and XK."""
    assert by_iso()[iso].name == name


def test_a_correction_goes_when_aws_fixes_its_table():
    """A correction without a slip to correct would be a slip of ours."""
    published = published_rows()
    assert set(ISO_CORRECTIONS) <= {(row["iso_country_code"], row["name"]) for row in published}
    listed = {
        (row["iso_country_code"], code.strip())
        for row in published
        for code in row["dialing_code"].split(",")
    }
    assert set(DIALING_CORRECTIONS) <= listed


def test_dialing_codes_begin_the_numbers_of_their_country():
    """Held to libphonenumber's example numbers; the Netherlands Antilles are no longer a region there."""
    for country in by_iso().values():
        if country.iso == "AN":
            continue
        calling_code = str(phonenumbers.country_code_for_region(country.iso))
        assert all(code.startswith(calling_code) for code in country.dialing_codes), country
        examples = (
            phonenumbers.example_number_for_type(country.iso, kind)
            for kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE)
        )
        written = [
            phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)[1:]
            for example in examples
            if example is not None
        ]
        assert any(number.startswith(country.dialing_codes) for number in written), country


def test_support_reads_as_published():
    """One row of each kind, read by eye from AWS's page."""
    india, liberia, kuwait = by_iso()["IN"], by_iso()["LR"], by_iso()["KW"]
    assert (india.short_code, india.long_code, india.sender_id, india.two_way) == (
        True,
        True,
        "registration",
        True,
    )
    assert (liberia.long_code, liberia.two_way) == (True, None)
    assert kuwait.sender_id == "registration"
    assert by_iso()["DO"].dialing_codes == ("1809", "1829", "1849")


def test_no_unreachable_country_is_in_the_table():
    """A country cannot be both listed and unreachable."""
    assert not UNREACHABLE.keys() & by_iso().keys()
    assert set(UNREACHABLE) == {"CU", "IR", "KP", "SD", "SY"}


def test_a_table_that_names_a_country_twice_is_refused():
    """The next slip of this sort must be noticed, not resolved by the order of the rows."""
    rows = published_rows()
    with pytest.raises(ValueError, match="FR is listed twice"):
        index([*rows, next(row for row in rows if row["iso_country_code"] == "FR")])


def test_a_table_with_an_unknown_word_is_refused():
    """A new kind of sender id support is news, not a no."""
    row = published_rows()[0] | {"sender_id": "sometimes"}
    with pytest.raises(KeyError):
        index([row])
