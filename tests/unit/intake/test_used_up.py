"""A 429 for a rate says which rate, that nothing of it is left, and when it opens."""

import pytest

from gateway.admission.verdict import Refused
from gateway.api.rate_headers import rate_headers
from gateway.api.v1.batches import nearest_limit
from gateway.intake.outcome import Declined, RateState
from gateway.intake.refusals import used_up
from tenants.accounts.plan import Plan

PLAN = Plan(requests_per_second=50, country_mps={"US": 10}, burst="refuse")


@pytest.mark.parametrize(
    ("scope", "policy", "state"),
    [
        ("requests", '"requests";q=50;w=1', '"requests";r=0;t=2'),
        ("country", '"parts-US";q=10;w=1', '"parts-US";r=0;t=2'),
    ],
)
def test_the_headers_name_the_rate_that_refused(scope, policy, state):
    """A client that waits for the wrong one meets the next 429."""
    refused = Refused(gate="rate_limited", scope=scope, retry_after_ms=1500)
    headers = rate_headers(used_up(refused, "US", PLAN))
    assert headers == {"RateLimit-Policy": policy, "RateLimit": state}


def test_other_gates_have_no_rate():
    """Nor has a plan that changed in between."""
    assert used_up(Refused(gate="opted_out"), "US", PLAN) is None
    assert used_up(Refused(gate="rate_limited", scope="country", retry_after_ms=1), "GB", PLAN) is None


def test_a_batch_tells_the_rate_of_which_it_left_least():
    """One header for many sends: the one that the next request meets."""
    left = [RateState(limit_per_s=9, remaining=each, reset_ms=10) for each in (7, 0, 3)]
    outcomes = [Declined(code="rate_limited", detail="", rate=each) for each in left]
    assert nearest_limit([*outcomes, RuntimeError(), Declined(code="opted_out", detail="")]) == left[1]
    assert nearest_limit([]) is None
