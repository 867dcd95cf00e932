"""Pages of Describe and List actions."""

import base64
import binascii
from collections.abc import Sequence
from hashlib import sha256
from typing import TypeVar

import msgspec

from gateway.emulator.call import Call
from gateway.emulator.errors import validation

T = TypeVar("T")

_OF_A_PAGE = {"NextToken", "MaxResults"}
"""Parameters that may differ from page to page of one list."""


def page(items: Sequence[T], call: Call) -> tuple[list[T], dict[str, str]]:
    """
    Return the page that the call asks for and the ``NextToken`` member, empty on the last page.

    Tokens are opaque to callers: the offset and what it is an offset in, in base64.
    """
    listing = _listing(call)
    start = _offset(call.input["NextToken"], listing) if "NextToken" in call.input else 0
    end = start + call.input.get("MaxResults", call.page_size)
    following = {"NextToken": _token(end, listing)} if end < len(items) else {}
    return list(items[start:end]), following


def _listing(call: Call) -> str:
    """Return what tells one list from another: its account and Region, its action, and what is asked for."""
    asked = {name: value for name, value in call.input.items() if name not in _OF_A_PAGE}
    return sha256(msgspec.json.encode([call.store.scope, call.action, asked], order="sorted")).hexdigest()[
        :16
    ]


def _token(offset: int, listing: str) -> str:
    return base64.urlsafe_b64encode(f"{listing}:{offset}".encode()).decode()


def _offset(token: str, listing: str) -> int:
    try:
        label, _, digits = base64.b64decode(token, altchars=b"-_", validate=True).decode().partition(":")
        if label == listing and digits.isascii() and digits.isdigit() and len(digits) < len(str(2**63)):
            return int(digits)
    except (binascii.Error, ValueError):
        pass
    raise validation("INVALID_NEXT_TOKEN", "The NextToken is not valid", "NextToken")
