"""What the `RateLimit` headers say: which rates hold, what is left of each, and when it is whole."""

from uuid import UUID

import pytest
from msgspec import structs

from gateway.admission.peeking import Peek
from gateway.admission.verdict import Admission, Admitted, Refused
from gateway.api.rate_headers import rate_headers
from gateway.api.v1.batches import nearest_limits
from gateway.intake.outcome import Declined, RateState
from gateway.intake.rate_states import after_send, looked_at, used_up
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
    headers = rate_headers([used_up(refused, "US", PLAN)])
    assert headers == {"RateLimit-Policy": policy, "RateLimit": state}


@pytest.mark.parametrize(
    ("rate", "policy"),
    [
        (0.5, "q=1;w=2"),
        (0.2, "q=1;w=5"),
        (2.5, "q=5;w=2"),
        (0.3, "q=3;w=10"),
        (1 / 3, "q=1;w=3"),
        (50, "q=50;w=1"),
        (0.0001, "q=1;w=10000"),
        (1e-320, "q=1;w=2592000"),
        (1e300, "q=1000000000;w=1"),
    ],
)
def test_the_policy_is_the_rate_itself(rate, policy):
    """A client that paces itself by q in w seconds goes exactly as fast as it may."""
    assert (
        rate_headers([RateState(limit_per_s=rate, remaining=1)])["RateLimit-Policy"] == f'"requests";{policy}'
    )


def send(**changes):
    """What the gate was asked of a send of two parts to the US."""
    asked = Admission(
        tenant_id=UUID(int=1),
        policy_version=1,
        live=True,
        country="US",
        template=None,
        recipient_hash=b"recipient",
        use_cases=("all",),
        parts=2,
        estimated_wait_ms=0,
        ttl_ms=60_000,
    )
    return structs.replace(asked, **changes)


def test_an_admitted_send_tells_its_requests_and_its_country():
    """Both limits hold, so both are told; a country without one is not."""
    admitted = Admitted(remaining=49, reset_ms=20, parts_left=8, parts_reset_ms=200)
    assert rate_headers(after_send(PLAN, send(), admitted)) == {
        "RateLimit-Policy": '"requests";q=50;w=1, "parts-US";q=10;w=1',
        "RateLimit": '"requests";r=49;t=1, "parts-US";r=8;t=1',
    }
    [alone] = after_send(PLAN, send(country="GB"), admitted)
    assert alone.name == "requests"
    [scheduled] = after_send(PLAN, send(scheduled=True), Admitted(remaining=49, reset_ms=20))
    assert scheduled.name == "requests"


@pytest.mark.parametrize(
    ("rate", "wait_ms", "state"),
    [(0.2, 0, "r=0;t=10"), (10, 0, "r=8;t=1"), (10, 3000, "r=0;t=4")],
)
def test_a_plan_that_queues_tells_what_would_leave_at_once(rate, wait_ms, state):
    """Nothing is refused by it: r=0 says that the next one waits."""
    plan = Plan(country_mps={"US": rate})
    states = after_send(plan, send(estimated_wait_ms=wait_ms), Admitted(remaining=None, reset_ms=0))
    assert rate_headers(states)["RateLimit"] == f'"parts-US";{state}'


@pytest.mark.parametrize(
    ("plan", "changes", "headers"),
    [
        (Plan(), {}, ('"parts-US";q=10;w=1', '"parts-US";r=8;t=1')),
        (Plan(), {"estimated_wait_ms": 3000}, ('"parts-US";q=10;w=1', '"parts-US";r=0;t=4')),
        (Plan(burst="refuse"), {}, ('"parts-US";q=10;w=1', '"parts-US";r=8;t=1')),
        (Plan(), {"scheduled": True}, ('"parts-US";q=10;w=1', None)),
        (PLAN, {"country": "GB"}, ('"requests";q=50;w=1', '"requests";r=49;t=1')),
    ],
)
def test_where_the_plan_has_no_rate_the_sender_s_is_told(plan, changes, headers):
    """Whoever sends faster than its number waits in line, and can know before."""
    admitted = Admitted(remaining=49, reset_ms=20)
    told = rate_headers(after_send(plan, send(**changes), admitted, sender_rate=10.0))
    assert (told["RateLimit-Policy"], told.get("RateLimit")) == headers


def test_with_redis_away_all_of_the_allowance_is_left():
    """Nothing is counted then."""
    states = after_send(PLAN, send(), Admitted(remaining=None, reset_ms=0))
    assert [(each.remaining, each.reset_ms) for each in states] == [(50, 0), (10, 0)]
    assert looked_at(PLAN, "US", None) == states


def test_a_refused_send_tells_what_can_be_known():
    """Before the country is known its rate is not; nobody knows the queue; without a limit no header."""
    peek = Peek(remaining=7, reset_ms=100, parts_left=3, parts_reset_ms=50)
    assert [(each.name, each.remaining) for each in looked_at(PLAN, "US", peek)] == [
        ("requests", 7),
        ("parts-US", 3),
    ]
    assert [each.name for each in looked_at(PLAN, None, peek)] == ["requests"]
    queueing = looked_at(Plan(country_mps={"US": 2.5}), "US", None)
    assert rate_headers(queueing) == {"RateLimit-Policy": '"parts-US";q=5;w=2'}
    assert rate_headers(looked_at(Plan(), "US", None)) == {}


def test_other_gates_have_no_rate():
    """Nor has a plan that changed in between."""
    assert used_up(Refused(gate="opted_out"), "US", PLAN) is None
    assert used_up(Refused(gate="rate_limited", scope="country", retry_after_ms=1), "GB", PLAN) is None


def test_a_batch_tells_the_rate_of_which_it_left_least():
    """One header for many sends: the one that the next request meets."""
    left = [RateState(limit_per_s=9, remaining=each, reset_ms=10) for each in (7, 0, 3)]
    outcomes = [Declined(code="rate_limited", detail="", rates=(each,)) for each in left]
    assert nearest_limits([*outcomes, RuntimeError(), Declined(code="opted_out", detail="")]) == (left[1],)
    assert nearest_limits([]) == ()
