"""Whole numbers as a query or a form's field has them: plain digits, and neither `1e1` nor `10.0`."""

import re
from typing import Final

_WHOLE: Final = re.compile("-?[0-9]{1,18}")
"""Every one fits into eight bytes."""


def whole_number(text: str) -> int | None:
    """Return the number that a text writes, or None where it writes none so."""
    return int(text) if _WHOLE.fullmatch(text) else None
