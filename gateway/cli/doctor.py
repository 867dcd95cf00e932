"""`tollgate doctor`: is everything that the gateway stands on as it must be, and if not, what to do."""

import os
import sys

import click
from rich.console import Console
from rich.markup import escape

from gateway.cli.aws_health import aws_findings
from gateway.cli.findings import Finding, fault, fine
from gateway.cli.looping import run
from gateway.cli.postgres_health import postgres_findings
from gateway.cli.queue_health import queue_findings
from gateway.cli.redis_health import redis_findings
from gateway.cli.setting_docs import setting_docs
from gateway.errors import ConfigurationError
from gateway.settings import Settings, read_settings, redacted


@click.command("doctor")
def command() -> None:
    """
    Check settings, Postgres, Redis and AWS; say what to do about each fault; list every setting.

    Exits with status 1 if there is a fault.
    """
    console = Console(highlight=False)
    settings, findings = _settings()
    if settings is not None:
        findings += run(_check(settings))
    _show(findings, console)
    _show_settings(settings)
    sys.exit(0 if all(finding.held for finding in findings) else 1)


def _settings() -> tuple[Settings | None, list[Finding]]:
    try:
        return read_settings(os.environ), [fine("settings", "all are there and of the right form")]
    except ConfigurationError as error:
        return None, [fault("settings", str(error), "Correct it; the list below explains each setting.")]


async def _check(settings: Settings) -> list[Finding]:
    return [
        *await postgres_findings(settings.database_url),
        *await redis_findings(settings.redis_url),
        *await aws_findings(settings),
        *await queue_findings(settings),
    ]


def _show(findings: list[Finding], console: Console) -> None:
    for finding in findings:
        mark = "[green]✓[/]" if finding.held else "[red]✗[/]"
        console.print(f"{mark} [bold]{escape(finding.subject)}[/]: {escape(finding.said)}", soft_wrap=True)
        if finding.way_out:
            console.print(f"  → {escape(finding.way_out)}", soft_wrap=True)


def _show_settings(settings: Settings | None) -> None:
    given = {} if settings is None else redacted(settings)
    click.echo("\nSettings, from the environment; a secret may come from a file named by NAME_FILE:")
    for each in setting_docs():
        inside = "" if each.name not in given else f" = {given[each.name]}"
        click.echo(f"  {each.name}{inside}  [{each.default}]")
        if each.doc:
            click.echo(f"      {each.doc.replace(chr(10), ' ')}")
