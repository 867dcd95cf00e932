"""Which senders a message that was accepted already may move to, as they are judged now. Pure."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from gateway.dispatch.queue_rows import QueueRow
from gateway.routing.candidates import Candidate, rank
from gateway.routing.facts import TenantRouting
from gateway.routing.health import Illness
from gateway.routing.judging import NO_PROBE, judge


def next_senders(row: QueueRow, routing: TenantRouting, ill: Mapping[UUID, Illness]) -> Sequence[Candidate]:
    """
    Return the tenant's senders for a message in the queue, best first.

    A message that must leave its sender is not risked on one that may be ill. A file was staged at the
    accept: an account without it could only refuse the picture for good.
    """
    candidates = rank(routing, row.need)
    if row.file_in is not None:
        candidates = tuple(each for each in candidates if each.sender.account_id in row.file_in)
    return judge(candidates, ill, draw=NO_PROBE)
