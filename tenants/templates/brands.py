"""Whether a text says who sends it."""

import re
import unicodedata
from typing import Final

_LEGAL_FORMS: Final = frozenset(
    {
        "the", "inc", "ltd", "llc", "llp", "gmbh", "ag", "sa", "sas", "sarl", "plc", "co", "corp",
        "corporation", "company", "limited", "bv", "nv", "srl", "spa", "oy", "ab", "as", "aps", "kk", "pty",
        "kg", "ug", "se", "group", "holding", "holdings"
    }
)  # fmt: skip
_BRAND_MIN: Final = 3


def names_brand(text: str, brand: str) -> bool:
    """Whether a text has the brand, less its legal form, or its first word if that is telling."""
    words, present = _tokens(brand), f" {' '.join(_tokens(text))} "
    telling = [word for word in words if word not in _LEGAL_FORMS] or words
    if not telling:
        return False
    first = telling[0] if len(telling[0]) >= _BRAND_MIN else " ".join(telling)
    return f" {' '.join(telling)} " in present or f" {first} " in present


def _tokens(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text).casefold().replace("'", "").replace("\u2019", "")
    return re.findall(r"\w+", plain)
