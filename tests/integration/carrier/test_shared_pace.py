"""The pace of an account's control actions, kept by all processes together."""

import asyncio
from uuid import uuid4

import pytest

from gateway.carrier.shared_pace import SharedPace


class Waits:
    """Notes what would be waited."""

    def __init__(self):
        self.seconds = []

    async def sleep(self, seconds):
        """Do not wait."""
        self.seconds.append(seconds)


@pytest.fixture
def pace(worker_engine):
    """Makes the pace of a process; the ones of one account share its turns."""

    def made(account_id, waits):
        return SharedPace(worker_engine, account_id, 0.01, sleep=waits.sleep)

    return made


async def test_two_processes_take_one_accounts_turns_one_after_the_other(pace):
    """At one request in 100 seconds: nobody waits for the first, and each further one a gap longer."""
    account, waits = uuid4(), Waits()
    processes = [pace(account, waits) for _ in range(2)]
    await asyncio.gather(*(each.turn("submit_registration_version") for each in processes * 2))
    assert [round(each / 100) for each in sorted(waits.seconds)] == [1, 2, 3]


async def test_other_actions_and_accounts_have_turns_of_their_own(pace):
    """AWS counts each action of each account."""
    account, waits = uuid4(), Waits()
    await pace(account, waits).turn("create_registration")
    await pace(account, waits).turn("describe_registrations")
    await pace(uuid4(), waits).turn("create_registration")
    assert waits.seconds == []
