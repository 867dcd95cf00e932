"""What a control endpoint refuses."""

from gateway.emulator.wire import LONGEST_WHOLE, whole


class Refusal(Exception):
    """The request cannot be followed; the text says why."""


def whole_number(query: dict[str, str], name: str, default: int) -> int:
    """
    Return a member of the query.

    Raises:
        Refusal: It is not a whole number that anything could be counted to.
    """
    if (number := whole(query.get(name, str(default)))) is None:
        raise Refusal(f"{name} must be a whole number of at most {LONGEST_WHOLE} digits")
    return number
