"""`tollgate dev`: the whole gateway for a developer, supervised."""

import asyncio
import os
import shutil
import signal
from pathlib import Path

import click

from gateway.embedded import EmbeddedError, erase_stores
from gateway.stack import secrets
from gateway.stack.errors import StackError
from gateway.stack.secrets import TestTenant
from gateway.stack.stack import Stack, StackPlan, erase_emulator, running_stack
from gateway.stack.test_tenant import ready_test_tenant
from gateway.telemetry.logs import configure


@click.command("dev")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="Of the API; 0: any."
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("~/.tollgate"),
    show_default=True,
    help="Folder for everything that is kept.",
)
@click.option("--reset", is_flag=True, help="Forget everything in the folder first.")
@click.option(
    "--emulator-port", type=click.IntRange(0, 65535), default=4579, show_default=True, help="Of AWS; 0: any."
)
def command(*, port: int, data: Path, reset: bool, emulator_port: int) -> None:
    """
    Run Postgres, Redis, an AWS emulator, the API and all workers until Ctrl-C, and start again what dies.

    With DATABASE_URL, REDIS_URL or AWS_ENDPOINT_URL set, that service is used instead of the embedded one.
    """
    configure("console", "warning")
    plan = StackPlan(
        data=data.expanduser().absolute(),
        environment=dict(os.environ),
        port=port,
        emulator_port=emulator_port,
    )
    try:
        asyncio.run(_run(plan, reset=reset))
    except asyncio.CancelledError:
        raise click.Abort from None  # told twice


async def _run(plan: StackPlan, *, reset: bool) -> None:
    stopped = asyncio.Event()
    running = asyncio.ensure_future(_stay(plan, stopped, reset=reset))
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if stopped.is_set():
            running.cancel()
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop)
    waiter = asyncio.ensure_future(stopped.wait())
    await asyncio.wait({running, waiter}, return_when=asyncio.FIRST_COMPLETED)
    waiter.cancel()
    await running


async def _stay(plan: StackPlan, stopped: asyncio.Event, *, reset: bool) -> None:
    if reset:
        await _reset(plan.data)
    click.echo(f"Starting on {plan.data} …")
    async with running_stack(plan, _say) as stack:
        settings = stack.settings
        tenant = await asyncio.to_thread(
            ready_test_tenant, plan.data, settings.public_url, settings.operator_key
        )
        click.echo(_introduction(stack, tenant))
        await stopped.wait()
        click.echo("\nStopping …")
    click.echo("Stopped. The data are kept.")


async def _reset(data: Path) -> None:
    try:
        await erase_stores(data)
    except EmbeddedError as error:
        raise StackError(str(error)) from error
    erase_emulator(data)
    secrets.forget(data)
    shutil.rmtree(data / "logs", ignore_errors=True)


def _introduction(stack: Stack, tenant: TestTenant) -> str:
    settings = stack.settings
    lines = {
        "API": settings.public_url,
        "Console": f"{settings.public_url}/console/operator",
        "Documentation": f"{settings.public_url}/docs",
        "AWS emulator": stack.emulator_url or f"{settings.aws_endpoint_url} (yours)",
        "Postgres": settings.database_url,
        "Redis": settings.redis_url,
        "Operator key": settings.operator_key,
        "Test tenant": tenant.id,
        "Test key": tenant.key,
        "Logs": str(stack.logs),
    }
    shown = "\n".join(f"  {name:<14} {value}" for name, value in lines.items())
    first = _first_send(settings.public_url, tenant.key)
    return f"\nTollgate is running; Ctrl-C stops it.\n\n{shown}\n\n{first}\n"


def _first_send(public_url: str, key: str) -> str:
    return (
        "A first message:\n"
        f"  curl {public_url}/v1/messages -H 'Authorization: Bearer {key}' \\\n"
        '    -H \'Content-Type: application/json\' -d \'{"to": "+14155550123", "body": "Hello"}\''
    )


def _say(line: str) -> None:
    click.echo(line, err=True)
