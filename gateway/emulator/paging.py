"""Pages of Describe and List actions."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any, TypeVar

from gateway.emulator.errors import validation

T = TypeVar("T")


def page(items: Sequence[T], request: dict[str, Any], default_size: int) -> tuple[list[T], dict[str, str]]:
    """
    Return the page that ``request`` asks for and the ``NextToken`` member, empty on the last page.

    Tokens are opaque to callers: the offset, in base64.
    """
    start = _offset(request["NextToken"]) if "NextToken" in request else 0
    end = start + request.get("MaxResults", default_size)
    following = {"NextToken": _token(end)} if end < len(items) else {}
    return list(items[start:end]), following


def _token(offset: int) -> str:
    return base64.urlsafe_b64encode(f"page:{offset}".encode()).decode()


def _offset(token: str) -> int:
    try:
        label, _, digits = base64.b64decode(token, altchars=b"-_", validate=True).decode().partition(":")
        if label == "page" and digits.isascii() and digits.isdigit() and len(digits) < len(str(2**63)):
            return int(digits)
    except (binascii.Error, ValueError):
        pass
    raise validation("INVALID_NEXT_TOKEN", "The NextToken is not valid", "NextToken")
