"""Our reading of libphonenumber's tables gives libphonenumber's answers."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneNumber

from tenants.countries.plans import CALLING_CODES, classify

NATIONAL = st.text("0123456789", min_size=3, max_size=12)


def _ask_libphonenumber(calling_code: int, national: str) -> tuple[str | None, int]:
    zeros = len(national) - len(national.lstrip("0"))
    number = PhoneNumber(
        country_code=calling_code,
        national_number=int(national),
        italian_leading_zero=True if zeros else None,
        number_of_leading_zeros=zeros if zeros > 1 else None,
    )
    return phonenumbers.region_code_for_number(number), phonenumbers.number_type(number)


@given(calling_code=st.sampled_from(sorted(CALLING_CODES.values())), national=NATIONAL)
def test_any_digits_are_judged_alike(calling_code: int, national: str) -> None:
    """Most of them are no number; both say so."""
    assert classify(calling_code, national) == _ask_libphonenumber(calling_code, national)


@pytest.mark.parametrize("calling_code", sorted(COUNTRY_CODE_TO_REGION_CODE))
def test_examples_of_every_kind_and_their_neighbours_are_judged_alike(calling_code: int) -> None:
    """Numbers that exist, and the same with one digit changed, which may be another region's or nobody's."""
    for national in _examples(calling_code):
        for at in range(len(national)):
            for digit in "0379":
                near = national[:at] + digit + national[at + 1 :]
                assert classify(calling_code, near) == _ask_libphonenumber(calling_code, near)


def _examples(calling_code: int) -> set[str]:
    regions = COUNTRY_CODE_TO_REGION_CODE[calling_code]
    found = [
        phonenumbers.example_number_for_non_geo_entity(calling_code)
        if region == "001"
        else phonenumbers.example_number_for_type(region, kind)
        for region in regions
        for kind in (0, 1, 3)
    ]
    return {phonenumbers.national_significant_number(each) for each in found if each is not None}
