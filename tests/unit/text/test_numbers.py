"""Numbers are taken in one form, judged like libphonenumber and explained when refused."""

import random

import phonenumbers
import pytest

from tenants.countries import numbers
from tenants.countries.numbers import Number, NumberFault, country_of, parse_number, simulator_outcomes


@pytest.mark.parametrize("e164", sorted(simulator_outcomes()))
def test_a_simulator_number_is_valid_in_its_country(e164: str):
    """AWS's self-test must work even where libphonenumber knows no such number (Norway)."""
    number = parse_number(e164)
    assert isinstance(number, Number)
    assert number.simulator
    assert number.e164 == e164
    assert phonenumbers.country_code_for_region(number.country) == phonenumbers.parse(e164).country_code


def test_simulator_numbers_come_in_pairs():
    """Every country has one that succeeds and one that fails."""
    outcomes = list(simulator_outcomes().values())
    assert len(outcomes) == 50
    assert outcomes.count("SUCCESS") == outcomes.count("FAILURE") == 25


@pytest.mark.parametrize(
    ("e164", "country", "kind"),
    [
        ("+14155550123", "US", "fixed_or_mobile"),
        ("+16475550123", "CA", "fixed_or_mobile"),
        ("+18005550123", "US", "toll_free"),
        ("+447911123456", "GG", "mobile"),
        ("+447400123456", "GB", "mobile"),
        ("+442079460000", "GB", "fixed"),
        ("+390612345678", "IT", "fixed"),
        ("+77012345678", "KZ", "mobile"),
        ("+79161234567", "RU", "mobile"),
        ("+38344123456", "XK", "mobile"),
        ("+919876543210", "IN", "mobile"),
    ],
)
def test_a_number_gets_its_country_and_kind(e164: str, country: str, kind: str):
    """Shared calling codes (+1, +44, +7) are told apart by the digits that follow."""
    assert parse_number(e164) == Number(e164=e164, country=country, kind=kind)
    assert country_of(e164) == country


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ("+1 (415) 555-0123", "not_e164", "write it as +14155550123"),
        ("0044 7400 123456", "not_e164", "write it as +447400123456"),
        ("4155550123", "not_e164", "lacks its country"),
        ("+14155550123\n", "not_e164", "write it as +14155550123"),
        ("+1415CALLNOW", "not_e164", "7 to 15 digits"),
        ("+\u0661\u0664\u0661\u0665\u0665\u0665\u0665\u0660\u0661\u0662\u0663", "not_e164", "7 to 15 digits"),
        ("", "not_e164", "lacks its country"),
        ("+" + "1" * 16, "not_e164", "7 to 15 digits"),
        ("+0123456789", "not_e164", "7 to 15 digits"),
        ("+9991234567", "unknown_country_code", "+999"),
        ("+870773111632", "no_country", "+870"),
        ("+4407400123456", "not_valid", "write it as +447400123456"),
        ("+1415555012", "not_valid", "too short"),
        ("+141555501234", "not_valid", "too long"),
        ("+12005550123", "not_valid", "looks like this"),
    ],
)
def test_a_refused_number_says_how_to_write_it(text: str, code: str, hint: str):
    """The commonest support question of a gateway, answered in the refusal."""
    fault = parse_number(text)
    assert isinstance(fault, NumberFault)
    assert fault.code == code
    assert hint in fault.detail
    assert country_of(text) is None


def test_an_overlong_text_is_never_remembered():
    """Only texts that can be numbers may take room in the cache."""
    before = numbers._parse_e164.cache_info().currsize
    parse_number("+" + "1" * 60_000)
    assert numbers._parse_e164.cache_info().currsize == before


def test_verdicts_agree_with_libphonenumber_on_random_numbers():
    """Numbers are put together without its parser; validity, country and kind must not change by that."""
    dice = random.Random(20260102)
    accepted = 0
    for _ in range(6000):
        e164 = _random_number(dice)
        ours = parse_number(e164)
        theirs = phonenumbers.parse(e164)
        if phonenumbers.format_number(theirs, phonenumbers.PhoneNumberFormat.E164) != e164:
            continue
        region = phonenumbers.region_code_for_number(theirs)
        is_valid = phonenumbers.is_valid_number(theirs) and region != "001"
        assert isinstance(ours, Number) == is_valid, e164
        if isinstance(ours, Number):
            accepted += 1
            assert ours.country == region
    assert accepted > 1000


def test_a_number_that_is_accepted_is_written_as_libphonenumber_would_write_it():
    """Otherwise one phone could be reached under two numbers, past its own opt-out."""
    dice = random.Random(20260103)
    for _ in range(6000):
        ours = parse_number(_random_number(dice))
        if isinstance(ours, Number):
            theirs = phonenumbers.parse(ours.e164)
            assert phonenumbers.format_number(theirs, phonenumbers.PhoneNumberFormat.E164) == ours.e164


def _random_number(dice: random.Random) -> str:
    """An example number of some country, with a few digits changed, inserted or dropped."""
    region = dice.choice(sorted(phonenumbers.SUPPORTED_REGIONS))
    kind = dice.choice((phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE))
    example = phonenumbers.example_number_for_type(region, kind)
    digits = list(phonenumbers.national_significant_number(example)) if example else list("12345678")
    for _ in range(dice.choice((0, 1, 1, 2))):
        place = dice.randrange(len(digits))
        digits[place : place + dice.randint(0, 1)] = dice.choice(
            ("", "0", "1", "8", dice.choice("0123456789"))
        )
    national = ("".join(digits) + "00")[:12] if len(digits) < 5 else "".join(digits)[:12]
    return f"+{phonenumbers.country_code_for_region(region)}{national}"
