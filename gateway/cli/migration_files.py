"""The folder of `tollgate migration`, cut into requests of a size that the API takes."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click
from msgspec import Struct

from gateway.cli.text_file import text_of

FILES: Final = {
    "volumes": "volumes.csv",
    "numbers": "numbers.csv",
    "templates": "templates.csv",
    "opt_outs": "opt-outs.csv",
    "consents": "consents.csv",
}
"""By the API's name of each file."""
_ROWS_AT_ONCE: Final = 1_000
"""The fewest that any file of one request may have at most."""


class MigrationPart(Struct, frozen=True, kw_only=True):
    """One request."""

    body: dict[str, Any]
    lines: dict[str, list[int]]
    """The lines of the files from which each file of the body is made, that of the column names first."""


def parts_of(folder: Path, provider: str, account: str | None) -> list[MigrationPart]:
    """
    Return what a folder holds as requests, opt-outs before everything else.

    Raises:
        click.UsageError: There is none of the files, or one is no text.
    """
    texts = {name: text_of(folder / file) for name, file in FILES.items() if (folder / file).is_file()}
    if not texts:
        raise click.UsageError(f"{folder} holds none of {', '.join(FILES.values())}")
    common = {"provider": provider, "account": account}
    ordered = sorted(texts, key=lambda name: name != "opt_outs")
    return [
        MigrationPart(body=common | {name: text}, lines={name: lines})
        for name in ordered
        for text, lines in _cut(texts[name])
    ]


def placed(row: dict[str, Any], part: MigrationPart) -> dict[str, Any]:
    """Return a row of a report with its line in the folder's file."""
    lines = part.lines[row["file"]]
    at = row["line"] - 1
    return row | {"line": lines[at] if at < len(lines) else row["line"]}


def _cut(text: str) -> Iterator[tuple[str, list[int]]]:
    """Yield the same columns over at most a thousand rows at a time; what is no CSV goes as it is."""
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        rows = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error:
        yield text, []
        return
    head, *rest = rows or [(1, [])]
    for start in range(0, max(len(rest), 1), _ROWS_AT_ONCE):
        yield _joined([head, *rest[start : start + _ROWS_AT_ONCE]])


def _joined(rows: list[tuple[int, list[str]]]) -> tuple[str, list[int]]:
    """Return the text, and for each of its lines the line of the file that it comes from."""
    texts, lines = list[str](), list[int]()
    for line, cells in rows:
        written = io.StringIO()
        csv.writer(written, lineterminator="\n").writerow(cells)
        texts.append(written.getvalue())
        lines += [line] * texts[-1].count("\n")
    return "".join(texts), lines
