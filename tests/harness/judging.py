"""The verdict on one tenant after a scenario: three logs and Postgres, once nothing moves any more."""

import contextlib
from collections import Counter
from dataclasses import dataclass

from tenants.ids import encode
from tests.harness.clients import Clients
from tests.harness.fleet import Fleet
from tests.harness.ledger import faults
from tests.harness.verdict import StoredMessage, broken_attempts, broken_promises, too_many_unknown
from tests.harness.waiting import eventually


@dataclass(frozen=True)
class Verdict:
    """What was found."""

    broken: list[str]
    stored: list[StoredMessage]
    sends: Counter[str]
    """Accepted sends by message id."""

    @property
    def flagged(self) -> list[str]:
        """Messages that were sent again after an unknown outcome."""
        return [message.id for message in self.stored if message.resend_of_unknown]

    def but_delivered_once(self) -> list[str]:
        """Return what is broken, and every message that was not simply sent once and delivered."""
        return self.broken + [
            f"{m.id} ({m.type}) is {m.status}, sent {self.sends[m.id]} times, flagged: {m.resend_of_unknown}"
            for m in self.stored
            if (m.status, self.sends[m.id], m.resend_of_unknown) != ("delivered", 1, False)
        ]


async def judge(
    fleet: Fleet, clients: Clients, *, within_s: float = 90.0, unknown_at_most: int | None = None
) -> Verdict:
    """
    Wait until all of the tenant's messages are final, then compare; what is not final by then is stuck.

    Args:
        unknown_at_most: The calls that were under way at the scenario's kills, where it kills.
    """
    with contextlib.suppress(TimeoutError):
        await eventually(lambda: _all_final(fleet, clients), within_s=within_s)
    rows = await fleet.database.fetch(
        "SELECT id, status, resend_of_unknown, type FROM messages WHERE tenant_id = $1", clients.tenant_id
    )
    stored = [
        StoredMessage(encode("msg", row["id"]), row["status"], row["resend_of_unknown"], row["type"])
        for row in rows
    ]
    ours = {message.id for message in stored} | {each for ids in clients.accepted.values() for each in ids}
    carried = [line["context"] for line in fleet.truth() if line["context"].get("tg_m") in ours]
    broken = broken_promises(clients.accepted, stored, [each["tg_m"] for each in carried])
    broken += broken_attempts([(each["tg_m"], each["tg_a"]) for each in carried])
    broken += await faults(fleet.database, of_tenant=clients.tenant_id)
    if unknown_at_most is not None:
        broken += too_many_unknown(stored, at_most=unknown_at_most)
    return Verdict(broken, stored, Counter(each["tg_m"] for each in carried))


async def _all_final(fleet: Fleet, clients: Clients) -> bool:
    """All, and as many as were accepted: a message that is not there yet cannot be final."""
    row = await fleet.database.fetchrow(
        "SELECT count(*) AS stored, count(final_at) AS final FROM messages WHERE tenant_id = $1",
        clients.tenant_id,
    )
    assert row is not None
    return row["stored"] == row["final"] >= len(clients.accepted)
