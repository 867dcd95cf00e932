"""`tollgate demo`: everything once, from nothing, with proof at the end."""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from time import monotonic

import click
from rich.console import Console

from gateway.demo.picture import save_picture
from gateway.demo.run import DemoPlan, Outcome, run_demo
from gateway.demo.script import FEWEST
from gateway.stack.stack import Stack, StackPlan, running_stack
from gateway.telemetry.logs import configure

_OURS = ("DATABASE_URL", "REDIS_URL", "TOLLGATE_", "AWS_")
_WIDTH = 100


@click.command("demo")
@click.option("--messages", type=click.IntRange(FEWEST, 10_000), default=200, show_default=True)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="Same seed: same recipients, same fates."
)
@click.option("--keep", is_flag=True, help="Leave everything running until Ctrl-C, and print URLs and keys.")
@click.option(
    "--svg",
    type=click.Path(path_type=Path, dir_okay=False),
    hidden=True,
    help="Save the output as a picture.",
)
def command(*, messages: int, seed: int, keep: bool, svg: Path | None) -> None:
    """
    Start a whole gateway in a temporary folder, send messages for two tenants, and prove what became of them.

    Needs nothing and leaves nothing behind. Exit status 0 only if every accepted message reached a final
    state, every expected refusal came, and the ledger holds to the last micro-dollar.
    """
    configure("console", "error")
    console = Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False, record=svg is not None)
    plan = DemoPlan(messages=messages, seed=seed, began=monotonic())
    data = Path(tempfile.mkdtemp(prefix="tollgate-demo-"))
    held = False
    try:
        held = asyncio.run(_run(plan, data, console, keep=keep))
    except asyncio.CancelledError:
        raise click.Abort from None  # by SIGTERM: as Ctrl-C
    finally:
        _tidy(data, held=held)
    if svg is not None:
        save_picture(console, svg)
    sys.exit(0 if held else 1)


async def _run(plan: DemoPlan, data: Path, console: Console, *, keep: bool) -> bool:
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    if task is not None:
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
    console.print("Starting Postgres, Redis, an AWS emulator and the gateway …")
    with console.status("a few seconds"):
        starting = running_stack(_stack_plan(plan, data), lambda line: console.print(f"  [yellow]{line}[/]"))
        stack = await starting.__aenter__()
    try:
        console.print(f"Everything is up after {monotonic() - plan.began:.1f} s.")
        outcome = await run_demo(stack, plan, console)
        if keep:
            await _stay(stack, outcome, console)
        return outcome.held
    finally:
        await starting.__aexit__(None, None, None)


def _stack_plan(plan: DemoPlan, data: Path) -> StackPlan:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return StackPlan(
        data=data, environment=environment, port=0, emulator_port=0, seed=plan.seed, log_level="warning"
    )


async def _stay(stack: Stack, outcome: Outcome, console: Console) -> None:
    console.print(f"\nStill running; Ctrl-C stops it.\n  API            {stack.settings.public_url}")
    console.print(f"  Console        {stack.settings.public_url}/console/operator")
    console.print(f"  AWS emulator   {stack.emulator_url}")
    console.print(f"  Operator key   {stack.settings.operator_key}")
    for tenant in outcome.tenants:
        console.print(f"  {tenant.name:<14} {tenant.id}  {tenant.key}", soft_wrap=True)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()


def _tidy(data: Path, *, held: bool) -> None:
    """Leave nothing behind, except the logs of a run that failed."""
    if held:
        shutil.rmtree(data, ignore_errors=True)
        return
    for path in data.iterdir():
        if path.name != "logs":
            shutil.rmtree(path, ignore_errors=True)
    click.echo(f"The logs of this run are in {data / 'logs'}.", err=True)
