"""What the operator does with tenants. Every change is audited in the transaction that makes it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts import enrolment, purse, sealing, store
from tenants.accounts.bundle_counts import check_counts
from tenants.accounts.enrolment import NewTenant
from tenants.accounts.lifecycle import TenantState, check_move
from tenants.accounts.models import Tenant
from tenants.accounts.plan import Plan, merge_plan
from tenants.audit import store as audit
from tenants.errors import Conflict, NotFound
from tenants.ids import encode, new_uuid
from tenants.scope import TenantScope


async def create_tenant(session: AsyncSession, secret_key: str, new: NewTenant) -> Tenant:
    """
    Add a tenant with an empty balance and a data key of its own; active, and not yet live.

    Raises:
        InvalidInput: A field breaks a rule of `enrolment`.
        Conflict: The slug is taken.
    """
    checked = enrolment.check_new_tenant(new)
    tenant = Tenant(
        id=new_uuid(),
        slug=checked.slug,
        name=checked.name,
        model=checked.model,
        countries=checked.countries,
        plan=msgspec.to_builtins(checked.plan),
        data_key=sealing.new_wrapped_key(secret_key),
    )
    await _insert(session, tenant)
    await purse.open_purse(session, tenant.id, checked.plan.pricing)
    detail = {"slug": tenant.slug, "model": tenant.model, "countries": tenant.countries}
    await _note(TenantScope(tenant_id=tenant.id), session, "tenant.created", detail)
    return tenant


async def get(scope: TenantScope, session: AsyncSession) -> Tenant:
    """
    Return the tenant of the scope.

    Raises:
        NotFound: There is none.
    """
    return _found(await store.get(scope, session))


async def check_open(scope: TenantScope, session: AsyncSession) -> None:
    """
    Let through what costs or busies the operator, for a tenant that is there to pay for it.

    Raises:
        NotFound: There is no such tenant.
        Conflict: It is closed.
    """
    if (await get(scope, session)).state == "closed":
        raise Conflict("tenant_closed", "nothing is begun for a closed tenant")


async def changeable(scope: TenantScope, session: AsyncSession) -> Tenant:
    """
    Return the tenant of the scope, locked so that nobody closes it meanwhile.

    Raises:
        NotFound: There is none.
        Conflict: The tenant is closed.
    """
    tenant = _found(await store.lock(scope, session))
    if tenant.state == "closed":
        raise Conflict("tenant_closed", "a closed tenant cannot be changed")
    return tenant


async def page(session: AsyncSession, *, limit: int, after: UUID | None = None) -> Sequence[Tenant]:
    """Return up to `limit` tenants, oldest first; ask for one more to learn whether others follow."""
    return await store.page_of_all(session, limit=limit, after=after)


def plan_of(tenant: Tenant) -> Plan:
    """Return the tenant's plan."""
    return msgspec.convert(tenant.plan, Plan)


def data_key_of(tenant: Tenant, secret_key: str) -> sealing.DataKey:
    """
    Return the key that seals the tenant's numbers, bodies and secrets.

    Raises:
        KeyUnwrapFailed: `secret_key` is not the one under which the tenant was created.
    """
    return sealing.unwrap(tenant.data_key, secret_key)


async def suspend(scope: TenantScope, session: AsyncSession) -> Tenant:
    """Stop a tenant's sends until it is resumed; what was accepted before waits for that, or for its end."""
    return await _move(scope, session, "suspended")


async def resume(scope: TenantScope, session: AsyncSession) -> Tenant:
    """
    Let a suspended tenant send again.

    Raises:
        Conflict: The tenant is closed.
    """
    return await _move(scope, session, "active")


async def close(scope: TenantScope, session: AsyncSession) -> Tenant:
    """End a tenant for good; its rows and its ledger stay. What was held back by a suspension stays so."""
    return await _move(scope, session, "closed")


async def set_live(scope: TenantScope, session: AsyncSession, *, live: bool) -> Tenant:
    """
    Allow or forbid sends that reach AWS; test keys work either way.

    Raises:
        Conflict: The tenant is closed.
    """
    tenant = await changeable(scope, session)
    if tenant.live != live:
        tenant.live = live
        await _save(scope, session, tenant, "tenant.live_changed", {"live": live})
    return tenant


async def update_countries(scope: TenantScope, session: AsyncSession, countries: Sequence[str]) -> Tenant:
    """
    Replace the countries to which the tenant may send.

    Raises:
        InvalidInput: A code is not a country's, or AWS does not send there.
        Conflict: The tenant is closed.
    """
    checked = enrolment.check_countries(countries)
    tenant = await changeable(scope, session)
    if tenant.countries != checked:
        detail = {"before": tenant.countries, "after": checked}
        tenant.countries = checked
        await _save(scope, session, tenant, "tenant.countries_changed", detail)
    return tenant


async def update_model(scope: TenantScope, session: AsyncSession, model: int) -> Tenant:
    """
    Move the tenant to another tenancy model, 1 to 6.

    Raises:
        InvalidInput: There is no such model.
        Conflict: The tenant is closed.
    """
    checked = enrolment.check_model(model)
    tenant = await changeable(scope, session)
    if tenant.model != checked:
        detail = {"before": tenant.model, "after": checked}
        tenant.model = checked
        await _save(scope, session, tenant, "tenant.model_changed", detail)
    return tenant


async def update_plan(scope: TenantScope, session: AsyncSession, changes: dict[str, object]) -> Tenant:
    """
    Replace some members of the plan, as a PATCH does.

    Raises:
        InvalidInput: A member is unknown or out of range, or budgets, fees that are open or an amount
            that the change leaves out count in the pricing's unit, or the month's bundle in its own.
        Conflict: The pricing would change while balance or holds are not zero, or the tenant is closed.
    """
    tenant = await changeable(scope, session)
    present = plan_of(tenant)
    plan = merge_plan(present, changes)
    if plan == present:
        return tenant
    if plan.pricing != present.pricing:
        await purse.change_unit(scope, session, plan.pricing)
    await check_counts(scope, session, present=present.bundle, wanted=plan.bundle)
    tenant.plan = msgspec.to_builtins(plan)
    await _save(scope, session, tenant, "tenant.plan_changed", {"changed": sorted(changes)})
    return tenant


async def _insert(session: AsyncSession, tenant: Tenant) -> None:
    try:
        async with session.begin_nested():
            session.add(tenant)
    except IntegrityError as error:
        raise Conflict("slug_taken", f"the slug {tenant.slug} is taken") from error


async def _move(scope: TenantScope, session: AsyncSession, state: TenantState) -> Tenant:
    tenant = _found(await store.lock(scope, session))
    check_move(tenant.state, state)
    if tenant.state != state:
        detail = {"before": tenant.state, "after": state}
        tenant.state = state
        if state != "closed":
            tenant.sends_held = state == "suspended"
        await _save(scope, session, tenant, "tenant.state_changed", detail)
    return tenant


def _found(tenant: Tenant | None) -> Tenant:
    if tenant is None:
        raise NotFound("tenant")
    return tenant


async def _save(
    scope: TenantScope, session: AsyncSession, tenant: Tenant, action: str, detail: dict[str, Any]
) -> None:
    await session.flush()
    await session.refresh(tenant)  # the database raises policy_version
    await _note(scope, session, action, detail)


async def _note(scope: TenantScope, session: AsyncSession, action: str, detail: dict[str, Any]) -> None:
    await audit.append(scope, session, action=action, subject=encode("ten", scope.tenant_id), detail=detail)
