"""Registrations as the wire shows them."""

from typing import Any

from msgspec import Struct

from gateway.api.registration_costs import CostView
from gateway.intake.outcome import FieldFault
from gateway.messages.view import timestamp
from tenants.ids import encode
from tenants.registrations.checking import Value, incomplete
from tenants.registrations.forms import Form
from tenants.registrations.models import (
    Registration,
    RegistrationAttachment,
    RegistrationMove,
    RegistrationVersion,
)
from tenants.registrations.service import RegistrationView as Stored
from tenants.registrations.service import edition_of


class ReasonView(Struct, frozen=True, kw_only=True):
    """Why a version was denied."""

    code: str
    """Stable: `opt_in_unclear`, `website`, …; `other` where nothing more is known."""
    reason: str
    """The reviewer's own words."""
    means: str
    change: str
    """What to change in the next version."""
    field: str | None
    """Path of the denied field; null for the version as a whole."""


class FaultView(Struct, frozen=True, kw_only=True):
    """What AWS said no to before anything was submitted."""

    step: str
    code: str
    detail: str


class NumberView(Struct, frozen=True, kw_only=True):
    """The number that was requested for a registration."""

    phone_number: str
    monthly_usd: str | None
    """AWS's own price of it; null except for the operator. What the tenant pays is its plan's."""


class RegistrationSummary(Struct, frozen=True, kw_only=True):
    """One registration in a list."""

    id: str
    tenant_id: str
    name: str
    type: str
    reference: str | None
    status: str
    """`draft` to `submitting` are the gateway's; from `submitted` on they are AWS's, in lower case."""
    waiting_for: str | None
    """What somebody has to do: `you` to fill, `confirm_cost`, `review`, `reviewers`, `operator`, or null."""
    version: int
    fault: FaultView | None
    submitted_at: str | None
    changed_at: str
    created_at: str


class RegistrationView(RegistrationSummary, frozen=True, kw_only=True):
    """One registration with what is filled in."""

    values: dict[str, Value]
    """By field path: a text, a list of choices, or an `att_…`."""
    edition: str
    """Another one with every change of the values: `PUT …/fields` with it overwrites nobody's unseen."""
    missing: list[FieldFault]
    """What keeps it from being submitted."""
    cost: CostView | None
    """What it costs and has to be confirmed; null where nothing is known to."""
    cost_confirmed_at: str | None
    number: NumberView | None
    parent_id: str | None
    aws_registration_id: str | None
    aws_status: str | None
    reasons: list[ReasonView]
    feedback: str | None


class RegistrationVersionView(Struct, frozen=True, kw_only=True):
    """One filling of the form."""

    version: int
    status: str
    values: dict[str, Value]
    reasons: list[ReasonView]
    feedback: str | None
    created_at: str
    submitted_at: str | None
    decided_at: str | None


class MoveView(Struct, frozen=True, kw_only=True):
    """One change of state."""

    version: int
    before: str
    after: str
    by: str
    """A key's id, `operator`, `gateway` or `aws`."""
    at: str


class ReviewedField(Struct, frozen=True, kw_only=True):
    """One field as it was filled in and as AWS holds it."""

    path: str
    title: str
    section: str
    ours: Value | None
    aws: Value | None
    """An attachment by AWS's own id."""
    same: bool


class ReviewView(Struct, frozen=True, kw_only=True):
    """What AWS holds of the current version, asked now; print it before you submit."""

    registration_id: str
    status: str
    version: int
    same: bool
    """Whether AWS holds exactly what was filled in."""
    fields: list[ReviewedField]


class AttachmentView(Struct, frozen=True, kw_only=True):
    """A file for forms, as it was written anew."""

    id: str
    name: str
    content_type: str
    """Found from the bytes, whatever the request called it."""
    size_bytes: int
    sha256: str
    created_at: str


def summary_of(row: Registration) -> RegistrationSummary:
    """Return a registration as lists show it."""
    return RegistrationSummary(**_summary(row))


def view_of(stored: Stored, form: Form, cost: CostView | None, *, as_operator: bool) -> RegistrationView:
    """Return a registration with its values; what AWS charges is the operator's to know."""
    row, current = stored.row, stored.current
    number = None
    if row.number is not None:
        price = row.number_price or ""
        number = NumberView(phone_number=row.number, monthly_usd=price if as_operator else None)
    return RegistrationView(
        **_summary(row),
        values=current.filled,
        edition=edition_of(current),
        missing=[
            FieldFault(field=each.field, code=each.code, detail=each.detail)
            for each in incomplete(form, current.filled)
        ],
        cost=cost,
        cost_confirmed_at=timestamp(row.cost_confirmed_at),
        number=number,
        parent_id=None if row.parent_id is None else encode("reg", row.parent_id),
        aws_registration_id=row.aws_id,
        aws_status=row.aws_status,
        reasons=_reasons(current),
        feedback=current.feedback,
    )


def version_view(row: RegistrationVersion) -> RegistrationVersionView:
    """Return a version."""
    return RegistrationVersionView(
        version=row.version,
        status=row.status,
        values=row.filled,
        reasons=_reasons(row),
        feedback=row.feedback,
        created_at=timestamp(row.created_at) or "",
        submitted_at=timestamp(row.submitted_at),
        decided_at=timestamp(row.decided_at),
    )


def move_view(row: RegistrationMove) -> MoveView:
    """Return a move."""
    return MoveView(
        version=row.version, before=row.before, after=row.after, by=row.by, at=timestamp(row.at) or ""
    )


def attachment_view(row: RegistrationAttachment) -> AttachmentView:
    """Return an attachment's facts; its bytes are not given out again."""
    return AttachmentView(
        id=encode("att", row.id),
        name=row.name,
        content_type=row.content_type,
        size_bytes=row.size_bytes,
        sha256=row.sha256.hex(),
        created_at=timestamp(row.created_at) or "",
    )


def review_view(
    stored: Stored, form: Form, held: dict[str, Value], aws_ids: dict[str, str | None]
) -> ReviewView:
    """
    Return what was filled in beside what AWS holds.

    Args:
        aws_ids: AWS's id of each attachment that the values name.
    """
    fields: list[ReviewedField] = []
    for field in form.fields:
        ours, aws = stored.current.filled.get(field.path), held.get(field.path)
        if ours is None and aws is None:
            continue
        wanted = aws_ids.get(ours) if field.kind == "ATTACHMENT" and isinstance(ours, str) else ours
        fields.append(
            ReviewedField(
                path=field.path,
                title=field.title,
                section=field.section,
                ours=ours,
                aws=aws,
                same=aws is not None and wanted == aws,
            )
        )
    return ReviewView(
        registration_id=encode("reg", stored.row.id),
        status=stored.row.status,
        version=stored.row.version,
        same=bool(fields) and all(each.same for each in fields),
        fields=fields,
    )


def _summary(row: Registration) -> dict[str, Any]:
    fault = None if row.fault is None else FaultView(**row.fault)
    return {
        "id": encode("reg", row.id),
        "tenant_id": encode("ten", row.tenant_id),
        "name": row.name,
        "type": row.type,
        "reference": row.reference,
        "status": row.status,
        "waiting_for": _waiting_for(row),
        "version": row.version,
        "fault": fault,
        "submitted_at": timestamp(row.submitted_at),
        "changed_at": timestamp(row.changed_at) or "",
        "created_at": timestamp(row.created_at) or "",
    }


def _waiting_for(row: Registration) -> str | None:
    if row.status == "preparing" and row.due_at is None:
        return "confirm_cost"
    if row.status == "complete" and row.fault is not None:
        return "confirm_cost" if row.fault["step"] == "confirm_cost" else "operator"
    if row.status in {"submitted", "aws_reviewing", "reviewing"}:
        return "reviewers"
    named = {
        "draft": "you",
        "requires_updates": "you",
        "requires_authentication": "you",
        "ready": "review",
    }
    return named.get(row.status)


def _reasons(row: RegistrationVersion) -> list[ReasonView]:
    return [ReasonView(**each) for each in row.denials]
