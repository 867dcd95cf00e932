"""The table of commands, and what happens to errors that no command expected to solve."""

import sys
from importlib.metadata import version
from typing import Final

import click

from gateway.cli.lazy import LazyGroup
from gateway.cli.leash import hold_on_to_parent
from gateway.errors import GatewayError

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "demo": ("gateway.cli.demo", "Run the whole gateway once on 200 messages and show what it did."),
    "dev": ("gateway.cli.dev", "Run the whole gateway on this machine, with an emulator for AWS."),
    "serve": (
        "gateway.cli.serve",
        "Run one production role: api, dispatcher, receipts, webhooks, scheduler.",
    ),
    "emulator": ("gateway.emulator.command", "Run the AWS End User Messaging emulator alone."),
    "migrate": ("gateway.cli.migrate", "Bring the database schema up to date."),
    "doctor": ("gateway.cli.doctor", "Check every dependency and say what to do about what is wrong."),
    "reconcile": ("gateway.cli.reconcile", "Prove that ledger, balances and messages agree."),
    "rebuild-redis": ("gateway.cli.rebuild_redis", "Rebuild what Redis holds from Postgres."),
    "bench": ("gateway.cli.bench", "Run one benchmark beside its baseline."),
    "tenants": ("gateway.cli.tenants", "Create, list and change tenants."),
    "keys": ("gateway.cli.keys", "Create, list and revoke API keys."),
    "credits": ("gateway.cli.credits", "Show, top up and correct balances."),
    "budgets": ("gateway.cli.budgets", "Show and set monthly budgets."),
    "prices": ("gateway.cli.prices", "Import, list and compare price books; drift against AWS's receipts."),
    "verified-numbers": (
        "gateway.cli.verified_numbers",
        "Verify numbers that are reached before going live.",
    ),
    "senders": ("gateway.cli.senders", "Provision, list, swap and disable origination identities."),
    "sender-ids": ("gateway.cli.sender_ids", "Request a sender id in many countries; compare with AWS."),
    "registrations": (
        "gateway.cli.registrations",
        "Register numbers with carriers, one or many; lint drafts.",
    ),
    "intakes": ("gateway.cli.intakes", "Let platforms hand their customers in by signed posts."),
    "migration": ("gateway.cli.migration", "Bring a tenant over from another provider, row by row."),
    "numbers": ("gateway.cli.numbers", "Lease, protect and release numbers of an AWS account."),
    "short-codes": ("gateway.cli.short_codes", "Short codes: their packs, and where they are."),
    "pages": ("gateway.cli.pages", "Show and set a tenant's hosted pages."),
    "routes": ("gateway.cli.routes", "Health and order of AWS accounts; where there is no second way."),
    "receipts": ("gateway.cli.receipts", "Queues and keys by which receipts come in; what got stuck."),
    "protect": ("gateway.cli.protect", "Show which destinations are protected, and why."),
    "insight": ("gateway.cli.insight", "Sum up messages, show what is usual, make support cases, export."),
    "alarms": ("gateway.cli.alarms", "Set, list and delete alarms on messages."),
    "inbox": ("gateway.cli.inbox", "List and close what waits for a person."),
    "templates": ("gateway.cli.templates", "Write, submit, approve and reject templates."),
    "keywords": ("gateway.cli.keywords", "Keywords, and what STOP, HELP and JOIN answer."),
    "opt-outs": ("gateway.cli.opt_outs", "List, add, import opt-outs; show who asked for what."),
    "messages": ("gateway.cli.messages", "Send, explain, estimate, list and follow messages."),
}


def _show_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        click.echo(f"tollgate {version('tollgate')}")
        ctx.exit()


@click.command(
    "tollgate",
    cls=LazyGroup,
    table=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="`tollgate COMMAND --help` explains a command; `tollgate doctor` lists every setting.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version.",
)
@click.option("--leash", is_flag=True, hidden=True, help="End when standard input ends.")
def tollgate(*, leash: bool) -> None:
    """Multi-tenant SMS gateway in front of AWS End User Messaging."""
    if leash:
        hold_on_to_parent()


def main() -> None:
    """
    Run the command line; an expected failure is one sentence and exit status 1, wrong usage 2.

    Expected is also a file or folder that cannot be used: whoever named it reads which, and why.
    """
    try:
        tollgate(prog_name="tollgate")
    except GatewayError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        if error.filename is None:
            raise
        click.echo(f"Error: {error.filename} cannot be used: {error.strerror}", err=True)
        sys.exit(1)
