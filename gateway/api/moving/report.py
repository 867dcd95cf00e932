"""What becomes of each row of a migration's files."""

from collections.abc import Iterable
from typing import Any, Literal

from msgspec import Struct

from gateway.api.row_files import RowFault, RowFile

FileName = Literal["volumes", "numbers", "templates", "opt_outs", "consents"]
Outcome = Literal["new", "known", "waiting", "by_hand", "refused", "faulty"]
"""Taken (of a plan: would be); there already; somebody else's turn; yours; not taken; not to be read."""


class MigrationRow(Struct, frozen=True, kw_only=True):
    """One row; never a recipient's number."""

    file: FileName
    line: int
    """Counting from 1, the line of the column names."""
    outcome: Outcome
    detail: str
    """What is the case, and what to do about it where something is left."""
    column: str | None = None
    """Where a faulty row is wrong."""


class FileCount(Struct, frozen=True, kw_only=True):
    """The rows of one file by their outcome."""

    file: FileName
    rows: int
    new: int = 0
    known: int = 0
    waiting: int = 0
    by_hand: int = 0
    refused: int = 0
    faulty: int = 0


class MigrationReport(Struct, frozen=True, kw_only=True):
    """What a plan would do, or what an application did."""

    applied: bool
    files: list[FileCount]
    rows: list[MigrationRow]
    """Every row, in the order of the files."""


def report(rows: list[MigrationRow], *, applied: bool) -> MigrationReport:
    """Return the rows with their sums."""
    names: list[FileName] = list(dict.fromkeys([row.file for row in rows]))
    return MigrationReport(applied=applied, files=[_count(name, rows) for name in names], rows=rows)


def faulty(file: FileName, faults: Iterable[RowFault]) -> list[MigrationRow]:
    """Return the rows that could not be read."""
    return [
        MigrationRow(file=file, line=each.line, outcome="faulty", detail=each.detail, column=each.column)
        for each in faults
    ]


def in_order(file: FileName, read: RowFile[Any], taken: list[MigrationRow]) -> list[MigrationRow]:
    """Return all rows of a file by line."""
    return sorted([*taken, *faulty(file, read.faults)], key=lambda row: row.line)


def _count(name: FileName, rows: list[MigrationRow]) -> FileCount:
    of_file = [row.outcome for row in rows if row.file == name]
    return FileCount(
        file=name,
        rows=len(of_file),
        new=of_file.count("new"),
        known=of_file.count("known"),
        waiting=of_file.count("waiting"),
        by_hand=of_file.count("by_hand"),
        refused=of_file.count("refused"),
        faulty=of_file.count("faulty"),
    )
