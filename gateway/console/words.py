"""Names of the API as people read them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

STEP_TITLES: Final = {
    "profile": "Your company",
    "relationship": "Your relationship with recipients",
    "use_cases": "What you will send",
    "reach": "Countries and volume",
    "senders": "Senders",
    "legal": "Terms and privacy policy",
    "opt_in": "How recipients agree",
    "registrations": "Approval and registrations",
    "provisioning": "Getting the senders",
    "sandbox_test": "Test message",
    "live": "Going live",
}
STATE_WORDS: Final = {"done": "Done", "open": "Your turn", "waiting": "Waiting", "blocked": "Later"}
OPERATOR_STATE_WORDS: Final = STATE_WORDS | {"open": "Tenant's turn"}
RUN_WORDS: Final = {
    "running": "Running",
    "waiting": "Later",
    "done": "Done",
    "failed": "Failed",
    "refused": "Refused",
    "interrupted": "Interrupted",
}
_CAPITALS: Final = {"otp": "One-time passwords", "ten dlc": "10DLC number"}
_DAY_S: Final = 86_400
_HOUR_S: Final = 3_600
_MINUTE_S: Final = 60
_SHORT: Final = 2
"""`US`, `GB`: left as they are."""


def spoken(name: object) -> str:
    """Return `REQUIRES_UPDATES` as `Requires updates`."""
    text = str(name).replace("_", " ").lower()
    return _CAPITALS.get(text, text[:1].upper() + text[1:])


def event_name(event_type: str) -> str:
    """Return `message.delivered` as `Delivered`."""
    return spoken(event_type.rpartition(".")[2])


def form_name(registration_type: str) -> str:
    """Return `US_TOLL_FREE_REGISTRATION` as `US toll free`."""
    words = registration_type.removesuffix("_REGISTRATION").split("_")
    return " ".join(word if len(word) == _SHORT else word.lower() for word in words)


def sentence(detail: str) -> str:
    """Return `a file is a PDF`, as the API says it, as `A file is a PDF.`."""
    return detail[:1].upper() + detail[1:] + ("" if detail.endswith((".", "?", "!", "…")) else ".")


def moment(stamp: str | None) -> str:
    """Return an API timestamp as a person reads it."""
    if not stamp:
        return ""
    return datetime.fromisoformat(stamp).astimezone(UTC).strftime("%d %b %Y, %H:%M UTC")


def age(stamp: str | None, now: datetime) -> str:
    """Return how long ago something was."""
    if not stamp:
        return ""
    seconds = int((now - datetime.fromisoformat(stamp)).total_seconds())
    if seconds >= _DAY_S:
        return f"{seconds // _DAY_S} d"
    if seconds >= _HOUR_S:
        return f"{seconds // _HOUR_S} h"
    return f"{seconds // 60} min" if seconds >= _MINUTE_S else "less than a minute"


FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "spoken": spoken,
    "event_name": event_name,
    "form_name": form_name,
    "sentence": sentence,
    "moment": moment,
    "age": age,
}
