"""Files that people name: Excel's are read, and others than text refused in a sentence."""

from pathlib import Path

import click
import pytest

from gateway.cli.text_file import text_of


def test_a_spreadsheets_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    """The first column's name would be unknown with it."""
    file = tmp_path / "book.csv"
    file.write_bytes(b"\xef\xbb\xbfcountry\n")
    assert text_of(file) == "country\n"


def test_what_is_not_utf_8_is_named(tmp_path: Path) -> None:
    """In place of a traceback."""
    file = tmp_path / "latin.csv"
    file.write_bytes("Zürich".encode("latin-1"))
    with pytest.raises(click.UsageError, match=r"latin\.csv is not UTF-8"):
        text_of(file)
