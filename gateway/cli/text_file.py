"""A text file that somebody named."""

from pathlib import Path

import click


def text_of(path: Path) -> str:
    """
    Return what is in it, less the mark that spreadsheets put in front.

    Raises:
        click.UsageError: It is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{path} is not UTF-8: {error}") from error
