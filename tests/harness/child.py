"""
One process of the gateway as a scenario runs it: `python -m tests.harness.child serve dispatcher`.

It is the gateway's own command, with differences that the environment asks for: leases are shortened
(SCENARIO_LEASE_S; production's 30 s would make every scenario take a minute), and the build may be broken on
purpose (SCENARIO_BROKEN), to show that a checker fails where a promise is not kept. Its machine's clock may
be wrong (SCENARIO_CLOCK, SCENARIO_LATER_S: `tests.harness.clocks`), and it may note when each text was handed
to the socket (SCENARIO_DEPARTURES: `tests.harness.departures`).
"""

import os
import sys
from datetime import timedelta
from importlib import import_module
from pathlib import Path

from gateway.cli.root import main
from tests.harness.broken import BROKEN
from tests.harness.clocks import live_later, skew
from tests.harness.departures import note_departures

ERASED_AT_ONCE = 5
"""Rows; production's 1000 would be all that a scenario's tenant has."""


def hasten(lease_s: float) -> None:
    """Shrink the leases, and what must fit into a mark's (its age, connect, read), by the same factor."""
    factor = lease_s / 30
    mark, call, lean, opening, lanes = (
        import_module(f"gateway.{name}")
        for name in ("dispatch.mark", "dispatch.call", "carrier.lean", "carrier.opening", "lanes.lanes")
    )
    mark.LEASE = timedelta(seconds=lease_s)
    call._MARK_IS_FRESH_S *= factor
    lean.CONNECT_S *= factor * 1.5
    opening.open_aws_carrier.__wrapped__.__kwdefaults__["read_s"] *= factor * 1.5
    lanes.Lanes.__init__.__kwdefaults__["lease_s"] = lease_s
    import_module("gateway.lanes.rebuild").rebuild.__kwdefaults__["lock_s"] *= factor


def hasten_webhooks(lease_s: float) -> None:
    """Shrink the lease of a delivery, which is there to be waited for after a sender's death."""
    import_module("gateway.webhooks.due").LEASE = timedelta(seconds=lease_s)


def hasten_registrations(lease_s: float) -> None:
    """Shrink the lease of a registration, which is there to be waited for after a scheduler's death."""
    import_module("gateway.registrations.runner").LEASE = timedelta(seconds=lease_s / 2)


def hasten_replies(lease_s: float) -> None:
    """Shrink the lease of a reply, which is there to be waited for after its taker has died."""
    import_module("gateway.inbound.text_orders")._LEASE = timedelta(seconds=lease_s)


def erase_in_small_steps() -> None:
    """Erase soon and a few rows at a time, so that a scheduler can die between two batches of one table."""
    defaults = import_module("gateway.insight.erasing").Erasures.work.__kwdefaults__
    defaults |= {"at_once": ERASED_AT_ONCE, "begins_after": timedelta(0)}


def run() -> None:
    """Run the command of `sys.argv` in the environment there is."""
    if wanted := os.environ.get("SCENARIO_LEASE_S"):
        if "dispatcher" in sys.argv:
            hasten(float(wanted))
        if "receipts" in sys.argv:
            hasten_replies(float(wanted))
        if "webhooks" in sys.argv:
            hasten_webhooks(float(wanted))
        if "scheduler" in sys.argv:
            hasten_registrations(float(wanted))
            erase_in_small_steps()
    if wanted := os.environ.get("SCENARIO_DEPARTURES"):
        note_departures(Path(wanted))
    if wanted := os.environ.get("SCENARIO_CLOCK"):
        skew(Path(wanted))
    if wanted := os.environ.get("SCENARIO_LATER_S"):
        live_later(float(wanted))
    for name in os.environ.get("SCENARIO_BROKEN", "").split():
        BROKEN[name]()
    main()


if __name__ == "__main__":
    run()
