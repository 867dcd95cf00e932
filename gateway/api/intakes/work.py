"""Taking a platform's customer in: a tenant, its answers, its registrations as drafts; all or nothing."""

import re
import secrets
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.desk import Desk
from gateway.api.intakes.bodies import (
    IntakeCustomerBody,
    IntakeRegistration,
    IntakeRegistrationView,
    IntakeView,
)
from gateway.api.refusals import Refusal
from gateway.api.v1.onboarding import checked
from gateway.api.v1.onboarding_views import onboarding_view
from gateway.intake.outcome import FieldFault
from gateway.registrations.notices import tell
from tenants.accounts import service as accounts
from tenants.accounts.enrolment import NewTenant
from tenants.accounts.models import Tenant
from tenants.audit import store as audit
from tenants.errors import InvalidInput, InvalidInputs, NotFound
from tenants.ids import encode
from tenants.inbox import service as inbox
from tenants.inbox.service import Task
from tenants.intakes import store
from tenants.intakes.models import Intake
from tenants.onboarding import service as onboarding
from tenants.registrations import service as registrations
from tenants.registrations import store as registration_store
from tenants.registrations.forms import Form
from tenants.scope import TenantScope

_NOT_A_SLUG: Final = re.compile("[^a-z0-9]+")
_SLUG_BEGINS: Final = 24
_DRAFT: Final = "draft"
_HOME: Final = "/data"


async def forms_of(desk: Desk, wanted: list[IntakeRegistration]) -> dict[str, Form]:
    """
    Return AWS's forms by type, asked before any transaction is open.

    Raises:
        Refusal: 422 for a type that AWS does not have.
    """
    found: dict[str, Form] = {}
    for at, each in enumerate(wanted):
        try:
            found[each.type] = found.get(each.type) or await desk.services.registrations.form(each.type)
        except NotFound:
            field = f"{_HOME}/registrations/{at}/type"
            raise Refusal.of_field(field, "no_such_type", "AWS has no such registration type.") from None
    return found


async def take_in(
    desk: Desk, session: AsyncSession, intake: Intake, data: IntakeCustomerBody, forms: Mapping[str, Form]
) -> IntakeView:
    """
    Write a customer down as far as it is told; nothing is asked for, submitted or paid.

    Raises:
        Refusal: 422 with the field that breaks a rule.
        Conflict: The tenant is closed, or past the point at which its answers may change.
    """
    tenant, created = await _tenant(desk, session, intake, data)
    scope = TenantScope(tenant_id=tenant.id)
    key = accounts.data_key_of(tenant, desk.services.settings.secret_key)
    with _under(f"{_HOME}/onboarding"):
        given = checked(data.onboarding)
    if given:
        await onboarding.answer(scope, session, key, given)
    now = desk.services.clock.now()
    filed: list[IntakeRegistrationView] = []
    for at, each in enumerate(data.registrations):
        with _under(f"{_HOME}/registrations/{at}"):
            filed.append(await _registration(scope, session, forms[each.type], each, now))
    subject = encode("ten", tenant.id)
    summary = f"Look at what {intake.name} handed in for a customer, and ask for approval or send it back."
    await inbox.post(
        session, Task(kind=onboarding.HANDED_IN, subject=subject, tenant_id=tenant.id, summary=summary)
    )
    detail = {
        "intake": encode("itk", intake.id),
        "created": created,
        "answers": sorted(given),
        "registrations": [each.id for each in filed],
    }
    await audit.append(scope, session, action="intake.received", subject=subject, detail=detail, by="intake")
    view = await onboarding_view(scope, session, key)
    return IntakeView(tenant_id=subject, created=created, next=view.next, registrations=filed)


async def _tenant(
    desk: Desk, session: AsyncSession, intake: Intake, data: IntakeCustomerBody
) -> tuple[Tenant, bool]:
    known = await store.customer(session, intake.id, data.reference)
    if known is not None:
        return await accounts.changeable(TenantScope(tenant_id=known), session), False
    new = NewTenant(name=data.name, slug=_slug(data.name), model=intake.model, countries=[])
    with _under(_HOME):
        tenant = await accounts.create_tenant(session, desk.services.settings.secret_key, new)
    await store.add_customer(TenantScope(tenant_id=tenant.id), session, intake.id, data.reference)
    return tenant, True


async def _registration(
    scope: TenantScope, session: AsyncSession, form: Form, wanted: IntakeRegistration, now: datetime
) -> IntakeRegistrationView:
    row = await registration_store.referred(scope, session, wanted.reference)
    if row is None:
        new = registrations.NewRegistration(
            name=wanted.name, reference=wanted.reference, values=wanted.values
        )
        row = (await registrations.create(scope, session, form, new)).row
    elif row.type != wanted.type:
        raise InvalidInput("/reference", "other_type", f"the reference names a {row.type}")
    elif row.status == _DRAFT:
        row = (await registrations.fill(scope, session, form, row.id, wanted.values, now=now)).row
        await tell(scope, session, row, previous=_DRAFT)
    return IntakeRegistrationView(reference=wanted.reference, id=encode("reg", row.id), status=row.status)


def _slug(name: str) -> str:
    """Return a slug that nobody has: what can be read of the name, and random letters."""
    begins = _NOT_A_SLUG.sub("-", name.lower()).strip("-")[:_SLUG_BEGINS].strip("-")
    return f"{begins or 'customer'}-{secrets.token_hex(4)}"


@contextmanager
def _under(place: str) -> Generator[None]:
    """Name the fields of what is wrong inside from the root of the post."""
    try:
        yield
    except InvalidInput as error:
        raise Refusal.of_field(f"{place}{error.field}", error.code, error.detail) from error
    except InvalidInputs as error:
        faults = tuple(
            FieldFault(field=f"{place}{each.field}", code=each.code, detail=each.detail)
            for each in error.faults
        )
        raise Refusal("validation_failed", error.detail, errors=faults) from error
    except Refusal as refusal:
        faults = tuple(
            FieldFault(field=f"{place}{each.field}", code=each.code, detail=each.detail)
            for each in refusal.errors
        )
        raise Refusal(refusal.kind.code, refusal.detail, errors=faults) from refusal
