"""What becomes of a version that was handed in: approved, rejected, retired, restored."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from tenants.errors import Conflict, InvalidInput
from tenants.scope import TenantScope
from tenants.templates import authoring
from tenants.templates.authoring import VersionState
from tenants.templates.models import TemplateVersion
from tenants.templates.versions import Decider, TemplateView, locked, move, numbered

_MAX_REASON: Final = 1000


async def approve(
    scope: TenantScope,
    session: AsyncSession,
    template_id: UUID,
    *,
    now: datetime,
    version: int | None = None,
    keep_older: bool = True,
) -> TemplateView:
    """
    Allow a submitted version to be sent; the operator's decision, the only submitted one by default.

    Older approved versions stay sendable by number until they are retired; without `keep_older` at once.

    Raises:
        NotFound: The tenant has no such template or version.
        Conflict: No version waits for a decision, or several do and none is named.
    """
    view = await locked(scope, session, template_id)
    chosen = _submitted(view, version, "approved")
    _refuse_superseded(view, chosen)
    if not keep_older:
        await _retire_older(scope, session, view, now)
    await move(scope, session, view, chosen, "approved", by="operator", now=now)
    return view


async def reject(
    scope: TenantScope,
    session: AsyncSession,
    template_id: UUID,
    *,
    reason: str,
    now: datetime,
    version: int | None = None,
) -> TemplateView:
    """
    Refuse a submitted version and say why; the operator's decision, the only submitted one by default.

    Raises:
        InvalidInput: The reason is missing or too long.
        NotFound: The tenant has no such template or version.
        Conflict: No version waits for a decision, or several do and none is named.
    """
    if not reason.strip() or len(reason) > _MAX_REASON:
        detail = f"a reason has 1 to {_MAX_REASON} characters; the author has to know what to change"
        raise InvalidInput("/reason", "invalid_reason", detail)
    view = await locked(scope, session, template_id)
    chosen = _submitted(view, version, "rejected")
    chosen.rejection_reason = reason
    await move(scope, session, view, chosen, "rejected", by="operator", now=now)
    return view


async def retire(
    scope: TenantScope, session: AsyncSession, template_id: UUID, version: int, *, by: Decider, now: datetime
) -> TemplateView:
    """
    Stop an approved version from being sent; what was accepted before is still delivered.

    Raises:
        NotFound: The tenant has no such template or version.
        Conflict: The version is not approved.
    """
    view = await locked(scope, session, template_id)
    chosen = numbered(view, version)
    authoring.check_move(chosen.state, "retired")
    await move(scope, session, view, chosen, "retired", by=by, now=now)
    return view


async def restore(
    scope: TenantScope, session: AsyncSession, template_id: UUID, version: int, *, by: Decider, now: datetime
) -> TemplateView:
    """
    Make a retired version sendable again, as it was approved; a tenant only what it retired itself.

    Raises:
        NotFound: The tenant has no such template or version.
        Conflict: The version is not retired, or the operator retired it.
    """
    view = await locked(scope, session, template_id)
    chosen = numbered(view, version)
    if chosen.state != "retired":
        detail = f"a version that is {chosen.state} cannot be restored; only a retired one can"
        raise Conflict("template_state", detail)
    if by == "tenant" and chosen.decided_by != "tenant":
        detail = "the operator's decision retired this version; write it again and submit it"
        raise Conflict("template_state", detail)
    await move(scope, session, view, chosen, "approved", by=by, now=now)
    return view


def _submitted(view: TemplateView, version: int | None, wanted: VersionState) -> TemplateVersion:
    if version is None:
        waiting = [row for row in view.versions if row.state == "submitted"]
        if not waiting:
            raise Conflict("template_state", "no version of this template waits for a decision")
        if len(waiting) > 1:
            numbers = ", ".join(str(row.version) for row in waiting)
            detail = f"versions {numbers} wait for a decision; say with version which of them was read"
            raise Conflict("template_state", detail)
        return waiting[0]
    chosen = numbered(view, version)
    authoring.check_move(chosen.state, wanted)
    return chosen


def _refuse_superseded(view: TemplateView, chosen: TemplateVersion) -> None:
    in_force = view.in_force
    if in_force is not None and in_force.version > chosen.version:
        raise Conflict("newer_version_approved", f"version {in_force.version} is approved already")


async def _retire_older(scope: TenantScope, session: AsyncSession, view: TemplateView, now: datetime) -> None:
    for row in view.versions:
        if row.state == "approved":
            await move(scope, session, view, row, "retired", by="operator", now=now)
