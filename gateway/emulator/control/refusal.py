"""What a control endpoint refuses."""

from typing import Final

_MOST_DIGITS: Final = 15


class Refusal(Exception):
    """The request cannot be followed; the text says why."""


def whole_number(query: dict[str, str], name: str, default: int) -> int:
    """
    Return a member of the query.

    Raises:
        Refusal: It is not a whole number that anything could be counted to.
    """
    text = query.get(name, str(default))
    if not (text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise Refusal(f"{name} must be a whole number of at most {_MOST_DIGITS} digits")
    return int(text)
