"""What a person watches: progress bars on a terminal, plain lines anywhere else; then the tables."""

from collections.abc import Generator
from contextlib import contextmanager
from decimal import Decimal
from statistics import quantiles
from time import monotonic
from typing import Final

from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from gateway.demo.acts import Act
from gateway.demo.script import CROWDED
from gateway.demo.tally import Tally
from gateway.demo.verdict import Check, Evidence

_PLAIN_EVERY_S: Final = 2.0
_BARS: Final = {
    "accepted": "[cyan]accepted by the API[/]",
    "aws": "[blue]accepted by AWS[/]",
    "delivered": "[green]delivered[/]",
    "failed": "[red]not delivered[/]",
    "webhooks": "[magenta]webhooks verified[/]",
}
_EVENTS_PER_MESSAGE: Final = 3
"""queued, sent and one final: what the webhook bar is drawn against."""


class Display:
    """Shows what happens as it happens."""

    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._total = total
        self._progress = Progress(
            TextColumn("  {task.description}", justify="left"),
            BarColumn(bar_width=36),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            refresh_per_second=8,
        )
        self._tasks: dict[str, TaskID] = {}
        self._plain_at = 0.0

    def heading(self, text: str) -> None:
        """Begin a scene."""
        self._console.print(f"\n[bold]{text}[/]")

    def note(self, text: str) -> None:
        """Say one thing."""
        self._console.print(f"  {text}")

    def act(self, act: Act) -> None:
        """Show one answer, and what it should have been where it is not that."""
        mark = "[green]✓[/]" if act.held else "[red]✗[/]"
        wanted = "" if act.held else f" [red](expected {act.expected})[/]"
        self._console.print(f"  {mark} {act.what:<42} [bold]{_brief(act.seen)}[/]{wanted}")

    @contextmanager
    def watching(self) -> Generator[None]:
        """Draw the bars, on a terminal only."""
        if not self._console.is_terminal:
            self._plain_at = monotonic()
            yield
            return
        for name, text in _BARS.items():
            total = self._total * _EVENTS_PER_MESSAGE if name == "webhooks" else self._total
            self._tasks[name] = self._progress.add_task(text, total=total)
        with self._progress:
            yield

    def update(self, tally: Tally, verified: int) -> None:
        """Move the bars, or print a line now and then."""
        seen = {
            "accepted": len(tally.accepted),
            "aws": tally.at_aws,
            "delivered": tally.final("delivered"),
            "failed": len(tally.finals) - tally.final("delivered"),
            "webhooks": verified,
        }
        for name, task in self._tasks.items():
            total = max(seen[name], self._progress.tasks[task].total or 0)
            self._progress.update(task, completed=seen[name], total=total)
        if not self._tasks and monotonic() - self._plain_at > _PLAIN_EVERY_S:
            self._plain_at = monotonic()
            self._console.print(
                f"  {seen['accepted']:>5} accepted  {seen['aws']:>5} at AWS  {seen['delivered']:>5} delivered"
                f"  {seen['failed']:>4} not delivered  {seen['webhooks']:>5} webhooks verified"
            )


def summary(evidence: Evidence) -> Table:
    """Return the table of figures."""
    table = Table(title="Tollgate demo", title_style="bold", show_header=False, min_width=72)
    table.add_column(style="dim")
    table.add_column(justify="right", no_wrap=True)
    for name, value in _figures(evidence):
        table.add_row(name, value)
    return table


def verdict(checks: list[Check]) -> Panel:
    """Return what was proven."""
    lines = Table.grid(padding=(0, 1))
    for check in checks:
        lines.add_row("[green]✓[/]" if check.held else "[red]✗[/]", check.what, f"[dim]{check.found}[/]")
    good = all(check.held for check in checks)
    return Panel(
        lines, title="Proven" if good else "Not proven", border_style="green" if good else "red", expand=False
    )


def _figures(evidence: Evidence) -> list[tuple[str, str]]:
    finals = evidence.finals()
    tally, crowd = evidence.tally, evidence.crowd
    refused = [(f"refused: {reason}", str(count)) for reason, count in sorted(tally.refused.items())]
    money = [
        (f"{name}: held / spent / left", _money(balance, evidence.spent(name)))
        for name, balance in evidence.balances.items()
    ]
    return [
        ("accepted", str(len(tally.accepted))),
        *refused,
        ("accepted by AWS", str(len(evidence.at_aws))),
        *((status, str(count)) for status, count in sorted(finals.items())),
        *money,
        *_latencies("accept latency", tally.accept_seconds),
        *_latencies("accept to final receipt", evidence.receipt_seconds()),
        (
            f"{CROWDED}: granted / sustained / peak MPS",
            f"{crowd.mps} / {crowd.sustained:.1f} / {crowd.peak_parts}",
        ),
        (
            f"{CROWDED}: wait of OTPs / of the campaign",
            f"{crowd.otp_wait_s:.2f} s / {crowd.campaign_wait_s:.2f} s",
        ),
        ("webhooks received / verified", f"{evidence.webhooks_received} / {evidence.webhooks_verified}"),
        ("took", f"{evidence.seconds:.1f} s"),
    ]


def _money(balance: dict[str, str], spent: Decimal) -> str:
    return f"{balance['held']} / {spent.normalize():f} / {balance['available']} {balance['unit']}"


def _latencies(name: str, seconds: list[float]) -> list[tuple[str, str]]:
    if len(seconds) < 2:  # noqa: PLR2004 - quantiles need two
        return []
    cuts = quantiles(seconds, n=100, method="inclusive")
    return [(f"{name}, p50 / p99", f"{cuts[49] * 1000:.0f} ms / {cuts[98] * 1000:.0f} ms")]


def _brief(seen: str) -> str:
    """Fold equal answers in a row: `202 202 202` becomes `3 x 202`."""
    words: list[list[object]] = []
    for word in seen.replace(" insufficient", "_insufficient").split(" "):
        if words and words[-1][0] == word:
            words[-1][1] = int(str(words[-1][1])) + 1
        else:
            words.append([word, 1])
    if all(count == 1 for _, count in words):
        return seen
    return ", ".join(f"{count} x {word}" for word, count in words).replace("_insufficient", " insufficient")
