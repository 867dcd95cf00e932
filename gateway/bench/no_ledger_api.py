"""
``python -m gateway.bench.no_ledger_api``: the API process less its ledger, the bare side of `ledger`.

The same process, group commit and statement; only the writes of the ledger are missing from it: no balance is
locked, no transfer inserted, no balance moved. It exists nowhere but in this program: what it accepts is
nobody's debt, and the books of a database it wrote to are wrong.
"""

import runpy
import sys
from collections.abc import Iterable, Sequence
from uuid import UUID

from gateway.intake import commit
from tenants.compound import Write
from tenants.credits.batch import Movement


def no_writes(_movements: Sequence[Movement], *, also_lock: Iterable[UUID] = ()) -> list[Write]:
    """Return what is left of the ledger: the tenants' ids, which other writes join, without a lock."""
    return [Write("ordered_balances", "SELECT unnest({0}::uuid[]) AS tenant_id", (sorted({*also_lock}),))]


if __name__ == "__main__":
    setattr(commit, "ledger_writes", no_writes)  # noqa: B010 - the one place where the ledger may be missing
    sys.argv[1:] = ["serve", "api"]
    runpy.run_module("gateway", run_name="__main__", alter_sys=True)
