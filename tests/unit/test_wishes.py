"""Which sender a country gets by default, and the tokens that keep AWS from selling it twice."""

import re
from uuid import UUID

import pytest

from gateway.carrier.wishes import client_token, default_wish, sender_id_of

ACME = UUID("0190a5c2-0000-7000-8000-000000000001")


@pytest.mark.parametrize(
    ("country", "kind"), [("US", "TOLL_FREE"), ("DE", "SENDER_ID"), ("CA", "LONG_CODE"), ("JO", None)]
)
def test_a_country_gets_what_it_has_without_registration(country, kind):
    """The United States have no sender ids; Jordan wants a registration first; Canada has long codes."""
    wish = default_wish(country, "acme")
    assert (wish.type if wish else None) == kind


@pytest.mark.parametrize("slug", ["acme", "a", "4711", "a-very-long-company-name", "x-1"])
def test_a_sender_id_made_of_a_slug_is_one(slug):
    """AWS wants 3 to 11 letters and digits with a letter among them."""
    made = sender_id_of(slug)
    assert re.fullmatch("[A-Z0-9]{3,11}", made)
    assert not made.isdigit()


def test_a_client_token_repeats_for_the_same_step_only():
    """A repeated step must replay, another one must not."""
    token = client_token(ACME, "number", "US", "TOLL_FREE")
    assert token == client_token(ACME, "number", "US", "TOLL_FREE")
    assert token != client_token(ACME, "number", "UST", "OLL_FREE")
    assert re.fullmatch("[!-~]{1,64}", token)
