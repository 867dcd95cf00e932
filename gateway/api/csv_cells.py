"""
CSV that a spreadsheet shows and does not run.

A text cell that begins like a formula gets an apostrophe before it, which a spreadsheet takes for "this is
text". A phone number begins with a plus and is left alone, but only if it is nothing but a phone number.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Final

_STARTS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_E164: Final = re.compile(r"\+[1-9][0-9]{1,14}")
_AMOUNT: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def csv_text(rows: Iterable[Sequence[str]]) -> str:
    """Return rows as RFC 4180 has them, every cell made safe."""
    file = io.StringIO()
    csv.writer(file, lineterminator="\r\n").writerows([safe_cell(cell) for cell in row] for row in rows)
    return file.getvalue()


def safe_cell(text: str) -> str:
    """Return the text of a cell as no spreadsheet runs it; phone numbers and amounts stay what they are."""
    if not text.startswith(_STARTS_A_FORMULA) or _E164.fullmatch(text) or _AMOUNT.fullmatch(text):
        return text
    return f"'{text}"
