"""
A text as keywords are looked for in it: no case, no accents, no punctuation, no blanks that matter.

Both sides are folded alike, so that what folding loses (й becomes и) is lost on both. Marks that make another
letter (Thai vowels, Devanagari signs) stay; those that a person leaves out on a phone (accents, Arabic and
Hebrew points) go.
"""

import re
import unicodedata
from typing import Final

_LEFT_OUT: Final = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670]"
)
_PLAIN: Final = str.maketrans({"\u0131": "i", "\u0142": "l", "\u00f8": "o", "\u0111": "d", "\u00e6": "ae"})
"""Letters with a stroke or a missing dot, which Unicode does not take apart."""
_UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003ffff]"
)
"""Scripts that write a keyword and what follows it without a blank between: Thai, Chinese, Japanese…"""


def words_of(text: str) -> list[str]:
    """Return the words of a text, folded; whatever is no letter, mark or digit parts two of them."""
    bare = _LEFT_OUT.sub("", unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold()))
    plain = unicodedata.normalize("NFC", bare).translate(_PLAIN)
    kept = (
        letter if unicodedata.category(letter)[0] in "LMN" else "" if _is_invisible(letter) else " "
        for letter in plain
    )
    return "".join(kept).split()


def squeezed(text: str) -> str:
    """Return a text's words as one: `OPT-OUT`, `opt out` and `OptOut` are the same keyword."""
    return "".join(words_of(text))


def begins_with(words: list[str], keyword: str) -> bool:
    """
    Whether a text begins with a keyword, as a word of its own or spelt apart (`S T O P`, `un subscribe`).

    Args:
        words: The text, by `words_of`.
        keyword: By `squeezed`.
    """
    if _UNSPACED.search(keyword):
        return "".join(words).startswith(keyword)
    begun = ""
    for word in words:
        begun += word
        if len(begun) >= len(keyword):
            return begun == keyword
    return False


def is_whole(words: list[str], keyword: str) -> bool:
    """Whether a text is a keyword and nothing else."""
    return "".join(words) == keyword


def _is_invisible(letter: str) -> bool:
    """Soft hyphens, joiners and the like stand inside words and part none."""
    return unicodedata.category(letter) == "Cf"
