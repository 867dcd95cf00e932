"""
Where a send stands in its line while it is judged.

It counts from the moment at which its line is chosen: sends that are decided meanwhile, as the others of its
batch, see it there and stand behind it (`gateway.lanes.backlog`).
"""

from uuid import UUID

from msgspec import structs

from gateway.intake.choosing import Chosen
from gateway.lanes.backlog import BacklogView, Coming
from gateway.lanes.line_sums import Line


class PlaceInLine:
    """The place of one send, kept over all tries to judge it."""

    def __init__(self, backlog: BacklogView) -> None:
        self._backlog = backlog
        self._wait_ms = 0
        self.coming: Coming | None = None
        """None while it stands in no line."""

    def take(self, chosen: Chosen, tenant_id: UUID, *, parts: int, later: bool) -> Chosen:
        """
        Stand in the line of a choice, and return the choice with the wait that was told first.

        Args:
            later: Whether it is to leave at a time of its own, and joins no line now.
        """
        if self.coming is not None:
            if _same_line(chosen.line, self.coming.line):
                return structs.replace(chosen, wait_ms=self._wait_ms)
            self.leave()
        if chosen.line is not None and not later:
            self.coming = self._backlog.join(chosen.line, tenant_id, parts)
            self._wait_ms = chosen.wait_ms
        return chosen

    def leave(self) -> None:
        """Stand in no line any more."""
        if self.coming is not None:
            self._backlog.leave(self.coming)
            self.coming = None


def _same_line(one: Line | None, other: Line) -> bool:
    return one is not None and (one.route, one.lane) == (other.route, other.lane)
