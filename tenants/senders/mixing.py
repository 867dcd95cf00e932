"""
Whether promotional and other messages share a sender (F-NOMIX). Pure.

Who stops the offers then stops one-time codes too, a campaign stands in their way, and an audit of one puts
both at risk; so it takes the operator's word.
"""

from collections.abc import Collection
from typing import Final

from tenants.errors import InvalidInput

MIXED_USE: Final = "mixed_use"
_PROMOTIONAL: Final = "promotional"


def mixes(message_types: Collection[str]) -> bool:
    """Whether a sender of these types carries promotional messages beside others; none named are all."""
    return not message_types or (_PROMOTIONAL in message_types and len(set(message_types)) > 1)


def check_mixing(message_types: Collection[str], *, allowed: bool) -> None:
    """
    Refuse a sender that is asked to mix, unless the operator said so.

    A sender without named types is not asked to: it may serve one type only, and is shown with a warning.

    Raises:
        InvalidInput: It would mix.
    """
    if message_types and mixes(message_types) and not allowed:
        detail = (
            "promotional and other messages on one sender share its opt-outs, its rate and its audits; "
            'give them senders of their own, or say `"allow_mixed": true`'
        )
        raise InvalidInput("/message_types", MIXED_USE, detail)
