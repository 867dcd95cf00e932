"""Whether AWS could be called at an endpoint; one that cannot be opened would hold its messages. Pure."""

import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from tenants.errors import InvalidInput

_LABEL: Final = re.compile("[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_NEVER: Final = re.compile(r"[\s\x00-\x1f\x7f]")
"""`urlsplit` would leave some of them out."""
_LONGEST_NAME: Final = 253
_CODE: Final = "invalid_endpoint"


def check_endpoint(field: str, url: str) -> None:
    """
    Refuse an address that no client could open.

    Raises:
        InvalidInput: It has no scheme, host or port that can be; `field` is its JSON pointer.
    """
    if _NEVER.search(url):
        raise InvalidInput(field, _CODE, "it has no blanks and no line breaks")
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname or "", parts.port
    except ValueError as error:
        detail = "it must be http or https, a host, and a port from 1 to 65535 where one is given"
        raise InvalidInput(field, _CODE, detail) from error
    if scheme not in {"http", "https"}:
        raise InvalidInput(field, _CODE, "it begins with http:// or https://")
    if not (_is_name(host) or _is_address(host)):
        detail = "its host is a name of labels of 1 to 63 letters, digits and inner hyphens, or an IP address"
        raise InvalidInput(field, _CODE, detail)
    if port == 0:
        raise InvalidInput(field, _CODE, "its port is from 1 to 65535")


def _is_name(host: str) -> bool:
    labels = host.removesuffix(".").split(".")
    return len(host) <= _LONGEST_NAME and all(_LABEL.fullmatch(label) for label in labels)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
