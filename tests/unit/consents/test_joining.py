"""Which use cases a word such as JOIN grants."""

import pytest

from tenants.consents.joining import use_cases_of
from tenants.consents.models import Consent


def stands(use_case, state, method, message_type="promotional"):
    """Where a person stands with a use case."""
    return Consent(use_case=use_case, state=state, method=method, message_type=message_type)


def test_what_a_stop_ended_a_join_grants_again():
    """And what is granted gets its line too."""
    known = [stands("news", "withdrawn", "keyword"), stands("offers", "granted", "web")]
    assert use_cases_of("promotional", known, []) == ["news", "offers"]


def test_what_a_person_left_by_hand_stays_left():
    """Whoever unticked the news on a page and joins the offers wants no news."""
    known = [stands("news", "withdrawn", "web"), stands("offers", "withdrawn", "keyword")]
    assert use_cases_of("promotional", known, [("promotional", "news")]) == ["offers"]


@pytest.mark.parametrize(
    ("published", "granted"),
    [
        ([], "promotional"),
        ([("promotional", "offers"), ("otp", "codes")], "offers"),
        ([("promotional", "offers"), ("promotional", "news")], "promotional"),
    ],
)
def test_who_is_new_agrees_to_the_one_programme_of_the_type(published, granted):
    """Several would be a guess, so the type stands for itself; another type's consent is none of this one."""
    assert use_cases_of("promotional", [stands("codes", "granted", "web", "otp")], published) == [granted]
