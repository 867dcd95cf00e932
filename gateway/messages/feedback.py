"""
What a tenant says became of a message: taken once, within the hour that AWS counts it.

The message, the event and the order to tell AWS are written in the caller's transaction.
"""

from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.messages import store
from gateway.messages.change import describe_change
from gateway.messages.models import FeedbackOrder, Message
from tenants.scope import TenantScope

FeedbackStatus = Literal["received", "failed"]
WINDOW: Final = timedelta(hours=1)
"""From the dispatch on; AWS counts as failed what nobody spoke of in it."""


class Given(Struct, frozen=True):
    """The message as it stands, and what is to be told of it; None where the same was said before."""

    message: Message
    event: msgspec.Raw | None


class NotTaken(Struct, frozen=True):
    """Why feedback is refused, by a code of the API's."""

    code: Literal["feedback_not_requested", "feedback_closed", "conflict"]
    detail: str


def judge(
    *, known: str | None, said: FeedbackStatus, dispatched_at: datetime | None, now: datetime
) -> NotTaken | None:
    """Return why `said` is not taken of a message whose feedback is `known`; None if it is, or is known."""
    if known is None:
        return NotTaken("feedback_not_requested", "The message was sent without `feedback: true`.")
    if known == said:
        return None
    if dispatched_at is None:
        return NotTaken("conflict", "The message has not left, so nobody can have used it.")
    if now - dispatched_at > WINDOW:
        return NotTaken("feedback_closed", "More than an hour has passed since the message left.")
    if known != "pending":
        return NotTaken("conflict", f"Its feedback is `{known}` already.")
    return None


async def give(
    scope: TenantScope, session: AsyncSession, message_id: UUID, said: FeedbackStatus, *, now: datetime
) -> Given | NotTaken | None:
    """Take feedback on a message; None if it is absent or someone else's."""
    message = await store.get(scope, session, message_id, lock=True)
    if message is None:
        return None
    refused = judge(known=message.feedback, said=said, dispatched_at=message.dispatched_at, now=now)
    if refused is not None:
        return refused
    if message.feedback == said:
        return Given(message, None)
    message.feedback = said
    message.sequence += 1
    await session.flush()
    await _order(session, message, said, now)
    return Given(message, _event(message))


async def _order(session: AsyncSession, message: Message, said: FeedbackStatus, now: datetime) -> None:
    """Have AWS told; what the sandbox carried concerns nobody else."""
    if message.account_id is None or message.provider_message_id is None or message.dispatched_at is None:
        return
    order = {
        "tenant_id": message.tenant_id,
        "message_id": message.id,
        "account_id": message.account_id,
        "provider_message_id": message.provider_message_id,
        "status": said,
        "due_at": now,
        "closes_at": message.dispatched_at + WINDOW,
    }
    await session.execute(insert(FeedbackOrder).values(order))


def _event(message: Message) -> msgspec.Raw:
    reason = (message.reason_code, message.reason_detail or "") if message.reason_code else None
    return describe_change(
        status=message.status,
        reason=reason,
        attempts=message.attempts,
        unit=message.unit,
        price_estimated=message.price_estimated,
        price_final=message.price_final,
        carrier=message.carrier,
        dispatched_at=message.dispatched_at,
        final_at=message.final_at,
        provider_message_id=message.provider_message_id,
        provider_status=message.provider_status,
        resend_of_unknown=message.resend_of_unknown,
        feedback=message.feedback,
    )
