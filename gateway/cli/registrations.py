"""`tollgate registrations`: register numbers and sender ids with carriers."""

import sys
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from rich.console import Console
from rich.progress import track

from gateway.cli.calling import field, over_the_api, show_one, show_rows, wants_json
from gateway.cli.registration_import import (
    RowResult,
    accepted_cost,
    brought,
    faults_of,
    form_over,
)
from gateway.cli.text_file import text_of
from gateway.client import Client, path_of
from tenants.errors import InvalidInput
from tenants.registrations.importing import ImportRow, names_tenants, read

_ROWS: Final = (
    field("id"),
    field("name"),
    field("type"),
    field("status"),
    field("waiting_for", title="waits for"),
    field("version"),
)
_FINDINGS: Final = (field("severity"), field("code"), field("field"), field("message"), field("fix"))
_RESULTS: Final = (
    field("line"),
    field("company"),
    field("outcome"),
    field("registration"),
    field("detail"),
)
_LARGEST: Final = 5_000_000


@click.group("registrations")
def command() -> None:
    """List, lint, submit and import registrations."""


@command.command("list")
@click.option("--tenant", help="ten_…; needs the operator key, which without it lists every tenant's.")
@click.option("--operator", is_flag=True, help="The key is the operator's.")
@click.option("--status", help="Such as requires_updates.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@over_the_api
def list_registrations(
    client: Client, *, tenant: str | None, operator: bool, status: str | None, limit: int
) -> None:
    """List registrations, the newest first."""
    if operator or tenant:
        rows = client.rows(path_of("admin", "registrations"), limit=limit, status=status, tenant=tenant)
    else:
        rows = client.rows(path_of("registrations"), limit=limit, status=status)
    show_rows(rows, _ROWS, empty="There are no registrations.")


@command.command("show")
@click.argument("registration")
@over_the_api
def show(client: Client, *, registration: str) -> None:
    """Show one registration with its reasons."""
    shown: Any = client.get(path_of("registrations", registration))
    show_one(shown, _ROWS)
    if not wants_json():
        for reason in shown["reasons"]:
            click.echo(f"- {reason['reason']}\n  {reason['means']}\n  {reason['change']}")


@command.command("lint")
@click.argument("file", type=click.File("rb"))
@over_the_api
def lint(client: Client, *, file: Any) -> None:
    """Lint a draft written as JSON; exit status 1 if a reviewer would refuse it."""
    try:
        draft: Any = msgspec.json.decode(file.read(_LARGEST))
    except msgspec.DecodeError as error:
        raise click.UsageError(f"{file.name} is not JSON: {error}") from error
    result: Any = client.post(path_of("registrations", "lint"), draft)
    show_rows(result["findings"], _FINDINGS, empty="Nothing to object to.")
    if not result["compliant"]:
        sys.exit(1)


@command.command("submit")
@click.argument("registration")
@over_the_api
def submit(client: Client, *, registration: str) -> None:
    """Submit a registration whose cost was confirmed."""
    show_one(client.post(path_of("registrations", registration, "submit")), _ROWS)


@command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--images",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    show_default=True,
)
@click.option("--tenant", help="ten_… for rows that name none; needs the operator key.")
@click.option("--dry-run", is_flag=True, help="Judge every row; open, spend and submit nothing.")
@click.option("--yes", is_flag=True, help="The cost is accepted; do not ask.")
@over_the_api
def import_rows(
    client: Client, *, file: Path, images: Path, tenant: str | None, dry_run: bool, yes: bool
) -> None:
    """Register toll-free numbers from a CSV file; a second run makes nothing twice."""
    text = text_of(file)
    form = form_over(client, by_operator=tenant is not None or names_tenants(text))
    try:
        rows, table_faults = read(text, form)
    except InvalidInput as error:
        raise click.UsageError(f"{file}: {error}") from error
    results = [
        RowResult(line=each.line, company="", outcome="faulty", detail=f"{each.field}: {each.detail}")
        for each in table_faults
    ]
    good: list[ImportRow] = []
    for row in rows:
        faults = list(faults_of(row, form, images))
        results += [
            RowResult(
                line=row.line, company=row.name, outcome="faulty", detail=f"{each.field}: {each.detail}"
            )
            for each in faults
        ]
        if not faults:
            good.append(row)
    if dry_run:
        results += [RowResult(line=row.line, company=row.name, outcome="ok") for row in good]
    else:
        accepted_cost(form, len(good), yes=yes)
        console = Console(stderr=True)
        for row in track(good, description="Registering", console=console):
            results.append(brought(client, row, form, images, tenant=row.tenant or tenant))
    results.sort(key=lambda each: each.line)
    show_rows([msgspec.to_builtins(each) for each in results], _RESULTS, empty="The file has no rows.")
    if any(each.outcome in {"faulty", "failed"} for each in results):
        sys.exit(1)
