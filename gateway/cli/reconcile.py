"""`tollgate reconcile`: the proof that ledger, balances, messages, AWS's prices and usage agree."""

import os
import sys

import click
import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from gateway.cli.on_stores import run_on_stores
from gateway.db.engine import create_pool
from gateway.messages.corrections import post_corrections
from gateway.messages.reconcile import Proof, prove
from gateway.settings import Settings, read_settings
from tenants.credits.reconcile import Difference
from tenants.ids import encode

_WIDE = 200


class Outcome(Struct, frozen=True, kw_only=True):
    """What was found, and what was left after corrections, where these were asked for."""

    proof: Proof
    by_hand: list[Difference] = []
    """Found, and not of a kind that a new entry corrects."""
    after: Proof | None = None
    """The proof made again after the corrections."""


@click.command("reconcile")
@click.option("--json", "as_json", is_flag=True, help="Print the proof for a machine.")
@click.option(
    "--post-corrections", is_flag=True, help="Correct by new entries what is found; needs --reason."
)
@click.option("--reason", help="Why; it stays in the ledger and in the audit trail.")
def command(*, as_json: bool, post_corrections: bool, reason: str | None) -> None:
    """
    Compare ledger, balances, messages, AWS's prices and usage in one read-only snapshot; safe beside traffic.

    Prints every difference and exits with status 1 if there is one, or if one is left after corrections.
    """
    if post_corrections and not (reason or "").strip():
        raise click.UsageError("--post-corrections needs --reason: a correction says why")
    if reason is not None and not post_corrections:
        raise click.UsageError("--reason belongs to --post-corrections")
    settings = read_settings(os.environ, redis_url="redis://127.0.0.1:6379/0")
    outcome = run_on_stores(_prove(settings, (reason or "").strip() if post_corrections else None))
    if as_json:
        shown = outcome if post_corrections else outcome.proof
        click.echo(msgspec.json.format(msgspec.json.encode(shown), indent=2).decode())
    else:
        _show(outcome)
    last = outcome.after or outcome.proof
    sys.exit(1 if last.differences else 0)


async def _prove(settings: Settings, reason: str | None) -> Outcome:
    pool = await create_pool(settings.database_url, "worker", size=2)
    try:
        proof = await prove(pool)
        if reason is None or not proof.differences:
            return Outcome(proof=proof)
        by_hand = await post_corrections(pool, proof.differences, reason=reason)
        return Outcome(proof=proof, by_hand=by_hand, after=await prove(pool))
    finally:
        await pool.close()


def _show(outcome: Outcome) -> None:
    _table(outcome.proof.differences)
    click.echo(_sentence(outcome.proof))
    if outcome.after is None:
        return
    click.echo("Corrections are posted; after them:")
    _table(outcome.after.differences)
    click.echo(_sentence(outcome.after))
    if outcome.by_hand:
        click.echo(f"{len(outcome.by_hand)} of them no new entry can correct: look at the rows they name.")


def _table(differences: list[Difference]) -> None:
    if not differences:
        return
    table = Table("rule", "tenant", "what", "expected", "found")
    for each in differences:
        table.add_row(each.rule, _whose(each), _what(each), str(each.expected), str(each.found))
    console = Console(highlight=False, markup=False)
    (console if console.is_terminal else Console(highlight=False, markup=False, width=_WIDE)).print(table)


def _whose(difference: Difference) -> str:
    return "all" if difference.tenant_id is None else encode("ten", difference.tenant_id)


def _what(difference: Difference) -> str:
    if difference.subject_id is not None:
        return encode("msg", difference.subject_id)
    return "" if difference.day is None else difference.day.isoformat()


def _sentence(proof: Proof) -> str:
    found = f"{len(proof.differences)} differences" if proof.differences else "no difference"
    return f"{proof.tenants} tenants, {proof.transfers} transfers, {proof.messages} messages: {found}."
