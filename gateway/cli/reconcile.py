"""`tollgate reconcile`: the proof that ledger, balances and messages agree."""

import os
import sys

import click
import msgspec

from gateway.cli.on_stores import run_on_stores
from gateway.db.engine import create_pool
from gateway.messages.reconcile import Proof, prove
from gateway.settings import Settings, read_settings
from tenants.credits.reconcile import Difference
from tenants.ids import encode


@click.command("reconcile")
@click.option("--json", "as_json", is_flag=True, help="Print the proof for a machine.")
def command(*, as_json: bool) -> None:
    """
    Compare every balance, transfer and message in one read-only snapshot; safe beside any traffic.

    Prints every difference and exits with status 1 if there is one.
    """
    proof = run_on_stores(_prove(read_settings(os.environ, redis_url="redis://127.0.0.1:6379/0")))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(proof), indent=2).decode())
    else:
        _show(proof)
    sys.exit(1 if proof.differences else 0)


async def _prove(settings: Settings) -> Proof:
    pool = await create_pool(settings.database_url, "worker", size=1)
    try:
        return await prove(pool)
    finally:
        await pool.close()


def _show(proof: Proof) -> None:
    for difference in proof.differences:
        click.echo(_line(difference))
    found = f"{len(proof.differences)} differences" if proof.differences else "no difference"
    click.echo(f"{proof.tenants} tenants, {proof.transfers} transfers, {proof.messages} messages: {found}.")


def _line(difference: Difference) -> str:
    whose = "the whole ledger" if difference.tenant_id is None else encode("ten", difference.tenant_id)
    which = "" if difference.subject_id is None else f" {encode('msg', difference.subject_id)}"
    return f"{difference.rule}: {whose}{which}: expected {difference.expected}, found {difference.found}"
