"""
Answers, approval and going live. Callers bring the tenant's data key; every change is audited.

An answer that changes after the tenant asked for approval takes the approval back: what carriers were told
and what is true must not drift apart.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import structs
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts import service as accounts
from tenants.accounts.sealing import DataKey
from tenants.audit import store as audit
from tenants.errors import Conflict
from tenants.ids import encode
from tenants.inbox import service as inbox
from tenants.inbox.service import Task
from tenants.onboarding import store
from tenants.onboarding.models import Onboarding
from tenants.onboarding.prefilled import pages_of
from tenants.onboarding.relationship import Registrant, conflict_of, registrant_of
from tenants.onboarding.steps import Answers, Facts, checklist, complete_answers, left_to_do
from tenants.pages import service as pages
from tenants.scope import TenantScope

REVIEW: Final = "onboarding.review"
HANDED_IN: Final = "onboarding.handed_in"
UNDECIDED: Final = "onboarding.relationship"
_CONTEXT: Final = b"onboarding:"
_LIVE: Final = "the tenant is live; its registrations are changed one by one"


async def read(scope: TenantScope, session: AsyncSession, key: DataKey) -> tuple[Onboarding | None, Answers]:
    """Return the row, if there is one, and what was answered so far."""
    row = await store.get(scope, session)
    return row, opened(scope, row, key)


def facts_of(row: Onboarding | None) -> Facts:
    """Return what the row itself knows; registrations, senders and tests are the caller's to add."""
    if row is None:
        return Facts()
    return Facts(
        asked_at=row.asked_at,
        approved_at=row.approved_at,
        sent_back=row.sent_back,
        decided=row.decided,
        live=row.live_at is not None,
    )


async def answer(
    scope: TenantScope,
    session: AsyncSession,
    key: DataKey,
    given: Mapping[str, Any],
    *,
    version: int | None = None,
) -> tuple[Onboarding, Answers]:
    """
    Store answers by their names in `Answers`; the same ones again change nothing.

    Args:
        version: What the caller saw last; None writes whatever is there.

    Raises:
        Conflict: Somebody else answered meanwhile, or the tenant is live or closed.
    """
    row = await store.locked(scope, session)
    _check_version(row, version)
    before = opened(scope, row, key)
    after = structs.replace(before, **given)
    if after == before:
        return row, before
    if row.live_at is not None:
        raise Conflict("onboarding_not_ready", _LIVE)
    await accounts.check_open(scope, session)
    await _take_back(scope, session, row)
    row.answers_sealed = key.seal(msgspec.json.encode(after), context=answers_context(scope))
    row.version += 1
    if after.relationship != before.relationship:
        row.decided = None
        await _ask_to_decide(scope, session, after)
    await _note(scope, session, "answered", {"steps": sorted(given)})
    return row, after


async def ask(scope: TenantScope, session: AsyncSession, key: DataKey, *, at: datetime) -> Onboarding:
    """
    Ask the operator to approve the answers; asking again changes nothing.

    Raises:
        Conflict: A question is open, or the tenant is closed.
    """
    row = await store.locked(scope, session)
    answers = opened(scope, row, key)
    _check_complete(answers, row)
    if row.asked_at is None:
        await accounts.check_open(scope, session)
        row.asked_at, row.sent_back = at, None
        tenant = await accounts.get(scope, session)
        await inbox.post(
            session,
            Task(
                kind=REVIEW,
                subject=encode("ten", scope.tenant_id),
                tenant_id=scope.tenant_id,
                summary=f"{tenant.name} answered everything: approve its onboarding or send it back.",
            ),
        )
        await _note(scope, session, "asked")
    return row


async def approve(
    scope: TenantScope, session: AsyncSession, key: DataKey, *, at: datetime, version: int | None = None
) -> Onboarding:
    """
    Let registrations and provisioning begin; the brand and the countries become the tenant's.

    An operator that answered on the tenant's behalf need not ask itself first, and one that has sent the
    answers back may approve them after all.

    Args:
        version: What the operator saw; None approves whatever is there.

    Raises:
        Conflict: A question is open, or somebody answered since.
    """
    row = await store.locked(scope, session)
    _check_version(row, version)
    if row.approved_at is not None:
        return row
    _check_complete(opened(scope, row, key), row)
    row.asked_at, row.sent_back = row.asked_at or at, None
    answers = opened(scope, row, key)
    row.approved_at = at
    if answers.reach is not None:
        await accounts.update_countries(scope, session, answers.reach.countries)
    if answers.profile is not None and registrant(answers, row) == "tenant":
        await accounts.update_plan(scope, session, {"brands": [answers.profile.brand]})
        await _publish(scope, session, answers)
    await _settle(scope, session, REVIEW, "approved")
    await _settle(scope, session, HANDED_IN, "approved")
    await _note(scope, session, "approved")
    return row


async def _publish(scope: TenantScope, session: AsyncSession, answers: Answers) -> None:
    """Publish the hosted pages that the answers give; pages that the tenant wrote itself stay as they are."""
    if answers.legal is None or not answers.legal.hosted or await pages.read(scope, session) is not None:
        return
    settings = pages_of(answers)
    if settings is not None:
        await pages.write(scope, session, settings)


async def send_back(
    scope: TenantScope, session: AsyncSession, *, why: str, version: int | None = None
) -> Onboarding:
    """
    Ask the tenant for changes before anything is registered.

    Args:
        version: What the operator saw; None sends back whatever is there.

    Raises:
        Conflict: Somebody answered since, or the tenant has not asked, or is live.
    """
    row = await store.locked(scope, session)
    _check_version(row, version)
    if row.live_at is not None:
        raise Conflict("onboarding_not_ready", _LIVE)
    if row.asked_at is None:
        raise Conflict("onboarding_not_ready", "the tenant has not asked for approval yet")
    row.asked_at = row.approved_at = None
    row.sent_back = why
    await _settle(scope, session, REVIEW, "sent back")
    await _note(scope, session, "sent_back")
    return row


async def decide(
    scope: TenantScope,
    session: AsyncSession,
    key: DataKey,
    chosen: Registrant,
    *,
    version: int | None = None,
) -> Onboarding:
    """
    Say whose data is registered where the answers do not.

    Args:
        version: What the operator saw; None decides on whatever is there.

    Raises:
        Conflict: Somebody answered since, the relationship question is open, or its answer decides.
    """
    row = await store.locked(scope, session)
    _check_version(row, version)
    answers = opened(scope, row, key)
    if answers.relationship is None or registrant_of(answers.relationship) is not None:
        raise Conflict("onboarding_not_ready", "the relationship question is open, or its answer decides")
    row.decided = chosen
    await _settle(scope, session, UNDECIDED, chosen)
    await _note(scope, session, "decided", {"registrant": chosen})
    return row


async def go_live(
    scope: TenantScope, session: AsyncSession, answers: Answers, facts: Facts, *, at: datetime
) -> Onboarding:
    """
    Let live keys send; needs a worker's session.

    Raises:
        Conflict: A step before it is not done; names it.
    """
    row = await store.locked(scope, session)
    left = [step for step in checklist(answers, facts) if step.state != "done" and step.name != "live"]
    if left:
        raise Conflict("onboarding_not_ready", left_to_do(left[0]))
    if row.live_at is None:
        row.live_at = at
        await accounts.set_live(scope, session, live=True)
        await _note(scope, session, "went_live")
    return row


def _check_version(row: Onboarding, version: int | None) -> None:
    if version is not None and version != row.version:
        raise Conflict("answers_changed", "somebody else answered meanwhile; read the onboarding again")


def _check_complete(answers: Answers, row: Onboarding) -> None:
    if not complete_answers(answers, facts_of(row)):
        first = next(step for step in checklist(answers, facts_of(row)) if step.state != "done")
        raise Conflict("onboarding_not_ready", left_to_do(first))


def registrant(answers: Answers, row: Onboarding) -> str | None:
    """Return whose data is registered, `tenant` or `operator`; None while nobody has decided."""
    found = None if answers.relationship is None else registrant_of(answers.relationship)
    return found or row.decided


async def _take_back(scope: TenantScope, session: AsyncSession, row: Onboarding) -> None:
    if row.asked_at is not None or row.approved_at is not None:
        row.asked_at = row.approved_at = None
        await _settle(scope, session, REVIEW, "the answers changed")


async def _ask_to_decide(scope: TenantScope, session: AsyncSession, after: Answers) -> None:
    """Open or close the operator's task about a relationship that does not decide itself."""
    if after.relationship is None or registrant_of(after.relationship) is not None:
        await _settle(scope, session, UNDECIDED, "the answer decides")
        return
    await _settle(scope, session, UNDECIDED, "another answer")
    tenant, why = await accounts.get(scope, session), conflict_of(after.relationship)
    await inbox.post(
        session,
        Task(
            kind=UNDECIDED,
            subject=encode("ten", scope.tenant_id),
            tenant_id=scope.tenant_id,
            summary=f"{tenant.name}: decide whose data is registered; {why}.",
        ),
    )


async def _settle(scope: TenantScope, session: AsyncSession, kind: str, note: str) -> None:
    subject = encode("ten", scope.tenant_id)
    await inbox.settle(session, kind=kind, subject=subject, tenant_id=scope.tenant_id, note=note)


async def _note(
    scope: TenantScope, session: AsyncSession, what: str, detail: dict[str, Any] | None = None
) -> None:
    subject = encode("ten", scope.tenant_id)
    await audit.append(scope, session, action=f"onboarding.{what}", subject=subject, detail=detail)


def opened(scope: TenantScope, row: Onboarding | None, key: DataKey) -> Answers:
    """Return what was answered so far."""
    if row is None or row.answers_sealed is None:
        return Answers()
    told = key.open(row.answers_sealed, context=answers_context(scope))
    return msgspec.json.decode(told, type=Answers) if told else Answers()  # a forgotten key opens nothing


def answers_context(scope: TenantScope) -> bytes:
    """Return what binds sealed answers to their tenant."""
    return _CONTEXT + scope.tenant_id.bytes
