"""Holds as Postgres keeps them."""

from gateway.admission.pumping import HeldPrefix, Hold, PumpingRule
from tenants.protection.pumping import PumpingHold


def held_prefix(row: PumpingHold) -> HeldPrefix:
    """Return what a row says."""
    rule: PumpingRule = row.rule  # type: ignore[assignment]  # the table's CHECK holds it to the Literal
    hold = Hold(
        rule=rule, scope=row.prefix, until_ms=int(row.until.timestamp() * 1000), enforced=row.enforced
    )
    return HeldPrefix(workflow=row.workflow, hold=hold)
