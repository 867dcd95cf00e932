"""The group commit of sends: `commit_batch` as its transaction, the lane pusher as what follows it."""

from collections.abc import Sequence
from functools import partial
from typing import TypeAlias

import asyncpg

from gateway.db.group_commit import GroupCommit
from gateway.intake.allowance import Guesses
from gateway.intake.commit import Decision, Stored, commit_batch
from gateway.intake.new_message import NewMessage
from gateway.intake.pushing import LanePusher
from gateway.telemetry import metrics
from tenants.tables import HotConnection

IntakeCommit: TypeAlias = GroupCommit[NewMessage, Decision]

_FIND = """
    SELECT id, included FROM messages WHERE id = ANY($1::uuid[]) AND created_at = ANY($2::timestamptz[])
"""
MAX_BATCH = 128
"""Sends per transaction: past this the commit's latency grows faster than its throughput."""
_APART_S = 0.01
"""Between commits of a few sends: at some hundred a second each would have its own (docs/adr/0026)."""


def create_intake(
    pool: "asyncpg.Pool[asyncpg.Record]", pusher: LanePusher, *, queue_size: int, gauged: bool = True
) -> IntakeCommit:
    """
    Return the waiting line of sends; run its flushers beside the web server.

    Args:
        gauged: Whether it is the line that the process's gauge shows; a process shows one.
    """
    intake: IntakeCommit = GroupCommit(
        pool,
        partial(commit_batch, guesses=Guesses()),
        queue_size=queue_size,
        max_batch=MAX_BATCH,
        sizes=metrics.INTAKE_BATCH_MESSAGES,
        seconds=metrics.INTAKE_COMMIT_SECONDS,
        apart_s=_APART_S,
        in_halves=True,
        committed=pusher.committed,
        find_committed=_find_committed,
    )
    if gauged:
        metrics.INTAKE_WAITING_MESSAGES.set_function(lambda: float(intake.waiting))
    return intake


async def _find_committed(connection: HotConnection, messages: Sequence[NewMessage]) -> list[Decision | None]:
    """The ids were made before the batch, so a commit whose answer was lost can be looked up."""
    rows = await connection.fetch(
        _FIND,
        [message.id for message in messages],
        [message.created_at for message in messages],
    )
    stored = {row["id"]: Stored(batch_id=None, included=row["included"]) for row in rows}
    return [stored.get(message.id) for message in messages]
