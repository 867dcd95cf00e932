"""Which sender a message gets: the order, and the reason for each that is passed over."""

import pytest
from msgspec import structs

from gateway.routing.candidates import NEVER_SHARED, ORDER, Need, best_group, named_senders, rank
from tenants.ids import encode
from tests.unit.routing.worlds import ABROAD, AWAY, HOME, ROUTES, pool, sender, world

TEXT = Need(country="US", message_type="transactional")


def order(routing, need=TEXT):
    """The senders' types in order, taken or not."""
    return [candidate.sender.type for candidate in rank(routing, need)]


def reasons(routing, need=TEXT):
    """The reason for each sender, by its number."""
    return {c.sender.id.int - 100: c.reason for c in rank(routing, need)}


def test_types_come_in_one_order_whatever_the_rows_order_is():
    """SHORT_CODE, TEN_DLC, LONG_CODE, SENDER_ID, TOLL_FREE, SHARED; the simulator behind all."""
    senders = [sender(number, kind) for number, kind in enumerate(reversed(ORDER))]
    assert order(world(*senders)) == list(ORDER)


def test_a_tenants_route_counts_more_than_the_type_but_not_more_than_a_last_resort():
    """What leaves by a shared route on the first account is worse than an own number on the second."""
    routes = {
        AWAY: structs.replace(ROUTES[AWAY], position=1, shared_routes=True),
        HOME: structs.replace(ROUTES[HOME], position=2),
    }
    senders = (
        sender(1, "SHORT_CODE"),
        sender(2, "TOLL_FREE", account_id=AWAY),
        sender(3, "SHARED", account_id=AWAY),
    )
    found = rank(world(*senders, routes=routes), TEXT)
    assert [c.sender.type for c in found] == ["TOLL_FREE", "SHORT_CODE", "SHARED"]


def test_the_senders_of_a_type_are_equals_in_the_order_of_their_pool():
    """Two numbers of one type are one throughput of twice the size; the shortest line is taken."""
    one, two, other = sender(1), sender(2), sender(3, "TOLL_FREE")
    routing = world(one, two, other, pools=(pool(1, two, one, other),))
    assert best_group(rank(routing, TEXT)) == [two, one]
    assert best_group(rank(world(), TEXT)) == []


@pytest.mark.parametrize(
    ("changes", "need", "reason"),
    [
        ({}, {}, "fits"),
        ({"state": "pending"}, {}, "not_active"),
        ({"state": "standby"}, {}, "not_active"),
        ({"state": "disabled"}, {}, "not_active"),
        ({"country": "CA"}, {}, "other_country"),
        ({}, {"channel": "mms"}, "channel_not_carried"),
        ({"channels": frozenset({"sms", "mms"})}, {"channel": "mms"}, "fits"),
        ({"channels": frozenset({"voice"})}, {}, "channel_not_carried"),
        ({"message_types": frozenset({"promotional"})}, {}, "type_not_carried"),
        ({"use_cases": frozenset({"2FA"})}, {"use_case": "MARKETING"}, "use_case_not_registered"),
        ({"use_cases": frozenset({"2FA"})}, {"use_case": "2FA"}, "fits"),
        ({"use_cases": frozenset({"otp"})}, {"message_type": "otp"}, "fits"),
        ({"use_cases": frozenset({"otp"})}, {"message_type": "transactional"}, "use_case_not_registered"),
        ({}, {"use_case": "MARKETING"}, "fits"),
        ({"account_id": sender(0).id}, {}, "route_not_allowed"),
        ({}, {"named": "+12065550002"}, "not_named"),
        ({}, {"named": "+12065550001"}, "fits"),
        ({}, {"named": encode("pool", pool(9).id)}, "not_named"),
        ({"type": "SENDER_ID", "value": "ACME"}, {"named": "acme"}, "fits"),
        ({"type": "SIMULATOR"}, {}, "fits"),
    ],
)
def test_each_thing_that_keeps_a_sender_back_has_its_reason(changes, need, reason):
    """The operator reads it off `/v1/messages/explain`."""
    base = {"value": "+12065550001"}
    routing = world(sender(1, **(base | changes)))
    [candidate] = rank(routing, structs.replace(TEXT, **need))
    assert (candidate.reason, candidate.taken) == (reason, reason == "fits")
    assert candidate.detail


def test_only_the_pools_of_the_type_are_asked():
    """A number kept for one-time codes does not carry marketing."""
    codes, ads = sender(1), sender(2)
    routing = world(
        codes,
        ads,
        pools=(pool(1, codes, types=frozenset({"otp"})), pool(2, ads, types=frozenset({"promotional"}))),
    )
    assert reasons(routing, Need(country="US", message_type="otp")) == {1: "fits", 2: "not_in_pool"}
    named = Need(country="US", message_type="otp", named=encode("pool", routing.pools[1].id))
    assert reasons(routing, named) == {1: "not_named", 2: "fits"}


@pytest.mark.parametrize("plan", [False, True])
@pytest.mark.parametrize("route", [False, True])
def test_shared_routes_are_off_unless_tenant_and_route_both_have_them(plan, route):
    """A text from a number of nobody's is the operator's decision, twice."""
    shared = sender(1, "SHARED", country="GB")
    routes = {HOME: structs.replace(ROUTES[HOME], shared_routes=route)}
    routing = world(shared, shared_routes=plan, routes=routes)
    expected = "fits" if plan and route else "shared_routes_off"
    assert reasons(routing, Need(country="GB", message_type="otp")) == {1: expected}


@pytest.mark.parametrize("country", sorted(NEVER_SHARED))
def test_there_are_no_shared_routes_to_the_united_states_and_china(country):
    """Whatever is enabled."""
    routes = {HOME: structs.replace(ROUTES[HOME], shared_routes=True)}
    routing = world(sender(1, "SHARED", country=country), shared_routes=True, routes=routes)
    assert reasons(routing, Need(country=country, message_type="otp")) == {1: "shared_routes_off"}


def test_groups_are_equal_for_equals_only():
    """The shortest line may decide between two accounts only while the operator has set no order."""
    senders = (sender(1), sender(2, account_id=ABROAD), sender(3, "TOLL_FREE"))
    assert [c.group for c in rank(world(*senders), TEXT)] == [0, 0, 1]
    ordered = {
        HOME: structs.replace(ROUTES[HOME], position=1),
        ABROAD: structs.replace(ROUTES[ABROAD], position=2),
    }
    assert [c.group for c in rank(world(*senders, routes=ordered), TEXT)] == [0, 1, 2]


def test_a_sender_is_named_by_its_value_by_its_id_or_by_its_pool():
    """`GET /v1/senders` shows the id, so a send takes it."""
    one, two, brand = sender(1), sender(2), sender(3, "SENDER_ID", value="ACME")
    routing = world(one, two, brand, pools=(pool(1, two),))
    named = {
        one.value: [one.id],
        encode("idn", one.id): [one.id],
        "acme": [brand.id],
        encode("pool", routing.pools[0].id): [two.id],
        encode("idn", HOME): [],
        encode("pool", HOME): [],
        "nope": [],
        "": [],
    }
    assert {text: named_senders(routing, text) for text in named} == named
    by_id = rank(routing, structs.replace(TEXT, named=encode("idn", one.id)))
    assert [each.sender.id for each in by_id if each.taken] == [one.id]
