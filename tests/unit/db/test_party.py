"""What was submitted together is answered together: each in its place, and whoever waits wakes once."""

import asyncio

import pytest

from gateway.db.party import Party


async def test_answers_come_in_the_order_of_the_members_however_they_are_given():
    party = Party(3)
    fault = OSError("away")
    party.members[2].set_result("third")
    party.members[0].set_exception(fault)
    assert not party.answers.done()
    party.members[1].set_result("second")
    assert await party.answers == [fault, "second", "third"]


async def test_a_member_says_whether_it_has_its_answer():
    party = Party(2)
    party.members[0].set_result("first")
    assert [member.done() for member in party.members] == [True, False]


async def test_answers_for_a_caller_that_was_cancelled_do_no_harm():
    party = Party(1)
    waiting = asyncio.ensure_future(asyncio.wait_for(party.answers, timeout=60))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    party.members[0].set_result("nobody hears it")
    assert party.answers.cancelled()
