"""Data keys that many messages ask for at once."""

import asyncio
from typing import Any

from gateway.messages.keys import DataKeys
from tenants.accounts.sealing import new_wrapped_key
from tenants.errors import NotFound
from tenants.ids import new_uuid
from tests.harness.stack import SECRET_KEY


class Tenants:
    """Stands for Postgres, and counts how often it is asked."""

    def __init__(self, *ids) -> None:
        self.keys = {each: new_wrapped_key(SECRET_KEY) for each in ids}
        self.asked: list[list[Any]] = []
        self.fault: Exception | None = None

    async def fetch(self, _: str, ids):
        """Answer the one query."""
        self.asked.append(ids)
        if self.fault is not None:
            raise self.fault
        return [{"id": each, "data_key": self.keys[each]} for each in ids if each in self.keys]


async def test_the_keys_of_a_claim_are_read_in_one_query():
    """Ten thousand tenants' keys come round every minute: a query for each would be a tenth of the work."""
    ids = [new_uuid() for _ in range(5)]
    pool = Tenants(*ids)
    keys = DataKeys(pool, SECRET_KEY)
    read = await asyncio.gather(*(keys.of(each) for each in ids * 4))
    assert pool.asked == [ids]
    assert read[0] is read[5]
    assert len({id(each) for each in read}) == len(ids)
    assert await keys.of(ids[0]) is read[0]


async def test_a_tenant_that_is_missing_is_nobody_elses_fault():
    """Each is answered for itself."""
    known, unknown = new_uuid(), new_uuid()
    keys = DataKeys(Tenants(known), SECRET_KEY)
    found, missing = await asyncio.gather(keys.of(known), keys.of(unknown), return_exceptions=True)
    assert isinstance(missing, NotFound)
    assert not isinstance(found, BaseException)


async def test_a_fault_is_told_to_all_and_forgotten():
    """The next who asks, asks Postgres."""
    ids = [new_uuid(), new_uuid()]
    pool = Tenants(*ids)
    keys = DataKeys(pool, SECRET_KEY)
    pool.fault = ConnectionError("gone")
    told = await asyncio.gather(*(keys.of(each) for each in ids), return_exceptions=True)
    assert [type(each) for each in told] == [ConnectionError, ConnectionError]
    pool.fault = None
    assert await keys.of(ids[0]) is not None


async def test_who_stops_waiting_takes_nobody_along():
    """One call was canceled while another waits for the same key."""
    tenant = new_uuid()
    keys = DataKeys(Tenants(tenant), SECRET_KEY)
    leaver, stayer = asyncio.create_task(keys.of(tenant)), asyncio.create_task(keys.of(tenant))
    await asyncio.sleep(0)
    leaver.cancel()
    assert await stayer is not None
