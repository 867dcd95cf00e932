"""What a tenant, or the operator on its behalf, does with its registrations."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts import service as accounts
from tenants.accounts.sealing import DataKey
from tenants.audit import store as audit
from tenants.errors import Conflict, InvalidInput, InvalidInputs, NotFound
from tenants.ids import decode, encode, new_uuid
from tenants.registrations import store
from tenants.registrations.attached_files import CleanFile
from tenants.registrations.checking import Value, attachment_ids, checked, incomplete, pointer
from tenants.registrations.costs import cost_of
from tenants.registrations.forms import Form
from tenants.registrations.models import Registration, RegistrationAttachment, RegistrationVersion
from tenants.registrations.moving import move
from tenants.registrations.saga import Goal
from tenants.registrations.sealed_files import sealed
from tenants.scope import TenantScope

_FAULTY: Final = "validation_failed"
_FIXED_BY_APPROVAL: Final = frozenset({"messageType"})
"""Last parts of field paths."""
_APPROVED: Final = frozenset({"approved", "archived"})
_NAMES: Final = frozenset({"companyName", "doingBusinessAs"})
_UNDER_REVIEW: Final = "a submitted registration cannot be changed until it is decided on"
_CHANGED: Final = "the values are not those of the `edition` sent: somebody changed them meanwhile"


class NewRegistration(Struct, frozen=True, kw_only=True):
    """A registration to be."""

    name: str
    reference: str | None = None
    parent_id: UUID | None = None
    number_terms: dict[str, Any] = {}
    values: Mapping[str, Value | None] = {}


class RegistrationView(Struct, frozen=True, kw_only=True):
    """A registration and its current version."""

    row: Registration
    current: RegistrationVersion


async def get(
    scope: TenantScope, session: AsyncSession, registration_id: UUID, *, lock: bool = False
) -> RegistrationView:
    """
    Return a registration.

    Raises:
        NotFound: The tenant has none of this id.
    """
    row = await store.get(scope, session, registration_id, lock=lock)
    if row is None:
        raise NotFound("registration")
    return RegistrationView(row=row, current=await store.version(scope, session, row))


async def create(
    scope: TenantScope, session: AsyncSession, form: Form, new: NewRegistration
) -> RegistrationView:
    """
    Open a registration, a draft.

    Raises:
        InvalidInputs: Values do not fit the form.
        InvalidInput: The parent is missing, or of no use to this type.
        NotFound: The tenant has no such parent.
    """
    await _check_parent(scope, session, form, new.parent_id)
    row = Registration(
        tenant_id=scope.tenant_id,
        id=new_uuid(),
        type=form.type.type,
        name=new.name,
        reference=new.reference,
        parent_id=new.parent_id,
        number_terms=new.number_terms,
        created_by=audit.actor(scope),
    )
    session.add(row)
    await session.flush()
    current = RegistrationVersion(tenant_id=scope.tenant_id, registration_id=row.id, version=1, filled={})
    session.add(current)
    await session.flush()
    await _note(scope, session, row, "registration.created", {"type": row.type})
    view = await get(scope, session, row.id, lock=True)
    return await _filled(scope, session, form, view, new.values) if new.values else view


def edition_of(version: RegistrationVersion) -> str:
    """Return what tells the values as they are from those before any change; it means nothing else."""
    said = msgspec.json.encode([version.version, version.filled], order="sorted")
    return sha256(said).hexdigest()[:16]


async def fill(
    scope: TenantScope,
    session: AsyncSession,
    form: Form,
    registration_id: UUID,
    changes: Mapping[str, Value | None],
    *,
    now: datetime,
    edition: str | None = None,
) -> RegistrationView:
    """
    Change values of the draft; None empties a field. One that is ready becomes a draft again.

    Args:
        edition: Of the values that the caller saw last; None writes whatever is there.

    Raises:
        NotFound: The tenant has no such registration, or no such attachment.
        InvalidInputs: Values do not fit the form; nothing is changed.
        Conflict: It is with the reviewers, or decided; or somebody changed the values meanwhile.
    """
    view = await get(scope, session, registration_id, lock=True)
    if edition is not None and edition != edition_of(view.current):
        raise Conflict("registration_changed", _CHANGED)
    if view.row.status == "ready" or (view.row.status == "preparing" and view.row.due_at is None):
        await move(scope, session, view.row, "draft", by=audit.actor(scope), now=now)
    if view.row.status != "draft":
        raise Conflict("registration_state", _UNDER_REVIEW)
    return await _filled(scope, session, form, view, changes)


async def start(
    scope: TenantScope,
    session: AsyncSession,
    form: Form,
    registration_id: UUID,
    goal: Goal,
    *,
    now: datetime,
) -> RegistrationView:
    """
    Let the gateway bring a draft to AWS: up to the review, or to its submission.

    Raises:
        NotFound: The tenant has no such registration.
        InvalidInputs: A field is missing or wrong.
        Conflict: It is under way or with the reviewers; its cost was not confirmed; what it builds on is
            not complete yet; or the tenant is closed.
    """
    await accounts.check_open(scope, session)
    view = await get(scope, session, registration_id, lock=True)
    row = view.row
    if row.status == "ready" and goal == "review":
        return view
    faults = incomplete(form, view.current.filled)
    if faults:
        raise InvalidInputs(_FAULTY, "The form is not complete.", tuple(faults))
    if goal == "submit":
        _check_cost_confirmed(form, row)
        await _check_parent_complete(scope, session, row)
    if row.status == "draft":
        await move(scope, session, row, "preparing", by=audit.actor(scope), now=now)
    elif row.status == "ready":
        await move(scope, session, row, "submitting", by=audit.actor(scope), now=now)
    elif row.status != "preparing":
        raise Conflict("registration_state", f"a registration that is {row.status} cannot be submitted")
    row.goal, row.due_at, row.fault, row.tries = goal, now, None, 0
    await session.flush()
    return view


async def confirm_cost(
    scope: TenantScope, session: AsyncSession, registration_id: UUID, *, now: datetime
) -> RegistrationView:
    """
    Allow the number to be requested, from which moment it costs.

    Raises:
        NotFound: The tenant has no such registration.
        Conflict: The tenant is closed.
    """
    await accounts.check_open(scope, session)
    view = await get(scope, session, registration_id, lock=True)
    if view.row.cost_confirmed_at is None:
        view.row.cost_confirmed_at, view.row.cost_confirmed_by = now, audit.actor(scope)
        if view.row.status in {"preparing", "complete"}:
            view.row.due_at = now
        await session.flush()
        await _note(scope, session, view.row, "registration.cost_confirmed", {})
    return view


async def new_version(
    scope: TenantScope, session: AsyncSession, registration_id: UUID, *, now: datetime
) -> RegistrationView:
    """
    Begin another version with the values of the last one; AWS begins it empty, so each is put again.

    Raises:
        NotFound: The tenant has no such registration.
        Conflict: It is neither to be updated nor complete.
    """
    view = await get(scope, session, registration_id, lock=True)
    if view.row.status not in {"requires_updates", "complete"}:
        raise Conflict(
            "registration_state", f"a registration that is {view.row.status} takes no new version now"
        )
    await move(scope, session, view.row, "draft", by=audit.actor(scope), now=now)
    view.row.version += 1
    current = RegistrationVersion(
        tenant_id=scope.tenant_id,
        registration_id=view.row.id,
        version=view.row.version,
        filled=dict(view.current.filled),
    )
    session.add(current)
    await session.flush()
    return await get(scope, session, registration_id)


async def discard(
    scope: TenantScope, session: AsyncSession, registration_id: UUID, *, now: datetime
) -> RegistrationView:
    """
    Give a draft up, which AWS knows nothing of.

    Raises:
        NotFound: The tenant has no such registration.
        Conflict: It is not a draft, or AWS has it already.
    """
    view = await get(scope, session, registration_id, lock=True)
    if view.row.status != "draft" or view.row.aws_id is not None:
        detail = "only a draft that AWS knows nothing of can be given up; the operator closes the others"
        raise Conflict("registration_state", detail)
    await move(scope, session, view.row, "deleted", by=audit.actor(scope), now=now)
    view.row.due_at, view.row.reference = None, None
    await session.flush()
    return view


async def add_attachment(
    scope: TenantScope, session: AsyncSession, key: DataKey, file: CleanFile, *, name: str
) -> RegistrationAttachment:
    """Keep a file for forms, sealed; the same bytes again are the same attachment."""
    digest = sha256(file.content).digest()
    known = await store.attachment_like(scope, session, digest)
    if known is not None:
        return known
    attachment_id = new_uuid()
    row = RegistrationAttachment(
        tenant_id=scope.tenant_id,
        id=attachment_id,
        name=name,
        content_type=file.content_type,
        size_bytes=len(file.content),
        sha256=digest,
        content=sealed(file, attachment_id, key),
        sealed=True,
    )
    session.add(row)
    await session.flush()
    await session.refresh(row, ["created_at", "aws_ids"])
    detail = {"content_type": row.content_type, "size_bytes": row.size_bytes}
    await audit.append(
        scope, session, action="attachment.added", subject=encode("att", row.id), detail=detail
    )
    return row


async def registered_names(scope: TenantScope, session: AsyncSession, row: Registration) -> tuple[str, ...]:
    """Return the names in the registration that this builds on: a campaign's texts bear its brand's."""
    if row.parent_id is None:
        return ()
    filled = (await get(scope, session, row.parent_id)).current.filled
    named = (value for path, value in filled.items() if path.rpartition(".")[2] in _NAMES)
    return tuple(value for value in named if isinstance(value, str))


async def _filled(
    scope: TenantScope,
    session: AsyncSession,
    form: Form,
    view: RegistrationView,
    changes: Mapping[str, Value | None],
) -> RegistrationView:
    stored, faults = checked(form, changes)
    faults += await _foreign_attachments(scope, session, form, stored)
    faults += await _changes_of_the_approved(scope, session, view, stored)
    if faults:
        raise InvalidInputs(_FAULTY, "Some values do not fit the form; none was stored.", tuple(faults))
    values = {**view.current.filled, **stored}
    view.current.filled = {path: value for path, value in values.items() if value is not None}
    await session.flush()
    await _note(scope, session, view.row, "registration.filled", {"fields": sorted(stored)})
    return view


async def _foreign_attachments(
    scope: TenantScope, session: AsyncSession, form: Form, values: Mapping[str, Value | None]
) -> list[InvalidInput]:
    given = {path: value for path, value in values.items() if value is not None}
    named = {path: decode("att", value) for path, value in attachment_ids(form, given).items()}
    known = {row.id for row in await store.attachments(scope, session, set(named.values()))}
    return [
        InvalidInput(pointer(path), "no_such_attachment", "there is no such attachment")
        for path, attachment_id in named.items()
        if attachment_id not in known
    ]


async def _changes_of_the_approved(
    scope: TenantScope, session: AsyncSession, view: RegistrationView, changes: Mapping[str, Value | None]
) -> list[InvalidInput]:
    """A campaign's message type is fixed once approved: its number was requested for that one."""
    touched = [path for path in changes if path.rpartition(".")[2] in _FIXED_BY_APPROVAL]
    if not touched or view.row.version == 1:
        return []
    earlier = await store.versions(scope, session, view.row.id)
    approved = next((each for each in reversed(earlier) if each.status in _APPROVED), None)
    return [
        InvalidInput(
            pointer(path), "fixed", "fixed since the approval; register another campaign for another"
        )
        for path in touched
        if approved is not None and approved.filled.get(path) != changes[path]
    ]


async def _check_parent(
    scope: TenantScope, session: AsyncSession, form: Form, parent_id: UUID | None
) -> None:
    needed = form.type.needs_before_submit("REGISTRATION")
    if parent_id is None and needed:
        detail = "name the registration that this one builds on, such as the brand of a campaign"
        raise InvalidInput("/parent", "required", detail)
    if parent_id is not None:
        if not needed:
            raise InvalidInput("/parent", "not_needed", f"{form.type.type} builds on no other registration")
        await get(scope, session, parent_id)


async def _check_parent_complete(scope: TenantScope, session: AsyncSession, row: Registration) -> None:
    """Brand, then its vetting, then campaigns: reviewers turn down what builds on an open one."""
    if row.parent_id is None:
        return
    parent = (await get(scope, session, row.parent_id)).row
    if parent.status != "complete":
        detail = f"{parent.name}, which this builds on, is {parent.status}; submit this once it is complete"
        raise Conflict("registration_state", detail)


def _check_cost_confirmed(form: Form, row: Registration) -> None:
    cost = cost_of(form.type)
    if (
        cost is not None
        and cost.before == "submit"
        and row.cost_confirmed_at is None
        and row.number_id is None
    ):
        detail = (
            f"At AWS {cost.monthly_usd} USD a month and {cost.once_usd} USD once; what the plan makes of it "
            f"is in the registration's `cost`. {cost.warning} Confirm with POST …/confirm-cost."
        )
        raise Conflict("cost_not_confirmed", detail)


async def _note(
    scope: TenantScope, session: AsyncSession, row: Registration, action: str, detail: dict[str, Any]
) -> None:
    await audit.append(scope, session, action=action, subject=encode("reg", row.id), detail=detail)
