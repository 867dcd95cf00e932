"""Who may post now: slow receivers wait for each other, and for nobody else."""

from datetime import UTC, datetime
from uuid import UUID

from gateway.webhooks.due import DueDelivery
from gateway.webhooks.payload import StoredEvent
from gateway.webhooks.places import PER_ENDPOINT, SLOW_S, WAITING_PER_ENDPOINT, Places
from tenants.endpoints.models import WebhookEndpoint

QUICK = 20


class Clock:
    """Seconds that pass when told to."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        """Return the time."""
        return self.now


def deliveries(endpoint, count, *, tenant=9):
    """So many deliveries of one endpoint, told apart by their ids."""
    of = WebhookEndpoint(id=UUID(int=endpoint))
    at = datetime(2026, 3, 1, tzinfo=UTC)
    event = StoredEvent(id=UUID(int=1), type="message.sent", sequence=1, data={}, message=None)
    return [
        DueDelivery(
            tenant_id=UUID(int=tenant),
            id=UUID(int=number),
            created_at=at,
            endpoint=of,
            event=event,
            attempts=0,
        )
        for number in range(count)
    ]


def begin(places):
    """Begin all that may; the places they took."""
    return [places.take(each) for each in places.ready()]


def test_an_endpoint_gets_ten_places_and_a_line_of_its_own():
    """What has no room even to wait is handed back, to be held in Postgres."""
    places = Places(QUICK)
    excess = places.line_up(deliveries(1, 100))
    assert len(begin(places)) == PER_ENDPOINT
    assert len(excess) == 100 - PER_ENDPOINT - WAITING_PER_ENDPOINT
    assert places.room(UUID(int=1)) == 0
    assert places.free() == QUICK - PER_ENDPOINT


def test_the_end_of_a_post_lets_the_next_of_its_line_begin():
    """In the order in which they were leased."""
    places = Places(QUICK)
    places.line_up(deliveries(1, 12))
    first = begin(places)
    places.leave(first[0])
    assert next(places.ready()).id.int == 10


def test_a_post_that_lasts_gives_its_quick_place_back():
    """Two dead receivers would otherwise hold all twenty places for fifteen seconds."""
    clock = Clock()
    places = Places(QUICK, clock=clock)
    places.line_up(deliveries(1, 10) + deliveries(2, 10))
    begin(places)
    assert places.free() == 0
    clock.now += SLOW_S
    assert places.free() == QUICK
    places.line_up(deliveries(3, 5))
    assert len(begin(places)) == 5


def test_an_endpoint_known_to_be_slow_begins_in_the_slow_room():
    """Its posts never take a quick place again, until one of them was quick."""
    clock = Clock()
    places = Places(QUICK, clock=clock)
    places.line_up(deliveries(1, 1))
    [slow] = begin(places)
    clock.now += 14
    places.leave(slow)
    places.line_up(deliveries(1, 10))
    slow_ones = begin(places)
    assert (len(slow_ones), places.free()) == (10, QUICK)
    for place in slow_ones:
        places.leave(place)
    places.line_up(deliveries(1, 10))
    begin(places)
    assert places.free() == QUICK - 10


def test_the_slow_room_has_an_end():
    """Slow receivers wait for a place there, and quick ones go on."""
    clock = Clock()
    places = Places(QUICK, clock=clock)
    for endpoint in range(1, 30):
        places.line_up(deliveries(endpoint, 1))
        [place] = begin(places)
        clock.now += 2
        places.leave(place)
    for endpoint in range(1, 30):
        places.line_up(deliveries(endpoint, 10))
    under_way = begin(places)
    assert len(under_way) == QUICK * 4
    clock.now += 2
    places.leave(under_way[0])
    assert len(begin(places)) == 1
    places.line_up(deliveries(99, 3))
    assert len(begin(places)) == 3


def slow_endpoints(places, clock, endpoints, tenant):
    """Have the endpoints of a tenant be known as slow."""
    for endpoint in endpoints:
        places.line_up(deliveries(endpoint, 1, tenant=tenant))
        [place] = begin(places)
        clock.now += 2
        places.leave(place)


def test_tenants_share_the_slow_room():
    """Fifty slow endpoints of one tenant would have every place, and the next one, too."""
    clock, crowd, one = Clock(), range(1, 51), 99
    places = Places(QUICK, clock=clock)
    slow_endpoints(places, clock, crowd, tenant=1)
    slow_endpoints(places, clock, [one], tenant=2)
    for endpoint in crowd:
        places.line_up(deliveries(endpoint, 30, tenant=1))
    under_way = begin(places)
    assert len(under_way) == QUICK * 4
    places.line_up(deliveries(one, 30, tenant=2))
    begun = []
    clock.now += 2
    for place in under_way[:PER_ENDPOINT]:
        places.leave(place)
        begun += begin(places)
    assert {place.tenant.int for place in begun} == {2}
    places.leave(under_way[PER_ENDPOINT])
    assert [place.tenant.int for place in begin(places)] == [1], "what one cannot use is the others'"


def test_what_is_free_in_the_slow_room_is_dealt_out_in_turns():
    """Also where much of it is free at once."""
    clock = Clock()
    places = Places(QUICK, clock=clock)
    slow_endpoints(places, clock, range(1, 21), tenant=1)
    slow_endpoints(places, clock, range(21, 41), tenant=2)
    for endpoint in range(1, 41):
        places.line_up(deliveries(endpoint, 10, tenant=1 if endpoint < 21 else 2))
    begun = begin(places)
    assert [place.tenant.int for place in begun].count(2) == len(begun) // 2 == QUICK * 2
    assert len({place.endpoint for place in begun}) == 40


def test_the_quick_room_is_shared_in_turns():
    """One endpoint with a long line does not stand in front of another for ever."""
    places = Places(QUICK)
    for endpoint in (1, 2, 3):
        places.line_up(deliveries(endpoint, 30))
    under_way, served = begin(places), set()
    for place in under_way:
        places.leave(place)
        served |= {each.endpoint.int for each in begin(places)}
    assert served == {1, 2, 3}


def test_what_waited_too_long_is_left_to_its_lease():
    """Another sender may have it by then."""
    clock = Clock()
    places = Places(QUICK, clock=clock)
    places.line_up(deliveries(1, 20))
    under_way = begin(places)
    clock.now += 31
    for place in under_way:
        places.leave(place)
    assert begin(places) == []
    assert places.room(UUID(int=1)) == PER_ENDPOINT + WAITING_PER_ENDPOINT


def test_a_line_is_given_back_whole():
    """At the end of a process, another may have what waits at once."""
    places = Places(QUICK)
    places.line_up(deliveries(1, 30))
    begin(places)
    assert len(places.empty_lines()) == 20
    assert places.empty_lines() == []
