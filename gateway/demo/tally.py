"""What was seen while the demo ran. It only counts; `verdict` judges."""

from collections import Counter
from typing import Any, Final

from gateway.demo.calling import Reply

_FINAL_EVENTS: Final = {
    "message.delivered": "delivered",
    "message.undelivered": "undelivered",
    "message.failed": "failed",
    "message.expired": "expired",
    "message.canceled": "canceled",
    "message.unknown": "unknown",
}
_ACCEPTED: Final = 202


class Tally:
    """Counts answers and webhooks as they come."""

    def __init__(self) -> None:
        self.accepted: dict[str, str] = {}
        """Message id to tenant."""
        self.refused: Counter[str] = Counter()
        self.accept_seconds: list[float] = []
        self.finals: dict[str, str] = {}
        """Message id to final status, as the webhooks told it."""
        self.events: Counter[str] = Counter()
        self.at_aws = 0
        """Sends that the emulator has accepted, as last asked."""

    def answered(self, tenant: str, reply: Reply) -> str | None:
        """Count the answer to one send and return the message's id, or None if it was refused."""
        if reply.status != _ACCEPTED:
            self.refused[f"{reply.status} {reply.code}"] += 1
            return None
        self.accept_seconds.append(reply.seconds)
        return self.add(tenant, reply.body)

    def answered_batch(self, tenant: str, reply: Reply) -> None:
        """Count the items of a batch; they share one latency, which is not that of a send."""
        for item in reply.body["data"]:
            if item["status"] == _ACCEPTED:
                self.add(tenant, item["message"])
            else:
                self.refused[f"{item['status']} {item['error']['code']}"] += 1

    def add(self, tenant: str, message: Any) -> str:
        """Count an accepted message."""
        self.accepted[message["id"]] = tenant
        return str(message["id"])

    def told(self, _tenant: str, event: dict[str, Any]) -> None:
        """Count one verified webhook."""
        self.events[event["type"]] += 1
        final = _FINAL_EVENTS.get(event["type"])
        if final is not None:
            self.finals[event["data"]["id"]] = final

    def final(self, *statuses: str) -> int:
        """Return how many messages ended in one of the statuses."""
        return sum(status in statuses for status in self.finals.values())

    @property
    def open(self) -> set[str]:
        """Accepted messages of which no final event has come yet."""
        return self.accepted.keys() - self.finals.keys()
