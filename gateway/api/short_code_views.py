"""Short codes as the wire shows them, and the pack as a page to print."""

from datetime import datetime
from html import escape
from itertools import groupby
from typing import Final, cast

from msgspec import Struct

from gateway.messages.view import timestamp
from tenants.ids import encode
from tenants.registrations.linting.draft import Finding
from tenants.shortcodes.models import ShortCode
from tenants.shortcodes.pack import Answered, Pack
from tenants.shortcodes.stages import STAGE_NAMES, STAGES, Owner, StageName

_STYLE: Final = "body{font:11pt serif;max-width:45em;margin:auto}dt{font-weight:bold}dd{white-space:pre-wrap}"


class StageLine(Struct, frozen=True, kw_only=True):
    """One stage that was entered."""

    stage: str
    at: str
    by: str
    note: str | None


class ShortCodeView(Struct, frozen=True, kw_only=True):
    """A short code on its way."""

    id: str
    """`sc_…`"""
    tenant_id: str
    name: str
    country: str
    stage: StageName
    step: int
    """Which of the twelve stages it is, from 1."""
    owner: Owner
    """Who has it: `operator`, `tenant`, `aws`, `registrar`, `carriers`, or `nobody` when it is active."""
    next_action: str
    days_in_stage: int
    overdue: bool
    """Whether the stage has lasted longer than usual; the operator's inbox says so, too."""
    support_case: str | None
    code: str | None
    billing_started_at: str | None
    history: list[StageLine]
    created_at: str


class PackView(Struct, frozen=True, kw_only=True):
    """The application, answered as far as it is known."""

    short_code_id: str
    country: str
    complete: bool
    """Whether no required answer is blank; else there is nothing to export."""
    blank: list[str]
    """Keys of what is missing."""
    fields: list[Answered]
    findings: list[Finding]
    """What reviewers would object to, each with its fix."""


def short_code_view(row: ShortCode, *, now: datetime) -> ShortCodeView:
    """Return a short code with its age."""
    name = cast("StageName", row.stage)
    stage, age = STAGES[name], now - row.stage_since
    return ShortCodeView(
        id=encode("sc", row.id),
        tenant_id=encode("ten", row.tenant_id),
        name=row.name,
        country=row.country,
        stage=name,
        step=STAGE_NAMES.index(name) + 1,
        owner=stage.owner,
        next_action=stage.next_action,
        days_in_stage=max(age.days, 0),
        overdue=age >= stage.patience,
        support_case=row.support_case,
        code=row.code,
        billing_started_at=timestamp(row.billing_started_at),
        history=[StageLine(**each) for each in row.history],
        created_at=timestamp(row.created_at) or "",
    )


def pack_view(row: ShortCode, pack: Pack) -> PackView:
    """Return the application."""
    blank = [each.key for each in pack.blank]
    return PackView(
        short_code_id=encode("sc", row.id),
        country=row.country,
        complete=not blank,
        blank=blank,
        fields=pack.fields,
        findings=pack.findings,
    )


def printed(row: ShortCode, pack: Pack) -> str:
    """Return the application as a page to print or to attach to the support case."""
    title = escape(f"Short code application: {row.name}, {row.country}")
    parts = [f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>']
    parts.append(f"<style>{_STYLE}</style><h1>{title}</h1>")
    for section, fields in groupby(pack.fields, key=lambda each: each.section):
        parts.append(f"<h2>{escape(section)}</h2><dl>")
        parts += [f"<dt>{escape(each.title)}</dt><dd>{escape(each.value or 'N/A')}</dd>" for each in fields]
        parts.append("</dl>")
    return "\n".join([*parts, "</html>", ""])
