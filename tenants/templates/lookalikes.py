"""
Characters that pass for others: what an approver reads must be what a phone shows.

The three ways are those of Unicode's UTS #39: a word of several scripts, a word wholly of another script
whose letters all look Latin, and compatibility forms of Latin letters (bold, circled, wide).
"""

import re
import unicodedata
from typing import Final

DISGUISED: Final = (
    "\u0251\u0261\u026a\u0274\u0280\u028f\u0299\u029c\u029f"  # script a and g, small capitals
    "\u1d00-\u1dbf\u2070-\u209f"  # phonetic small capitals, superscripts and subscripts
    "\u2160-\u2188\u2460-\u24ff"  # Roman numerals and circled letters as one character
    "\ua730\ua731\U0001d400-\U0001d7ff\U0001f100-\U0001f1e5"  # mathematical, squared, circled
    "\u0334-\u0338\u0488\u0489\u20d0-\u20ff"  # marks that strike a letter through or ring it
)
"""As in a character class: forms of letters that nobody types in a name, and overlays that cross one out."""

MOST_MARKS: Final = 3
"""Combining marks on one character; vowelled Arabic and Hebrew need three, towers cover other lines."""

_WORD: Final = re.compile(r"\w+")
_LATIN: Final = re.compile("[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02af\u1e00-\u1eff]")
_GREEK: Final = re.compile("[\u0370-\u03ff\u1f00-\u1fff]")
_CYRILLIC: Final = re.compile("[\u0400-\u052f\u1c80-\u1c8f\u2de0-\u2dff\ua640-\ua69f]")
_SCRIPTS: Final = (
    _LATIN,
    _GREEK,
    _CYRILLIC,
    re.compile("[\u0530-\u058f]"),  # Armenian
    re.compile("[\u13a0-\u13ff\uab70-\uabbf]"),  # Cherokee
)
"""Scripts with letters that pass for each other's."""

_LATIN_SHAPED: Final = (
    (
        _CYRILLIC,
        frozenset(
            "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u051b\u051d\u04bb\u04cf\u04bd\u04af"
            "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0423\u0406\u0408\u0405\u04c0\u04ae\u050c\u051a\u051c"
        ),
    ),
    (
        _GREEK,
        frozenset(
            "\u03bf\u03bd\u03c1\u03c5\u03b1\u03b9\u03ba\u03f2\u03f3"
            "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
        ),
    ),
)
"""Of two scripts, the letters that a reader takes for Latin ones."""

_WIDE: Final = re.compile("[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]")
_EAST_ASIAN: Final = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003ffff]")


def _mixed_script_word(text: str) -> re.Match[str] | None:
    """Return the first word that mixes scripts with look-alike letters (Latin, Greek, Cyrillic…)."""
    if text.isascii():
        return None
    for word in _WORD.finditer(text):
        if not word[0].isascii() and sum(map(bool, (script.search(word[0]) for script in _SCRIPTS))) > 1:
            return word
    return None


def _foreign_word(text: str) -> re.Match[str] | None:
    """
    Return the first word that only looks Latin, in a text that is otherwise Latin.

    One letter of the other script that looks like no Latin one shows that the script is meant: a Russian name
    stands beside English words, five Cyrillic letters that spell "paypa" do not.
    """
    if text.isascii() or _LATIN.search(text) is None:
        return None
    for script, shaped in _LATIN_SHAPED:
        letters = script.findall(text)
        if not letters or not shaped.issuperset(letters):
            continue
        return next(word for word in _WORD.finditer(text) if script.search(word[0]))
    return None


def disguised_word(text: str) -> re.Match[str] | None:
    """Return the first word that is not what it looks like: mixed, foreign, or wide without cause."""
    if text.isascii():
        return None
    return _mixed_script_word(text) or _foreign_word(text) or _wide_without_cause(text)


def tower_of_marks(text: str) -> bool:
    """Whether more than MOST_MARKS combining marks stand on one character."""
    if text.isascii():
        return False
    height = 0
    for character in text:
        height = height + 1 if unicodedata.category(character) in {"Mn", "Me"} else 0
        if height > MOST_MARKS:
            return True
    return False


def _wide_without_cause(text: str) -> re.Match[str] | None:
    """Wide letters and digits belong among Chinese, Japanese or Korean ones."""
    return None if _EAST_ASIAN.search(text) else _WIDE.search(text)
