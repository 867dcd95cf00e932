"""Who is told of a registration: the tenant's endpoints, and the operator where a person is needed."""

from typing import Final

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.webhooks.announcements import announce
from tenants.ids import encode
from tenants.inbox import service as inbox
from tenants.registrations.denials import Denial
from tenants.registrations.models import Registration
from tenants.scope import TenantScope

STALE: Final = "registration.stale"
BLOCKED: Final = "registration.blocked"
REQUIRES_UPDATES: Final = "registration.requires_updates"
AUTHENTICATION: Final = "registration.requires_authentication"
CLOSED: Final = "registration.closed"
_CHANGED: Final = "registration.status_changed"
_TELLING: Final = {
    "requires_updates": (REQUIRES_UPDATES, "was denied; the reasons say what to change in a new version"),
    "requires_authentication": (
        AUTHENTICATION,
        "waits for the mail that verifies the company: somebody there has to click its link",
    ),
    "closed": (CLOSED, "was closed at AWS; its sender is gone"),
}


class RegistrationChanged(Struct, frozen=True, kw_only=True):
    """Data of `registration.status_changed`."""

    registration_id: str
    name: str
    type: str
    version: int
    previous: str
    status: str
    reasons: list[Denial] = []
    """Why it was denied, each with what it means and what to change."""
    detail: str | None = None
    """What AWS said no to, where the gateway took it back to a draft."""


async def tell(
    scope: TenantScope,
    session: AsyncSession,
    row: Registration,
    *,
    previous: str,
    reasons: list[Denial] | None = None,
    detail: str | None = None,
) -> None:
    """Write the event and the inbox task of a change, in the transaction that makes it."""
    if previous == row.status:
        return
    told = RegistrationChanged(
        registration_id=encode("reg", row.id),
        name=row.name,
        type=row.type,
        version=row.version,
        previous=previous,
        status=row.status,
        reasons=reasons or [],
        detail=detail,
    )
    await announce(scope, session, _CHANGED, told)
    for status, (kind, _) in _TELLING.items():
        if status == previous:
            await inbox.settle(
                session,
                kind=kind,
                subject=told.registration_id,
                tenant_id=scope.tenant_id,
                note=f"it is {row.status} now",
            )
    if row.status != "submitted":
        await settle_stale(scope, session, row)
    if (known := _TELLING.get(row.status)) is not None:
        task = inbox.Task(
            kind=known[0],
            subject=told.registration_id,
            summary=f"Registration {row.name} ({row.type}) {known[1]}.",
            tenant_id=scope.tenant_id,
            detail={"version": row.version, "reasons": [each.code for each in told.reasons]},
        )
        await inbox.post(session, task)


async def settle_stale(scope: TenantScope, session: AsyncSession, row: Registration) -> None:
    """Close the alarm of a submission that was taken up."""
    await inbox.settle(
        session,
        kind=STALE,
        subject=encode("reg", row.id),
        tenant_id=scope.tenant_id,
        note=f"it is {row.status} now",
    )


async def post_stale(scope: TenantScope, session: AsyncSession, row: Registration) -> None:
    """Alarm the operator of a submission that nobody took up in a day, with the text for AWS's support."""
    submitted = "" if row.submitted_at is None else row.submitted_at.isoformat(timespec="seconds")
    text = (
        f"Registration {row.aws_id} of type {row.type}, version {row.version}, was submitted at {submitted} "
        f"by SubmitRegistrationVersion and still shows {row.aws_status or 'CREATED'} more than 24 hours "
        "later. Please check that it was handed to the registrar and tell us what is missing."
    )
    task = inbox.Task(
        kind=STALE,
        subject=encode("reg", row.id),
        summary=f"Nobody has taken up registration {row.name} in 24 hours; open a support case.",
        tenant_id=scope.tenant_id,
        detail={"support_text": text, "aws_registration_id": row.aws_id},
    )
    await inbox.post(session, task)


async def post_blocked(scope: TenantScope, session: AsyncSession, row: Registration, detail: str) -> None:
    """Ask the operator for what only it can change: a quota, a permission, the account."""
    task = inbox.Task(
        kind=BLOCKED,
        subject=encode("reg", row.id),
        summary=f"Registration {row.name} cannot go on: {detail}",
        tenant_id=scope.tenant_id,
        detail={"step": row.begun},
    )
    await inbox.post(session, task)


async def settle_blocked(scope: TenantScope, session: AsyncSession, row: Registration) -> None:
    """Close that request once the step went through."""
    await inbox.settle(
        session,
        kind=BLOCKED,
        subject=encode("reg", row.id),
        tenant_id=scope.tenant_id,
        note="the step went through",
    )
