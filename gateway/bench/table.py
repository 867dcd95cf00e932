"""A report for a person's eyes."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gateway.bench.report import JudgedTarget, Report

_NONE = "-"


def table_of(report: Report) -> RenderableType:
    """Return the figures, each beside its bare component, and below them the targets."""
    return Group(_figures(report), _targets(report), _verdict(report))


def _figures(report: Report) -> Table:
    table = Table(
        title=f"{report.name}: medians of {report.runs} rounds",
        caption=report.machine,
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("figure")
    for heading in ("gateway", "least", "greatest", "bare component", "ratio"):
        table.add_column(heading, justify="right")
    for name, value in report.figures.items():
        least, greatest = report.spread[name]
        bare, ratio = report.baseline.get(name), report.ratios.get(name)
        table.add_row(name, number(value), number(least), number(greatest), number(bare), number(ratio))
    for name in report.baseline.keys() - report.figures.keys():
        table.add_row(name, _NONE, _NONE, _NONE, number(report.baseline[name]), _NONE)
    return table


def _targets(report: Report) -> Table:
    table = Table(title="targets", title_justify="left")
    table.add_column("target")
    for heading in ("bound", "measured", "held"):
        table.add_column(heading, justify="right")
    for name, judged in report.targets.items():
        held = Text("yes", style="green") if judged.held else Text("no", style="bold red")
        table.add_row(name, bound(judged), number(judged.measured), held)
    return table


def _verdict(report: Report) -> Text:
    if report.held:
        return Text("Every target held.", style="green")
    missed = ", ".join(name for name, judged in report.targets.items() if not judged.held)
    return Text(f"Missed: {missed}.", style="bold red")


def number(value: float | None) -> str:
    """Return a figure with as many digits as it deserves."""
    if value is None:
        return _NONE
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def bound(judged: JudgedTarget) -> str:
    """Return the bound as it reads in a sentence."""
    bounds = ((">=", judged.at_least), ("<=", judged.at_most))
    return " and ".join(f"{sign} {number(limit)}" for sign, limit in bounds if limit is not None)
