"""
Asks AWS how registrations go, and writes down what changed.

One listing of an account covers all of its registrations. Reviews take days: AWS is asked once a minute
while something is with somebody, once an hour for what may still be closed or revoked, and an emulator all
the time.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from gateway.carrier.control import OpenControl
from gateway.carrier.registration_shapes import Held, Seen, SeenVersion
from gateway.carrier.registrations import AwsRefusal, AwsRegistrations
from gateway.clock import Clock
from gateway.db.transaction import worker_transaction
from gateway.errors import Unavailable
from gateway.registrations import notices
from gateway.registrations.forms import Forms
from gateway.registrations.sending import keep_number, keep_sender_ids
from tenants.errors import TenantsError
from tenants.ids import encode
from tenants.registrations import store
from tenants.registrations.denials import Denial, all_explained
from tenants.registrations.forms import Form
from tenants.registrations.lifecycle import AT_AWS, OPEN, Status, as_seen, is_stale
from tenants.registrations.models import Registration, RegistrationVersion
from tenants.registrations.moving import move
from tenants.scope import TenantScope
from tenants.senders import store as senders
from tenants.senders.models import AwsAccount, Sender

_log = structlog.get_logger(__name__)

_EVERY: Final = timedelta(seconds=60)
_EVERY_SETTLED: Final = timedelta(hours=1)
_SETTLED: Final = frozenset({"complete", "requires_updates"})
_BY: Final = "aws"


class RegistrationPoll:
    """One round at a time; several processes may, they only ask more often."""

    def __init__(self, engine: AsyncEngine, open_control: OpenControl, forms: Forms, clock: Clock) -> None:
        self._engine = engine
        self._open = open_control
        self._forms = forms
        self._clock = clock
        self._asked_at: dict[UUID, datetime] = {}

    async def look(self) -> int:
        """Ask every account that is due; returns how many registrations moved."""
        moved = 0
        async with worker_transaction(self._engine) as session:
            accounts = {each.id: each for each in await senders.accounts(session)}
            wanted = select(Registration).where(Registration.status.in_(sorted(OPEN | _SETTLED)))
            rows = (await session.scalars(wanted)).all()
        for account in accounts.values():
            theirs = [row for row in rows if row.account_id == account.id]
            if theirs and self._is_due(account, theirs):
                self._asked_at[account.id] = self._clock.now()
                moved += await self._ask(account, theirs)
        await self._alarm()
        return moved

    def _is_due(self, account: AwsAccount, rows: Sequence[Registration]) -> bool:
        if account.endpoint_url is not None:
            return True
        every = _EVERY if any(row.status in OPEN for row in rows) else _EVERY_SETTLED
        asked_at = self._asked_at.get(account.id)
        return asked_at is None or self._clock.now() - asked_at >= every

    async def _ask(self, account: AwsAccount, rows: Sequence[Registration]) -> int:
        moved = 0
        try:
            async with self._open(account) as control:
                aws = AwsRegistrations(control)
                seen = await aws.all()
                for row in rows:
                    shown = seen.get(row.aws_id or "")
                    if shown is not None and _differs(row, shown):
                        moved += await self._followed(aws, row, shown)
        except (AwsRefusal, Unavailable) as error:
            _log.warning("registrations_not_polled", account=account.name, error=str(error))
        return moved

    async def _followed(self, aws: AwsRegistrations, row: Registration, shown: Seen) -> int:
        """Follow one registration; what is wrong with it alone keeps nobody from following the others."""
        try:
            return await self._follow(aws, row, shown)
        except AwsRefusal as refusal:
            if refusal.whose == "passing":
                raise
            why = str(refusal)
        except TenantsError as error:
            why = str(error)
        _log.warning("registration_not_followed", registration_id=encode("reg", row.id), error=why)
        return 0

    async def _follow(self, aws: AwsRegistrations, row: Registration, shown: Seen) -> int:
        """Read the details of a change, then write it down in one transaction."""
        aws_id = shown.aws_id
        versions = await aws.versions(aws_id)
        denied = as_seen(shown.status, present=_status(row)) == "requires_updates"
        held = await aws.held(aws_id, version=versions[0].number) if denied else {}
        tied = await aws.tied(aws_id) if shown.status == "COMPLETE" else []
        form = await self._forms.form(row.type, withdrawn=True)
        scope = TenantScope(tenant_id=row.tenant_id)
        async with worker_transaction(self._engine) as session:
            fresh = await store.get(scope, session, row.id, lock=True)
            if fresh is None or fresh.status not in AT_AWS:
                return 0
            current = await store.version(scope, session, fresh)
            previous, status = fresh.status, as_seen(shown.status, present=_status(fresh))
            fresh.aws_status = shown.status
            denials = _write_version(current, versions, held, now=self._clock.now())
            if status == previous:
                return 0
            await move(scope, session, fresh, status, by=_BY, now=self._clock.now())
            if status == "complete":
                if not form.type.number_after_complete:
                    await keep_number(scope, session, fresh, form, current, state="active")
                await keep_sender_ids(scope, session, fresh, current, tied)
                if form.type.number_after_complete:
                    fresh.due_at = self._clock.now()
            if status == "closed":
                await _release(scope, session, fresh, form)
            await notices.tell(scope, session, fresh, previous=previous, reasons=denials)
        return 1

    async def _alarm(self) -> None:
        """Tell the operator of submissions that nobody took up in a day."""
        now = self._clock.now()
        waiting = (
            select(Registration).where(Registration.status == "submitted").with_for_update(skip_locked=True)
        )
        async with worker_transaction(self._engine) as session:
            for row in await session.scalars(waiting):
                if is_stale(_status(row), submitted_at=row.submitted_at, told_at=row.stale_told_at, now=now):
                    row.stale_told_at = now
                    await notices.post_stale(TenantScope(tenant_id=row.tenant_id), session, row)


def _status(row: Registration) -> Status:
    return cast("Status", row.status)


def _differs(row: Registration, shown: Seen) -> bool:
    return shown.status != row.aws_status or as_seen(shown.status, present=_status(row)) != row.status


def _write_version(
    current: RegistrationVersion, versions: list[SeenVersion], held: dict[str, Held], *, now: datetime
) -> list[Denial]:
    """Copy what AWS says of the version; returns why it was denied."""
    shown = next((each for each in versions if each.number == current.aws_version), None)
    if shown is None or shown.status == "DRAFT":
        return []
    fields = [(path, each.denied_reason) for path, each in held.items() if each.denied_reason]
    denials = all_explained(shown.reasons, fields) if shown.status == "DENIED" else []
    before, current.status = current.status, shown.status.lower()
    remarks = [shown.feedback, *(each.feedback for each in held.values())]
    current.feedback = next((each for each in remarks if each), current.feedback)
    if denials:
        rows: list[Any] = [{**_plain(each)} for each in denials]
        current.denials = rows
    if before != current.status and current.status in {"approved", "denied"}:
        current.decided_at = now
    return denials


def _plain(denial: Denial) -> dict[str, Any]:
    return {
        "code": denial.code,
        "reason": denial.reason,
        "means": denial.means,
        "change": denial.change,
        "field": denial.field,
    }


async def _release(scope: TenantScope, session: AsyncSession, row: Registration, form: Form) -> None:
    """
    A closed registration has lost its number, and the sender ids that its approval made.

    AWS ties them to nothing any more, so they are found by the name that the form gave them.
    """
    lost: list[Sender] = []
    if row.number_arn is not None:
        number = await senders.sender_by_arn(scope, session, row.number_arn)
        lost += [] if number is None else [number]
    if form.type.sender_id_country is not None and row.account_id is not None:
        names = await store.sender_ids_of(scope, session, row)
        found = await senders.sender_ids(scope, session, row.account_id, form.type.sender_id_country)
        lost += [each for each in found if each.value.casefold() in names]
    for sender in lost:
        sender.state = "released"
