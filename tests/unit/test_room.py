"""The places of a dispatcher: several claims fit in at once, and one for a single free place is not made."""

import asyncio

from gateway.dispatch.room import Room


def test_four_claims_fit_in_at_once() -> None:
    """With two, a dispatcher had nothing to do while the second was at its marks and the first had left."""
    room = Room(256)
    for _ in range(4):
        assert room.claimable == 64
        room.take(room.claimable)
    assert room.claimable == 0


def test_a_small_room_still_claims() -> None:
    """A single place is a whole room."""
    assert [Room(places).claimable for places in (1, 2, 3, 8)] == [1, 1, 1, 2]


async def test_a_full_room_waits_for_a_claims_worth() -> None:
    """A claim should be worth its transaction, unless a moment has brought no more."""
    room = Room(16)
    room.take(16)
    waiting = asyncio.create_task(room.enough())
    room.give_back(4)
    async with asyncio.timeout(60):
        await waiting
    assert room.claimable == 4
    room.take(4)
    waiting = asyncio.create_task(room.enough())
    room.give_back()
    async with asyncio.timeout(60):
        await waiting
    assert room.claimable == 1
