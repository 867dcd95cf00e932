"""Which list stops which message. Pure."""

import re
from collections.abc import Collection
from typing import Final

from tenants.errors import InvalidInput

EVERYTHING: Final = "all"
"""The list that stops every message of the tenant; what a bare STOP means."""

STOPPING: Final = (EVERYTHING, "otp", "transactional", "promotional")
"""The lists that stop messages: that of everything, and one for each type."""

_NAME: Final = re.compile("[a-z0-9-]{1,40}")
_NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}")


def stopping(message_type: str, *named: str) -> frozenset[str]:
    """
    Return the lists that stop a message of a type: `all`, its type's own, and those that the send names.

    Any other name is a list of the tenant's own, for a topic or a sender pool.
    """
    return frozenset({EVERYTHING, message_type, *named})


def stops(lists: Collection[str], message_type: str) -> bool:
    """Return whether a recipient on `lists` must not get a message of this type."""
    return not stopping(message_type).isdisjoint(lists)


def check_list(name: str) -> str:
    """
    Return the name of a list.

    Raises:
        InvalidInput: It is not 1 to 40 of `a-z`, `0-9` and `-`.
    """
    if _NAME.fullmatch(name) is None:
        raise InvalidInput("/list", "invalid_list", "a list's name is 1 to 40 of a-z, 0-9 and -")
    return name


def check_number(number: str) -> str:
    """
    Return an E.164 number; who assigned it is the edge's question.

    Raises:
        InvalidInput: It is not a plus and 7 to 15 digits.
    """
    if _NUMBER.fullmatch(number) is None:
        raise InvalidInput("/number", "invalid_number", "a number is written in E.164, like +12065550100")
    return number
