"""What a list of ledger entries may be narrowed to."""

from datetime import UTC, datetime
from typing import Annotated, Final

from litestar.params import QueryParameter

from gateway.api.refusals import Refusal
from tenants.credits.filters import LedgerFilter
from tenants.errors import InvalidId
from tenants.ids import decode
from tenants.instants import named_instant

KINDS: Final = (
    "top_up", "adjust", "correction", "fee", "reconcile", "hold", "capture", "release", "expire", "recapture",
)  # fmt: skip
"""All that a tenant sees; what AWS charged is the platform's."""

Kinds = Annotated[
    str | None,
    QueryParameter(name="kind", max_length=120, description="One or more kinds of entries, with commas."),
]
OfMessage = Annotated[
    str | None,
    QueryParameter(
        name="message_id", max_length=64, description="`msg_…`: what it moved, and corrections of it."
    ),
]
Since = Annotated[
    str | None,
    QueryParameter(name="from", max_length=40, description="Posted at or after this instant (RFC 3339)."),
]
Until = Annotated[
    str | None,
    QueryParameter(name="to", max_length=40, description="Posted before this instant (RFC 3339)."),
]


def ledger_filter(
    kinds: str | None, message_id: str | None, since: str | None, until: str | None
) -> LedgerFilter:
    """
    Return the checked conditions; an instant without a zone is UTC.

    Raises:
        Refusal: 422 for a kind that does not exist, or what is no message's id or no instant.
        InvalidInput: An instant breaks the rule of `named_instant`.
    """
    wanted = tuple(kinds.split(",")) if kinds is not None else ()
    if any(kind not in KINDS for kind in wanted):
        raise Refusal.of_field("?kind", "invalid_kind", f"Name some of {', '.join(KINDS)}, with commas.")
    try:
        message = None if message_id is None else decode("msg", message_id)
    except InvalidId:
        raise Refusal.of_field("?message_id", "invalid_id", "This is not the id of a message.") from None
    return LedgerFilter(kinds=wanted, message_id=message, since=_at(since, "?from"), until=_at(until, "?to"))


def _at(text: str | None, field: str) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal.of_field(
            field, "invalid_instant", "Write an instant as 2026-11-01T12:00:00Z; in a URL, a plus is %2B."
        ) from None
    return named_instant(at if at.tzinfo is not None else at.replace(tzinfo=UTC), field)
