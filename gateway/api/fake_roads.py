"""Stand-ins for the ports of the roads by which AWS's events come in."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from gateway.errors import QueueFault
from gateway.receipts.dead_letter import DeadLetter
from gateway.receipts.firehose import FirehoseAnswer, Posted, Taken
from gateway.receipts.parked import Parked, Retried


class FakeFirehose:
    """Takes every delivery and remembers its body."""

    def __init__(self) -> None:
        self.bodies: list[bytes | None] = []

    async def receive(self, posted: Posted) -> Taken:
        """Remember the delivery."""
        self.bodies.append(await posted.read())
        return Taken(200, FirehoseAnswer(request_id=posted.request_id, timestamp=0))


class FakeDeadLetters:
    """Holds what a test puts into `letters`; a queue fails if `fault` is set."""

    def __init__(self) -> None:
        self.letters: list[DeadLetter] = []
        self.fault: QueueFault | None = None

    async def listed(self, queue_id: UUID, *, limit: int) -> Sequence[DeadLetter]:
        """Return the first letters."""
        self._check(queue_id)
        return self.letters[:limit]

    async def redrive(self, queue_id: UUID, *, only: Collection[str] | None) -> int:
        """Take letters away."""
        self._check(queue_id)
        kept = [each for each in self.letters if only is not None and each.id not in only]
        moved = len(self.letters) - len(kept)
        self.letters = kept
        return moved

    def _check(self, queue_id: UUID) -> None:
        del queue_id
        if self.fault is not None:
            raise self.fault


class FakeParked:
    """Holds what a test puts into `events`."""

    def __init__(self) -> None:
        self.events: list[Parked] = []

    async def listed(
        self, *, reason: str | None, before: tuple[datetime, bytes] | None, limit: int
    ) -> Sequence[Parked]:
        """Return the newest events."""
        found = [each for each in self.events if reason in {None, each.reason}]
        if before is not None:
            found = [each for each in found if (each.received_at, each.event_key) < before]
        return sorted(found, key=lambda each: (each.received_at, each.event_key), reverse=True)[:limit]

    async def retry(self, reason: str) -> Retried:
        """Find that nothing has changed."""
        return Retried(applied=0, parked=sum(each.reason == reason for each in self.events))
