"""
Which step of a registration comes next. Pure.

The way of the seeds: 1 create the registration, 2 read its form, 3 upload attachments, 4 put each field,
5 request the number (from here on it costs), 6 tie it to the registration, 7 submit. Each step's result is
stored before the next one, so whoever comes after a crash asks this function again and goes on from there.
A 10DLC campaign has no number before its approval: request, tie and wait for ACTIVE come after it.
"""

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

from tenants.registrations.checking import Value, Values, attachment_ids
from tenants.registrations.forms import Form

Step = Literal[
    "create",
    "version",
    "attachment",
    "field",
    "unfill",
    "confirm_cost",
    "number",
    "associate",
    "review",
    "submit",
    "activate",
]
"""`confirm_cost` and `review` wait for a person; the others are calls."""
Goal = Literal["review", "submit"]

_NUMBER: Final = "PHONE_NUMBER"
_REGISTRATION: Final = "REGISTRATION"


class Progress(Struct, frozen=True, kw_only=True):
    """What AWS holds by now, as far as it was stored."""

    goal: Goal
    aws_id: str | None
    version: int
    aws_version: int | None
    values: Values
    put: Mapping[str, Value]
    """What was put at AWS, by field path."""
    uploaded: frozenset[str]
    """Attachments (`att_…`) that AWS has."""
    cost_confirmed: bool
    number_id: str | None
    parent_id: str | None
    """AWS's id of the registration that this one builds on."""
    associated: frozenset[str]
    """AWS's ids of what is tied to it."""
    number_active: bool = False
    """Whether the number was seen to be usable."""


class NextStep(Struct, frozen=True, kw_only=True):
    """One step, and what it is about: a field path, or an attachment."""

    step: Step
    subject: str = ""


def next_step(form: Form, progress: Progress) -> NextStep:
    """Return what is to be done next."""
    return _opening(progress) or _filling(form, progress) or _tying(form, progress) or _closing(progress)


def after_complete(form: Form, progress: Progress) -> NextStep | None:
    """Return what is to be done once a registration is complete, or None where nothing is."""
    if not form.type.number_after_complete:
        return None
    return _number(progress) or (
        None if progress.number_active else NextStep(step="activate", subject=progress.number_id or "")
    )


def _opening(progress: Progress) -> NextStep | None:
    if progress.aws_id is None:
        return NextStep(step="create")
    return NextStep(step="version") if progress.aws_version is None else None


def _filling(form: Form, progress: Progress) -> NextStep | None:
    for attachment in sorted(attachment_ids(form, progress.values).values()):
        if attachment not in progress.uploaded:
            return NextStep(step="attachment", subject=attachment)
    for field in form.fields:
        wanted, there = progress.values.get(field.path), progress.put.get(field.path)
        if wanted is not None and wanted != there:
            return NextStep(step="field", subject=field.path)
        if wanted is None and there is not None:
            return NextStep(step="unfill", subject=field.path)
    return None


def _tying(form: Form, progress: Progress) -> NextStep | None:
    if form.type.needs_before_submit(_REGISTRATION) and progress.parent_id not in progress.associated:
        return NextStep(step="associate", subject=progress.parent_id or "")
    return _number(progress) if form.type.needs_before_submit(_NUMBER) else None


def _number(progress: Progress) -> NextStep | None:
    if progress.number_id is None:
        return NextStep(step="number" if progress.cost_confirmed else "confirm_cost")
    if progress.number_id not in progress.associated:
        return NextStep(step="associate", subject=progress.number_id)
    return None


def _closing(progress: Progress) -> NextStep:
    return NextStep(step="submit" if progress.goal == "submit" else "review")
