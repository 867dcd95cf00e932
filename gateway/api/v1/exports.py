"""`/v1/exports`: messages and events of a span of time, as a file."""

from datetime import datetime, timedelta
from typing import Annotated, Final

from litestar import get
from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter
from litestar.response import Stream

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, refusals
from gateway.api.files import CSV, FILES, PARQUET, AsFormat, file_of
from gateway.api.lists.message_query import MessageQuery, aware, message_query
from gateway.api.refusals import Refusal
from gateway.insight import exporting
from gateway.insight.exporting import EventRecord
from gateway.insight.records import MessageRecord, Numbers

_READ: Final = {NEEDS: "messages:read", FILES: (CSV, PARQUET)}
LONGEST: Final = timedelta(days=92)

AsNumbers = Annotated[Numbers, QueryParameter(description="`masked` hides the middle of recipients.")]


@get(
    "/exports/messages",
    opt=_READ,
    dependencies={"looked_for": Provide(message_query)},
    responses=refusals(*TENANT, "invalid_number"),
    summary="Export messages",
    description=(
        "Takes the parameters of `GET /v1/messages`; `created_after` is required, and the span at most 92 "
        "days. The newest first, without texts, as of when each row was read. A file that ends before its "
        "transfer does is not whole."
    ),
)
async def export_messages(
    request: ApiRequest,
    desk: NamedDependency[Desk],
    looked_for: NamedDependency[MessageQuery],
    form: AsFormat = "csv",
    numbers: AsNumbers = "full",
) -> Stream:
    """Send the tenant's messages while they are read."""
    auth = request.auth
    wanted = looked_for.under([(auth.tenant_id, await desk.services.data_keys.of(auth.tenant_id))])
    span_of(wanted.created_after, wanted.created_before, now=desk.services.clock.now())
    batches = exporting.messages(auth, lambda: desk.tenant(auth), wanted, desk.services.data_keys.of, numbers)
    return file_of(MessageRecord, batches, name="messages", form=form, owner=auth.tenant_id)


@get(
    "/exports/events",
    opt=_READ,
    responses=refusals(*TENANT),
    summary="Export events",
    description=(
        "What the webhooks told, the oldest first; at most 92 days. Events of the last few seconds may be on "
        "their way: a file that is to be whole is asked for a little after its end."
    ),
)
async def export_events(
    request: ApiRequest,
    desk: NamedDependency[Desk],
    *,
    form: AsFormat = "csv",
    created_after: Annotated[datetime | None, QueryParameter(description="RFC 3339, required")] = None,
    created_before: Annotated[datetime | None, QueryParameter(description="RFC 3339; now if absent")] = None,
) -> Stream:
    """Send the tenant's events while they are read."""
    auth = request.auth
    since, before = span_of(
        aware(created_after, "?created_after"),
        aware(created_before, "?created_before"),
        now=desk.services.clock.now(),
    )
    batches = exporting.events(auth, lambda: desk.tenant(auth), since=since, before=before)
    return file_of(EventRecord, batches, name="events", form=form, owner=auth.tenant_id)


def span_of(since: datetime | None, before: datetime | None, *, now: datetime) -> tuple[datetime, datetime]:
    """
    Return the span of an export.

    Raises:
        Refusal: 422: it has no beginning, is none, or is longer than 92 days.
    """
    if since is None:
        raise Refusal.of_field("?created_after", "required", "An export has a beginning; give its instant.")
    end = before or now
    if not timedelta(0) <= end - since <= LONGEST:
        raise Refusal.of_field("?created_after", "invalid_span", "An export is of 92 days at most.")
    return since, end
