"""
Brings registrations to AWS, step by step, whoever dies in between.

What is due is leased by moving its due time, so a process that dies gives it back by doing nothing. Each
step is marked as begun, called with no transaction open, and stored; `tenants.registrations.saga` says
which comes next.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from msgspec import structs
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from gateway.carrier.control import OpenControl
from gateway.carrier.registrations import AwsRefusal, AwsRegistrations
from gateway.clock import Clock
from gateway.db.faults import DATABASE_FAULTS
from gateway.db.transaction import worker_transaction
from gateway.errors import Unavailable
from gateway.registrations import notices
from gateway.registrations.forms import Forms
from gateway.registrations.sending import charge, keep_number
from gateway.registrations.steps import Done, Loaded, Steps
from tenants.accounts.models import Tenant
from tenants.accounts.sealing import DataKey
from tenants.errors import NotFound
from tenants.ids import decode, encode
from tenants.registrations import store
from tenants.registrations.checking import attachment_ids
from tenants.registrations.forms import Form
from tenants.registrations.lifecycle import WORKED_ON
from tenants.registrations.models import Registration
from tenants.registrations.moving import move
from tenants.registrations.saga import Goal, NextStep, Progress, after_complete, next_step
from tenants.registrations.sealed_files import KeyOf, opened
from tenants.scope import TenantScope
from tenants.senders import store as senders
from tenants.senders.models import AwsAccount
from tenants.senders.routing import routes_of

_log = structlog.get_logger(__name__)

LEASE: Final = timedelta(seconds=90)
"""Longer than one step with the client's own retries; each step renews it."""
_BATCH: Final = 10
_OPERATORS_WAIT: Final = timedelta(minutes=30)
_LONGEST_WAIT_S: Final = 600
_MOST_DOUBLINGS: Final = 9
_BY: Final = "gateway"
_PERSONS: Final = frozenset({"confirm_cost", "review"})


class RegistrationRunner:
    """Works off what is due; any number of processes may."""

    def __init__(
        self, engine: AsyncEngine, open_control: OpenControl, forms: Forms, clock: Clock, key_of: KeyOf
    ) -> None:
        self._engine = engine
        self._key_of = key_of
        self._open = open_control
        self._forms = forms
        self._clock = clock

    async def work(self) -> int:
        """
        Bring everything that is due as far as it goes; returns how many registrations were taken.

        One that brings out a fault of ours is told of when the others that were taken with it had their turn:
        else it would hold them up each time that their leases end together.
        """
        taken = 0
        while due := await self._take():
            taken += len(due)
            broken: list[Exception] = []
            for scope, registration_id in due:
                try:
                    await self._bring(scope, registration_id)
                except DATABASE_FAULTS:
                    raise
                except Exception as error:  # noqa: BLE001 - whatever it is, it is raised below
                    broken.append(error)
                    _log.exception("registration_broken", registration_id=encode("reg", registration_id))
            if broken:
                raise broken[0]
        return taken

    async def _take(self) -> Sequence[tuple[TenantScope, UUID]]:
        now = self._clock.now()
        wanted = (
            select(Registration)
            .where(Registration.due_at <= now, Registration.status.in_(sorted(WORKED_ON)))
            .where(Registration.tenant_id.not_in(select(Tenant.id).where(Tenant.state == "closed")))
            .order_by(Registration.due_at)
            .limit(_BATCH)
            .with_for_update(skip_locked=True)
        )
        async with worker_transaction(self._engine) as session:
            rows = (await session.scalars(wanted)).all()
            for row in rows:
                row.due_at = now + LEASE
            return [(TenantScope(tenant_id=row.tenant_id), row.id) for row in rows]

    async def _bring(self, scope: TenantScope, registration_id: UUID) -> None:
        try:
            account = await self._account(scope, registration_id)
            async with self._open(account) as control:
                steps = Steps(AwsRegistrations(control))
                while await self._advance(steps, scope, registration_id, account):
                    pass
        except AwsRefusal as refusal:
            await self._refused(scope, registration_id, refusal)
        except (NotFound, Unavailable) as error:
            await self._refused(scope, registration_id, AwsRefusal("passing", "unavailable", str(error)))

    async def _advance(
        self, steps: Steps, scope: TenantScope, registration_id: UUID, account: AwsAccount
    ) -> bool:
        """Do one step; False when there is none to do now."""
        loaded, step = await self._next(scope, registration_id, account)
        if loaded is None or step is None:
            return False
        _log.info("registration_step", registration_id=loaded.reference, step=step.step, subject=step.subject)
        done = await steps.do(loaded, step)
        return await self._stored(loaded, step, done)

    async def _next(
        self, scope: TenantScope, registration_id: UUID, account: AwsAccount
    ) -> tuple[Loaded | None, NextStep | None]:
        """Read how far it is, and mark the next step as begun."""
        now = self._clock.now()
        async with worker_transaction(self._engine) as session:
            row = await store.get(scope, session, registration_id)
        if row is None:
            return None, None
        form = await self._forms.form(row.type, withdrawn=True)
        key = await self._key_of(scope.tenant_id)
        async with worker_transaction(self._engine) as session:
            loaded, progress = await _load(scope, session, registration_id, form, account, key=key)
            if loaded.row.status not in WORKED_ON:
                return None, None
            step = _step_of(loaded.row.status, form, progress)
            if step is None:
                loaded.row.due_at, loaded.row.begun = None, None
                return None, None
            if step.step in _PERSONS:
                await self._pause(loaded, session, step)
                return None, None
            if step.step == "submit" and loaded.row.status == "preparing":
                await _move(loaded, session, "submitting", now=now)
            begun = f"{step.step} {step.subject}".strip()
            again = loaded.row.begun == begun
            loaded.row.begun, loaded.row.due_at = begun, now + LEASE
        return structs.replace(loaded, again=again), step

    async def _pause(self, loaded: Loaded, session: AsyncSession, step: NextStep) -> None:
        """A person is next: to confirm the cost, or to look at what AWS holds."""
        loaded.row.due_at, loaded.row.begun = None, None
        if step.step == "review":
            await _move(loaded, session, "ready", now=self._clock.now())
        elif loaded.row.fault is None:
            loaded.row.fault = {
                "step": "confirm_cost",
                "code": "cost_not_confirmed",
                "detail": "the next step requests a number, which costs from then on: POST …/confirm-cost",
            }

    async def _stored(self, loaded: Loaded, step: NextStep, done: Done) -> bool:
        scope, now = loaded.scope, self._clock.now()
        async with worker_transaction(self._engine) as session:
            row = await store.get(scope, session, loaded.row.id, lock=True)
            if row is None:
                return False
            current = await store.version(scope, session, row)
            for name, value in done.row.items():
                setattr(row, name, value)
            for name, value in done.version.items():
                setattr(current, name, value)
            if done.uploaded is not None:
                await _keep_upload(loaded, session, *done.uploaded)
            row.begun, row.due_at = None, now + (done.wait or LEASE)
            if row.tries:
                await notices.settle_blocked(scope, session, row)
            row.fault, row.tries = None, 0
            if step.step == "number":
                await keep_number(scope, session, row, loaded.form, current, state="pending")
            if step.step == "activate" and done.wait is None:
                await keep_number(scope, session, row, loaded.form, current, state="active")
            if step.step == "submit":
                row.submitted_at, row.due_at, current.status, current.submitted_at = (
                    now,
                    None,
                    "submitted",
                    now,
                )
                previous = row.status
                await move(scope, session, row, "submitted", by=_BY, now=now)
                await notices.tell(scope, session, row, previous=previous)
                await charge(scope, session, row, loaded.form, now=now)
                return False
        return done.wait is None

    async def _refused(self, scope: TenantScope, registration_id: UUID, refusal: AwsRefusal) -> None:
        now = self._clock.now()
        async with worker_transaction(self._engine) as session:
            row = await store.get(scope, session, registration_id, lock=True)
            if row is None or row.status not in WORKED_ON:
                return
            step = (row.begun or "open").partition(" ")[0]
            row.fault = {"step": step, "code": refusal.code, "detail": refusal.detail}
            row.tries += 1
            _log.warning(
                "registration_refused", registration_id=encode("reg", row.id), step=step, why=refusal.detail
            )
            if refusal.whose == "form" and row.status != "complete":
                previous, row.due_at, row.begun = row.status, None, None
                await move(scope, session, row, "draft", by=_BY, now=now)
                await notices.tell(scope, session, row, previous=previous, detail=refusal.detail)
            elif refusal.whose != "passing":
                row.due_at = now + _OPERATORS_WAIT
                await notices.post_blocked(scope, session, row, refusal.detail)
            else:
                wait_s = min(2 ** min(row.tries, _MOST_DOUBLINGS), _LONGEST_WAIT_S)
                row.due_at = now + timedelta(seconds=wait_s)

    async def _account(self, scope: TenantScope, registration_id: UUID) -> AwsAccount:
        """Return the account in which the registration is, or will be: the tenant's first route."""
        async with worker_transaction(self._engine) as session:
            row = await store.get(scope, session, registration_id, lock=True)
            if row is None:
                raise NotFound("registration")
            if row.account_id is None:
                routes = await routes_of(scope, session)
                if not routes:
                    raise AwsRefusal("operator", "no_account", "the tenant has no AWS account to register in")
                row.account_id = routes[0].account_id
            known = {each.id: each for each in await senders.accounts(session)}
            if row.account_id not in known:
                raise AwsRefusal("operator", "no_account", "the AWS account of the registration is gone")
            return known[row.account_id]


async def _load(
    scope: TenantScope,
    session: AsyncSession,
    registration_id: UUID,
    form: Form,
    account: AwsAccount,
    *,
    key: DataKey,
) -> tuple[Loaded, Progress]:
    row = await store.get(scope, session, registration_id, lock=True)
    if row is None:
        raise NotFound("registration")
    current = await store.version(scope, session, row)
    named = {decode("att", text): text for text in attachment_ids(form, current.filled).values()}
    attached = {named[each.id]: each for each in await store.attachments(scope, session, named.keys())}
    parent = None if row.parent_id is None else await store.get(scope, session, row.parent_id)
    parent_aws_id = None if parent is None else parent.aws_id
    number = None if row.number_arn is None else await senders.sender_by_arn(scope, session, row.number_arn)
    goal: Any = row.goal
    progress = Progress(
        goal=_goal(goal),
        aws_id=row.aws_id,
        version=current.version,
        aws_version=current.aws_version,
        values=current.filled,
        put=current.put,
        uploaded=frozenset(text for text, each in attached.items() if str(account.id) in each.aws_ids),
        cost_confirmed=row.cost_confirmed_at is not None,
        number_id=row.number_id,
        parent_id=parent_aws_id,
        associated=frozenset(row.associated),
        number_active=number is not None and number.state != "pending",
    )
    step, content = _step_of(row.status, form, progress), b""
    if step is not None and step.step == "attachment":
        whole = await store.attachment(scope, session, attached[step.subject].id, content=True)
        if whole is not None:
            await session.refresh(whole, ["content", "sealed"])
            content = opened(whole, key)
    return (
        Loaded(
            scope=scope,
            row=row,
            current=current,
            form=form,
            account_id=account.id,
            attachments=attached,
            content=content,
            parent_aws_id=parent_aws_id,
        ),
        progress,
    )


def _step_of(status: str, form: Form, progress: Progress) -> NextStep | None:
    return after_complete(form, progress) if status == "complete" else next_step(form, progress)


def _goal(text: str) -> Goal:
    return "submit" if text == "submit" else "review"


async def _keep_upload(loaded: Loaded, session: AsyncSession, attachment_id: UUID, aws_id: str) -> None:
    row = await store.attachment(loaded.scope, session, attachment_id)
    if row is not None:
        row.aws_ids = {**row.aws_ids, str(loaded.account_id): aws_id}


async def _move(loaded: Loaded, session: AsyncSession, status: Any, *, now: Any) -> None:
    previous = loaded.row.status
    await move(loaded.scope, session, loaded.row, status, by=_BY, now=now)
    await notices.tell(loaded.scope, session, loaded.row, previous=previous)
