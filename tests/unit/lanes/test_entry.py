"""What goes to Redis: ids, parts and hashes, and nothing that does not fit."""

from functools import partial
from uuid import UUID

import pytest

from gateway.lanes.entry import (
    FLOW_BYTES,
    ITEM_BYTES,
    Priority,
    pack_flow,
    pack_item,
    unpack_claimed,
)
from gateway.lanes.lanes import Lanes
from gateway.lanes.scripts import RedisScripts
from tests.harness.entries import entry as any_entry

entry = partial(any_entry, route="main", identity=UUID(int=2), tenant_id=UUID(int=3))


def test_a_packed_message_takes_63_bytes_and_unpacks_to_itself():
    """28 bytes in its flow's list, and 35 that say which list."""
    queued = entry(parts=255, attempt=255, recipient_hash=b"12345678", priority=Priority.PROMOTIONAL)
    packed = pack_flow(queued) + pack_item(queued, attempt=7)
    assert (ITEM_BYTES, FLOW_BYTES, len(packed)) == (28, 35, 63)
    message = unpack_claimed("main", packed + (2_500).to_bytes(4, "big"), now_us=7_000, now=20.0)
    assert (message.send_at_us, message.release_at) == (9_500, 20.0025)
    assert (message.message_id, message.identity, message.tenant_id) == (
        UUID(int=1),
        UUID(int=2),
        UUID(int=3),
    )
    assert (message.parts, message.attempt, message.claims) == (255, 7, 0)
    assert pack_flow(message) + pack_item(message, attempt=7) == packed


@pytest.mark.parametrize(
    "fields",
    [
        {"recipient_hash": b"short"},
        {"country": "USA"},
        {"parts": 0},
        {"parts": 256},
        {"attempt": 256},
        {"weight": 0},
        {"identity_rate": 0.0},
        {"tenant_rate": 0.0},
    ],
)
def test_what_does_not_fit_the_packed_form_is_refused(fields):
    """A wrong byte in a lane would be a wrong send."""
    with pytest.raises(ValueError, match=r"bytes|parts|rate"):
        entry(**fields)


@pytest.mark.parametrize("route", ["", "a{b}", "a*", "a b", "a:b"])
async def test_a_route_name_that_would_leave_its_slot_is_refused(route):
    """Braces, wildcards and colons would reach another route's keys."""
    with pytest.raises(ValueError, match="route name"):
        await Lanes(RedisScripts(None)).claim(route, 1)  # type: ignore[arg-type]
