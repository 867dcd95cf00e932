"""A process that dies while it takes a text in or answers it: one text, one opt-out, one confirmation."""

import pytest

from gateway.faultpoints import FaultPoint
from tests.harness.numbers import us_number
from tests.harness.talker import talker
from tests.harness.waiting import eventually

pytestmark = pytest.mark.scenario


@pytest.mark.parametrize(
    "point",
    [FaultPoint.INBOUND_IN_COMMIT, FaultPoint.REPLY_BEFORE_ACCEPT, FaultPoint.REPLY_AFTER_ACCEPT],
)
async def test_a_death_between_a_stop_and_its_confirmation_makes_neither_twice(fleet, point):
    """Whoever comes next finds the text where it was, and the reply by its key."""
    async with talker(fleet) as tenant:
        person = us_number()
        await fleet.start("dispatcher")
        dying = await fleet.start("workers", fault=f"{point}:kill")
        await fleet.emulate("inbound", {"from": person, "to": tenant.number, "body": "STOP"})
        assert await dying.ended() == -9
        await fleet.start("workers")

        async def confirmed():
            listed = (await tenant.api.get("/v1/inbound-messages")).json()["data"]
            return [each for each in listed if each["reply"]["state"] == "sent"]

        (text,) = await eventually(confirmed, within_s=60)
        assert (text["action"], text["from"]) == ("opt_out", person)
        asked = {"number": person}
        assert len((await tenant.api.get("/v1/opt-outs/changes", params=asked)).json()["data"]) == 1

        async def arrived():
            return [line for line in fleet.truth() if line["destination"] == person]

        assert len(await eventually(arrived, within_s=60)) == 1
        assert len((await tenant.api.get("/v1/messages", params={"to": person})).json()["data"]) == 1
