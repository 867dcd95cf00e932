"""The receipts role: the sandbox's receipts, and the SQS queues of every account."""

from contextlib import AsyncExitStack

from gateway.carrier.session import open_session
from gateway.db.engine import create_pool
from gateway.receipts.batch import create_receipts, platform_key
from gateway.receipts.sandbox import SandboxReceipts
from gateway.rounds import Round, run_rounds
from gateway.wiring.inbound import open_inbound
from gateway.wiring.ingest import open_trust
from gateway.wiring.queue_keeper import QueueKeeper
from gateway.wiring.resources import Resources, Task
from gateway.wiring.stopping import closing


async def open_receipts(shared: Resources, stack: AsyncExitStack) -> list[Task]:
    """Return the role's tasks; SNS over HTTPS and Firehose arrive at the API."""
    pool = await create_pool(shared.settings.database_url, "ingest", size=3)
    stack.push_async_callback(closing(pool.close))
    commit = create_receipts(pool, shared.clock, platform_key(shared.settings.secret_key))
    session = open_session()
    trust = await open_trust(shared, stack, pool, session)
    sandbox = SandboxReceipts(pool, commit, shared.clock)
    feeding = Round(name="sandbox_receipts", every_s=0.1, at_rest_s=0.5, work=sandbox.feed_due)
    return [
        lambda: commit.run(flushers=2),
        lambda: run_rounds([feeding]),
        QueueKeeper(shared, session, trust.mailroom, commit).run,
        *await open_inbound(shared, stack),
    ]
