"""What an endpoint must look like, which events it wants, and which of its secrets are live. Pure."""

import re
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from msgspec import UNSET, Struct, UnsetType

from tenants.errors import InvalidInput

SECRET_OVERLAP: Final = timedelta(hours=24)
"""After a rotation both secrets sign for this long, so that a receiver can change over without a gap."""

MOST_ENDPOINTS: Final = 50
"""Of a tenant, the disabled ones with them: every event is owed to each in the transaction that makes it."""

DISABLED_TASK: Final = "webhook_endpoint.disabled"
UNSIGNED_TASK: Final = "webhook_endpoint.unsigned"
"""What the operator's inbox calls an endpoint that was switched off, and one whose secret does not open."""

_MAX_URL: Final = 2048
_MAX_DESCRIPTION: Final = 500
_EVENT: Final = re.compile(r"[a-z_]{1,40}\.[a-z_]{1,40}")


class NewEndpoint(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An endpoint to be, as the wire describes it."""

    url: str
    events: list[str] = []
    """Event types wanted; empty for all, also those that are invented later."""
    description: str = ""


class EndpointChanges(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a PATCH changes; what it does not name stays."""

    url: str | UnsetType = UNSET
    events: list[str] | UnsetType = UNSET
    description: str | UnsetType = UNSET


def check_url(url: str) -> str:
    """
    Return a URL that has the form of a target; whether its address may be called is decided at the call.

    Raises:
        InvalidInput: Not http or https, with a user or a fragment, without a host, or too long.
    """
    if len(url) > _MAX_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise InvalidInput("/url", "invalid_url", f"a URL is at most {_MAX_URL} visible ASCII characters")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    else:
        usable = usable and "@" not in parts.netloc and not parts.fragment
    if not usable:
        detail = "a URL is http or https, names a host, and has neither user nor fragment"
        raise InvalidInput("/url", "invalid_url", detail)
    return url


def check_events(events: Sequence[str]) -> list[str]:
    """
    Return the event types once each; which types exist is the edge's question.

    Raises:
        InvalidInput: One of them has not the form of an event type.
    """
    for index, event in enumerate(events):
        if _EVENT.fullmatch(event) is None:
            raise InvalidInput(f"/events/{index}", "invalid_event", "an event type reads like message.sent")
    return sorted(set(events))


def check_description(description: str) -> str:
    """
    Return the description.

    Raises:
        InvalidInput: It is longer than 500 characters.
    """
    if len(description) > _MAX_DESCRIPTION:
        detail = f"a description has at most {_MAX_DESCRIPTION} characters"
        raise InvalidInput("/description", "too_long", detail)
    return description


def wants(events: Collection[str], event_type: str) -> bool:
    """Return whether an endpoint subscribed to `events` is told of this one."""
    return not events or event_type in events


def old_secret_signs(until: datetime | None, *, now: datetime) -> bool:
    """Return whether the secret before the last rotation still signs."""
    return until is not None and now < until
