"""Which sender a country gets by default, and the tokens that keep AWS from selling it twice."""

import re
from uuid import UUID

import pytest

from gateway.carrier.control_calls import client_token
from gateway.carrier.provision.wishes import default_wishes, sender_id_of

ACME = UUID("0190a5c2-0000-7000-8000-000000000001")


@pytest.mark.parametrize(
    ("country", "kinds"),
    [
        ("US", ["TOLL_FREE", "TOLL_FREE"]),
        ("DE", ["SENDER_ID"]),
        ("CA", ["LONG_CODE", "LONG_CODE"]),
        ("JO", []),
        ("ZZ", []),
    ],
)
def test_a_country_gets_what_it_has_without_registration(country, kinds):
    """The United States have no sender ids; Jordan wants a registration first; Canada has long codes."""
    assert [wish.type for wish in default_wishes(country, "acme")] == kinds


@pytest.mark.parametrize("country", ["US", "CA"])
def test_a_pair_of_numbers_carries_every_type_and_none_twice(country):
    """AWS refuses a promotional text from a transactional number, after the tenant's 202."""
    carried = [kind for wish in default_wishes(country, "acme") for kind in wish.message_types]
    assert sorted(carried) == ["otp", "promotional", "transactional"]


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
