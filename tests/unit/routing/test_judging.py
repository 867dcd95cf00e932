"""Ill senders are passed over, probed a little, and taken where nothing better is left."""

import pytest

from gateway.routing.candidates import Need, rank
from gateway.routing.health import Illness
from gateway.routing.judging import PROBE_SHARE, judge
from tests.unit.routing.worlds import AWAY, HOME, sender, world

TEXT = Need(country="US", message_type="otp")
ONE, TWO = sender(1, "SHORT_CODE"), sender(2, "TOLL_FREE", account_id=AWAY)
FOUND = rank(world(ONE, TWO), TEXT)
NEVER, ALWAYS = 1.0, 0.0


def reasons(ill, *, draw=NEVER, found=FOUND):
    """The reason for each candidate and whether it is taken."""
    return [(c.reason, c.taken) for c in judge(found, ill, draw=draw)]


def illness(state):
    """An illness with a reason."""
    return Illness(state=state, reason="half of its calls failed")


def test_with_nothing_ill_nothing_is_looked_at():
    """The road of nearly every send: the very same value comes back."""
    assert judge(FOUND, {}, draw=ALWAYS) is FOUND


@pytest.mark.parametrize("subject", [ONE.id, HOME])
@pytest.mark.parametrize(
    ("state", "draw", "first"),
    [
        ("disabled", ALWAYS, ("disabled", False)),
        ("unhealthy", ALWAYS, ("unhealthy", False)),
        ("probing", PROBE_SHARE, ("unhealthy", False)),
        ("probing", ALWAYS, ("probe", True)),
    ],
)
def test_an_ill_sender_or_route_is_passed_over(subject, state, draw, first):
    """The next candidate carries the message."""
    assert reasons({subject: illness(state)}, draw=draw) == [first, ("fits", True)]


def test_where_all_are_ill_the_unhealthy_are_tried_and_the_disabled_are_not():
    """A message that is tried may arrive; what an operator disabled stays disabled."""
    both = {ONE.id: illness("unhealthy"), TWO.id: illness("disabled")}
    assert reasons(both) == [("last_resort", True), ("disabled", False)]
    assert reasons({ONE.id: illness("disabled"), TWO.id: illness("disabled")}) == [("disabled", False)] * 2


def test_the_worse_of_sender_and_route_counts():
    """A healthy route does not cure a disabled sender, nor the other way round."""
    assert reasons({ONE.id: illness("probing"), HOME: illness("disabled")}, draw=ALWAYS)[0] == (
        "disabled",
        False,
    )


@pytest.mark.parametrize("state", ["disabled", "unhealthy", "probing"])
@pytest.mark.parametrize("draw", [NEVER, ALWAYS])
def test_what_made_it_ill_is_not_said_to_the_tenant(state, draw):
    """It is the operator's own words, or counts the calls of all tenants of the route."""
    ill = {ONE.id: illness(state), TWO.id: illness(state)}
    assert not [c.detail for c in judge(FOUND, ill, draw=draw) if "half of its calls" in c.detail]


def test_what_does_not_fit_stays_what_it_is():
    """The last resort is for the ill, not for a sender of another country."""
    found = rank(world(ONE, sender(3, country="CA")), TEXT)
    assert reasons({ONE.id: illness("unhealthy")}, found=found) == [
        ("last_resort", True),
        ("other_country", False),
    ]
