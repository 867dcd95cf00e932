"""Can each receipt queue be read, and does what cannot be stored have somewhere to go?"""

from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from gateway.carrier.session import open_session, role_of
from gateway.cli.findings import Finding, fault, fine
from gateway.db.engine import create_engine
from gateway.db.faults import DATABASE_FAULTS
from gateway.db.transaction import worker_transaction
from gateway.errors import QueueFault
from gateway.receipts import roads
from gateway.receipts.roads import QueueOfAccount
from gateway.receipts.sqs import QueueFacts, open_queue
from gateway.settings import Settings

_FEW_RECEIVES: Final = 5
_SHORT_RETENTION_S: Final = 4 * 86_400


async def queue_findings(settings: Settings) -> list[Finding]:
    """Return what SQS says of every queue that is read; none where Postgres does not say which."""
    engine = create_engine(settings.database_url, "worker", pool_size=1)
    try:
        async with worker_transaction(engine) as session:
            found = list(await roads.queues(session))
    except (SQLAlchemyError, *DATABASE_FAULTS):
        return []  # what is wrong with Postgres is a finding of its own
    finally:
        await engine.dispose()
    return [await _finding(each) for each in found]


async def _finding(found: QueueOfAccount) -> Finding:
    subject = f"receipt queue {found.queue.url.rpartition('/')[2]}"
    try:
        async with open_queue(
            open_session(role_of(found.account)), found.queue.url, region=found.account.region
        ) as queue:
            facts = await queue.facts()
            dead = None
            if facts.dead_letter_arn is not None:
                dead = await (await queue.dead_letters(facts.dead_letter_arn)).facts()
    except QueueFault as error:
        return fault(
            subject,
            str(error),
            "Check that it exists, and that the account's credentials may call sqs:ReceiveMessage, "
            "DeleteMessage, ChangeMessageVisibility, GetQueueAttributes and GetQueueUrl on it and on its "
            "dead-letter queue.",
        )
    return _judged(subject, facts, dead)


def _judged(subject: str, facts: QueueFacts, dead: QueueFacts | None) -> Finding:
    said = f"{facts.waiting} waiting, {facts.in_flight} in flight"
    if dead is None:
        return fault(
            subject,
            f"{said}; no dead-letter queue",
            f"Give it a redrive policy with maxReceiveCount {_FEW_RECEIVES} or more: without one, what is "
            "not believed comes back for ever.",
        )
    if dead.waiting:
        return fine(
            subject, said, f"{dead.waiting} dead letters: look with `tollgate receipts dead-letters`."
        )
    if facts.max_receives is not None and facts.max_receives < _FEW_RECEIVES:
        way_out = f"Raise maxReceiveCount to {_FEW_RECEIVES}: a few restarts would bury a sound receipt."
        return fine(subject, said, way_out)
    if min(facts.retention_s, dead.retention_s) < _SHORT_RETENTION_S:
        return fine(subject, said, "Keep messages for 4 to 14 days, so that a long weekend loses nothing.")
    return fine(subject, said)
