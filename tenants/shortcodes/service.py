"""What the operator does with short codes, and what their tenant sees."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.audit import store as audit
from tenants.errors import InvalidInputs, NotFound
from tenants.ids import encode, new_uuid
from tenants.registrations.checking import Value
from tenants.registrations.models import Registration, RegistrationVersion
from tenants.scope import TenantScope
from tenants.shortcodes.models import ShortCode
from tenants.shortcodes.pack import Question, check_answers
from tenants.shortcodes.stages import StageName, check_move


async def request(
    scope: TenantScope,
    session: AsyncSession,
    *,
    country: str,
    name: str,
    support_case: str | None,
    now: datetime,
) -> ShortCode:
    """Write down that a short code was asked for."""
    row = ShortCode(
        tenant_id=scope.tenant_id,
        id=new_uuid(),
        country=country,
        name=name,
        support_case=support_case,
        stage="requested",
        stage_since=now,
        answers={},
        history=[_line("requested", now, audit.actor(scope), None)],
    )
    session.add(row)
    await session.flush()
    await session.refresh(row)
    await _note(scope, session, row, "short_code.requested")
    return row


async def get(scope: TenantScope, session: AsyncSession, code_id: UUID, *, lock: bool = False) -> ShortCode:
    """
    Return a short code.

    Raises:
        NotFound: The tenant has none of this id.
    """
    query = select(ShortCode).where(ShortCode.tenant_id == scope.tenant_id, ShortCode.id == code_id)
    row = await session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise NotFound("short code")
    return row


async def page(
    scope: TenantScope, session: AsyncSession, *, limit: int, after: UUID | None
) -> Sequence[ShortCode]:
    """Return short codes of one tenant, the newest first."""
    of_tenant = _newest(limit, after).where(ShortCode.tenant_id == scope.tenant_id)
    return (await session.scalars(of_tenant)).all()


async def page_of_all(session: AsyncSession, *, limit: int, after: UUID | None) -> Sequence[ShortCode]:
    """Return short codes of all tenants, the newest first; needs the operator's session."""
    return (await session.scalars(_newest(limit, after))).all()


def _newest(limit: int, after: UUID | None) -> Select[ShortCode]:
    query = select(ShortCode).order_by(ShortCode.id.desc()).limit(limit)
    return query if after is None else query.where(ShortCode.id < after)


async def answer(
    scope: TenantScope,
    session: AsyncSession,
    code_id: UUID,
    wanted: Iterable[Question],
    answers: Mapping[str, str | None],
) -> ShortCode:
    """
    Change answers of the pack; None takes one back.

    Raises:
        NotFound: The tenant has no such short code.
        InvalidInputs: A key or a value does not fit; nothing is changed.
    """
    row = await get(scope, session, code_id, lock=True)
    faults = check_answers(wanted, answers)
    if faults:
        raise InvalidInputs("validation_failed", "Some answers do not fit; none was stored.", tuple(faults))
    merged = {**row.answers, **answers}
    row.answers = {key: value for key, value in merged.items() if value is not None}
    await session.flush()
    await _note(scope, session, row, "short_code.answered")
    return row


async def move(
    scope: TenantScope,
    session: AsyncSession,
    code_id: UUID,
    stage: StageName,
    *,
    note: str | None,
    code: str | None,
    billing_started_at: datetime | None,
    now: datetime,
) -> ShortCode:
    """
    Put a short code into a stage.

    Raises:
        NotFound: The tenant has no such short code.
        Conflict: It is active already, or in that stage.
    """
    row = await get(scope, session, code_id, lock=True)
    check_move(cast("StageName", row.stage), stage)
    row.stage, row.stage_since = stage, now
    row.history = [*row.history, _line(stage, now, audit.actor(scope), note)]
    row.code = code or row.code
    row.billing_started_at = billing_started_at or row.billing_started_at
    await session.flush()
    await _note(scope, session, row, "short_code.moved")
    return row


async def registered_values(scope: TenantScope, session: AsyncSession) -> dict[str, Value]:
    """Return what the tenant's registrations say, by the last part of a field's path; newer ones win."""
    query = (
        select(RegistrationVersion.filled)
        .join(
            Registration,
            (Registration.tenant_id == RegistrationVersion.tenant_id)
            & (Registration.id == RegistrationVersion.registration_id)
            & (Registration.version == RegistrationVersion.version),
        )
        .where(RegistrationVersion.tenant_id == scope.tenant_id, Registration.status != "deleted")
        .order_by(RegistrationVersion.created_at)
    )
    found: dict[str, Value] = {}
    for filled in await session.scalars(query):
        found |= {path.rpartition(".")[2]: value for path, value in filled.items()}
    return found


def _line(stage: str, at: datetime, by: str, note: str | None) -> dict[str, str | None]:
    return {"stage": stage, "at": at.isoformat(timespec="milliseconds"), "by": by, "note": note}


async def _note(scope: TenantScope, session: AsyncSession, row: ShortCode, action: str) -> None:
    detail = {"stage": row.stage, "country": row.country}
    await audit.append(scope, session, action=action, subject=encode("sc", row.id), detail=detail)
