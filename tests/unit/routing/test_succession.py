"""Whether one sender may take another's place, and what it lacks."""

import pytest
from msgspec import structs

from gateway.routing.succession import shortfall
from tests.unit.routing.worlds import ABROAD, HOME, ROUTES, sender, world

OTP = frozenset({"otp"})


def lacks(out, successor, **facts):
    """What keeps the one from the other's place, by its code."""
    found = shortfall(world(out, successor, **facts), out, successor)
    return None if found is None else found.code


@pytest.mark.parametrize(
    ("out", "successor", "code"),
    [
        ({}, {}, None),
        ({}, {"state": "standby"}, None),
        ({}, {"country": "CA"}, "other_country"),
        ({"message_types": frozenset({"otp"})}, {}, None),
        ({}, {"message_types": frozenset({"otp"})}, "carries_less"),
        ({"channels": frozenset({"sms", "mms"})}, {"channels": frozenset({"voice"})}, "carries_less"),
        ({}, {"channels": frozenset({"sms", "mms"})}, None),
        ({"two_way": True}, {}, "one_way"),
        ({}, {"two_way": True}, None),
        ({"use_cases": OTP}, {"use_cases": frozenset({"marketing"})}, "use_case_not_registered"),
        ({"use_cases": OTP}, {}, None),
        ({"use_cases": OTP}, {"use_cases": frozenset({"otp", "marketing"})}, None),
        ({}, {"use_cases": OTP}, "use_case_not_registered"),
        ({}, {"use_cases": frozenset({"otp", "polling"})}, None),
        ({}, {"account_id": ABROAD}, None),
    ],
)
def test_what_left_by_the_one_must_be_able_to_leave_by_the_other(out, successor, code):
    """One that names no use case stands for any."""
    assert lacks(sender(1, **out), sender(2, **successor)) == code


def test_the_successors_account_is_among_the_tenants_routes():
    """Else nothing would leave at all."""
    routes = {HOME: ROUTES[HOME]}
    assert lacks(sender(1), sender(2, account_id=ABROAD), routes=routes) == "route_not_allowed"


def test_a_shared_route_takes_a_place_only_where_it_may_be_used():
    """Both the plan and the account say so, and the country has one."""
    out, shared = sender(1, country="GB"), sender(2, "SHARED", country="GB")
    open_routes = {HOME: structs.replace(ROUTES[HOME], shared_routes=True)}
    assert lacks(out, shared) == "shared_routes_off"
    assert lacks(out, shared, routes=open_routes, shared_routes=True) is None


def test_a_simulator_number_takes_a_simulators_place_only():
    """It reaches no person."""
    assert lacks(sender(1), sender(2, "SIMULATOR")) == "simulator_only"
    assert lacks(sender(1, "SIMULATOR"), sender(2, "SIMULATOR")) is None
