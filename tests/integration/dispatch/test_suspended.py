"""What waits when its tenant is suspended: nothing leaves, nothing is lost, and it goes on at a resume."""

import time
from datetime import timedelta

import pytest

from gateway.carrier.ports import Sent
from gateway.db.transaction import worker_transaction
from gateway.dispatch.call import Caller
from gateway.messages.held import let_go
from gateway.messages.keys import DataKeys
from tenants.accounts import service
from tests.harness.stack import SECRET_KEY
from tests.harness.tenants import accept, enrol, new_message, queue_row


@pytest.fixture
async def scope(worker_engine):
    """A tenant with money."""
    return await enrol(worker_engine, credit=10)


@pytest.fixture
def moved(worker_engine, scope):
    """A function that suspends, resumes or closes the tenant as the operator does."""

    async def move(act):
        async with worker_transaction(worker_engine) as session:
            await getattr(service, act)(scope, session)
            if act == "resume":
                await let_go(scope, session)

    return move


@pytest.fixture
def tried(worker_pool, recorder, clock, scripted_carrier, marked):
    """A function that takes a message from its mark to its record; returns what the carrier got."""
    carrier = scripted_carrier(lambda _: Sent(provider_message_id="aws-1"))
    caller = Caller(
        route="route",
        carrier=carrier,
        lanes=None,
        turns=None,
        keys=DataKeys(worker_pool, SECRET_KEY),
        recorder=recorder,
        backoff=None,
        clock=clock,
        ill=dict,
        opted_out=None,
    )

    async def attempt(message_id):
        [mine] = await marked(message_id)
        await caller.call(mine, None, time.monotonic())
        await recorder.drained()
        return carrier.sent

    return attempt


async def test_what_waits_of_a_suspended_tenant_rests_and_goes_on_when_it_is_resumed(
    worker_pool, scope, moved, tried, marked
):
    """No attempt is counted and nothing is refused; a resume makes it due at once."""
    [message] = await accept(worker_pool, new_message(scope))
    await moved("suspend")
    assert await tried(message.id) == []
    queue = await queue_row(worker_pool, message.id)
    assert (queue["state"], queue["waits_for"], queue["attempt"]) == ("scheduled", "tenant_suspended", 0)
    await moved("resume")
    due_at = (await queue_row(worker_pool, message.id))["due_at"]
    assert due_at < queue["due_at"] - timedelta(minutes=5)
    await worker_pool.execute("UPDATE dispatch_queue SET state = 'queued' WHERE message_id = $1", message.id)
    [again] = await marked(message.id)
    assert not again.suspended


async def test_what_has_less_life_left_rests_until_its_end(worker_pool, scope, moved, tried, clock):
    """A one-time code expires after its minutes, and its money is free then."""
    ends = clock.now() + timedelta(minutes=2)
    [message] = await accept(worker_pool, new_message(scope, type="otp", expires_at=ends))
    await moved("suspend")
    assert await tried(message.id) == []
    assert (await queue_row(worker_pool, message.id))["due_at"] == ends


@pytest.mark.parametrize(
    ("before", "held"), [([], False), (["suspend"], True), (["suspend", "resume"], False)]
)
async def test_a_close_lets_leave_what_was_accepted_unless_a_suspension_holds_it(
    worker_pool, scope, moved, marked, before, held
):
    """Who leaves in good standing is served to the end; who was stopped for fraud is not let go by it."""
    [message] = await accept(worker_pool, new_message(scope))
    for act in [*before, "close"]:
        await moved(act)
    [mine] = await marked(message.id)
    assert mine.suspended is held
