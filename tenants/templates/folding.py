"""
A text as a reader takes it: without what is not drawn, in the letters that its letters look like.

For searching only. Folding makes a Russian word into nonsense Latin, which no list has; it never makes an
innocent word into a listed one that a reader would not also read so.
"""

import re
import unicodedata
from typing import Final

from tenants.templates.links import unfold

_NOT_DRAWN: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
_MARKS: Final = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
_PAIRS: Final = (
    # Cyrillic
    ("\u0430\u0432\u0435\u0451\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445", "abeekmhopctyx"),
    ("\u0456\u0457\u0458\u0455\u0501\u051b\u051d\u04bb\u04cf\u04af\u0433\u043f", "iijsdqwhlyrn"),
    # Greek
    ("\u03b1\u03b2\u03b5\u03b7\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5", "abenikvoptu"),
    ("\u03c7\u03b3\u03c9\u03f2\u03f3", "xywcj"),
    # Latin letters that are drawn like others
    ("\u0251\u0261\u026a\u0274\u0280\u028f\u0131\u0142\u00f8\u0111", "aginryilod"),
)
_LOOKS_LIKE: Final = str.maketrans({odd: plain for row in _PAIRS for odd, plain in zip(*row, strict=True)})
_DIGITS_AS_LETTERS: Final = str.maketrans("013457@$", "oieastas")
_SPELT_WITH_DIGITS: Final = re.compile(r"[a-z][013457@$]+[a-z]")
_DIGIT_THEN_LETTER: Final = re.compile(r"[013457@$][a-z]")
"""Stands in all that the pattern above finds, and begins with what is rare: a quick no."""


def fold(text: str) -> str:
    """Return a text in lower case as it reads; its length and positions are not those of the original."""
    if text.isascii():
        return text.lower()
    bare = _MARKS.sub("", unicodedata.normalize("NFKD", unfold(_NOT_DRAWN.sub("", text)))).casefold()
    return bare if bare.isascii() else bare.translate(_LOOKS_LIKE)


def respelt(folded: str) -> str | None:
    """Return a folded text with digits inside words as the letters they stand for; None if there are none."""
    if _DIGIT_THEN_LETTER.search(folded) is None or _SPELT_WITH_DIGITS.search(folded) is None:
        return None
    return " ".join(
        word.translate(_DIGITS_AS_LETTERS) if _SPELT_WITH_DIGITS.search(word) else word
        for word in folded.split()
    )
