"""Templates in Postgres: written by tenants, decided by the operator or the linter, retired and restored."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.db.transaction import tenant_transaction, worker_transaction
from tenants.accounts import service as accounts
from tenants.audit import store as audit
from tenants.errors import Conflict, InvalidInput, NotFound
from tenants.scope import TenantScope
from tenants.templates import decisions, service, store
from tenants.templates.authoring import Wording
from tenants.templates.variables import Declaration

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CODE = Declaration(kind="digits", max_length=6)


def wording(body: str = "Acme: your code is {code}", **fields: object) -> Wording:
    return Wording(**({"body": body, "type": "otp", "variables": {"code": CODE}} | fields))


async def approved_template(app: AsyncEngine, worker: AsyncEngine, scope: TenantScope) -> UUID:
    async with tenant_transaction(app, scope) as session:
        view = await service.create(scope, session, name="login", wording=wording(countries=["US"]))
        await service.submit(scope, session, view.template.id, now=NOW)
    async with worker_transaction(worker) as session:
        await decisions.approve(scope, session, view.template.id, now=NOW)
    return view.template.id


async def test_a_template_begins_as_a_draft_that_nobody_can_send(
    app: AsyncEngine, tenant: TenantScope
) -> None:
    """Writing is free; sending needs the operator's word."""
    async with tenant_transaction(app, tenant) as session:
        view = await service.create(tenant, session, name="login", wording=wording())
        assert (view.latest.version, view.latest.state, view.in_force) == (1, "draft", None)
        assert await service.approved(tenant, session) == []


async def test_an_approved_version_is_what_the_hot_path_gets(
    app: AsyncEngine, worker: AsyncEngine, tenant: TenantScope
) -> None:
    """Body, type, declarations and countries: all that a send needs, in one row."""
    template_id = await approved_template(app, worker, tenant)
    async with tenant_transaction(app, tenant) as session:
        (sendable,) = await service.approved(tenant, session)
        view = await service.get(tenant, session, template_id)
    assert sendable == store.ApprovedTemplate(
        template_id=template_id,
        name="login",
        version=1,
        body="Acme: your code is {code}",
        type="otp",
        variables={"code": CODE},
        countries=frozenset({"US"}),
        use_case="otp",
        locale=None,
        dlt_template_id=None,
        variants=(),
    )
    assert view.in_force is view.latest
    assert (view.latest.submitted_at, view.latest.decided_at) == (NOW, NOW)


async def test_an_edit_is_a_new_version_and_the_old_one_stays_until_the_new_is_approved(
    app: AsyncEngine, worker: AsyncEngine, tenant: TenantScope
) -> None:
    """A typo fixed must not stop the sends of the hour."""
    template_id = await approved_template(app, worker, tenant)
    async with tenant_transaction(app, tenant) as session:
        await service.edit(tenant, session, template_id, wording("Acme: {code} is your code"))
        await service.submit(tenant, session, template_id, now=NOW)
        assert [row.version for row in await service.approved(tenant, session)] == [1]
    async with worker_transaction(worker) as session:
        view = await decisions.approve(tenant, session, template_id, now=NOW, keep_older=False)
        assert [row.state for row in view.versions] == ["retired", "approved"]
        assert [row.version for row in await service.approved(tenant, session)] == [2]


async def test_older_versions_stay_sendable_by_number(
    app: AsyncEngine, worker: AsyncEngine, tenant: TenantScope
) -> None:
    """For tenants that name the version in their sends."""
    template_id = await approved_template(app, worker, tenant)
    async with worker_transaction(worker) as session:
        await service.edit(tenant, session, template_id, wording("{code} for Acme"))
        await service.submit(tenant, session, template_id, now=NOW)
        await decisions.approve(tenant, session, template_id, now=NOW)
        assert [row.version for row in await service.approved(tenant, session)] == [2, 1]


async def test_a_rejection_says_why_and_a_new_version_may_try_again(
    app: AsyncEngine, worker: AsyncEngine, tenant: TenantScope
) -> None:
    """The author has to know what to change."""
    async with tenant_transaction(app, tenant) as session:
        template_id = (await service.create(tenant, session, name="x", wording=wording())).template.id
        await service.submit(tenant, session, template_id, now=NOW)
    async with worker_transaction(worker) as session:
        with pytest.raises(InvalidInput):
            await decisions.reject(tenant, session, template_id, reason=" ", now=NOW)
        await decisions.reject(tenant, session, template_id, reason="name the brand", now=NOW)
    async with tenant_transaction(app, tenant) as session:
        view = await service.get(tenant, session, template_id)
        assert (view.latest.state, view.latest.rejection_reason) == ("rejected", "name the brand")
        with pytest.raises(Conflict):
            await service.submit(tenant, session, template_id, now=NOW)
        await service.edit(tenant, session, template_id, wording("Acme: {code}"))
        assert (await service.submit(tenant, session, template_id, now=NOW)).latest.version == 2


async def test_a_decision_needs_a_version_that_waits_for_one(
    app: AsyncEngine, worker: AsyncEngine, tenant: TenantScope
) -> None:
    """Nothing is approved that its author has not handed in, nor twice."""
    async with tenant_transaction(app, tenant) as session:
        template_id = (await service.create(tenant, session, name="x", wording=wording())).template.id
    async with worker_transaction(worker) as session:
        with pytest.raises(Conflict):
            await decisions.approve(tenant, session, template_id, now=NOW)
        with pytest.raises(Conflict):
            await decisions.approve(tenant, session, template_id, now=NOW, version=1)
        with pytest.raises(NotFound):
            await decisions.approve(tenant, session, template_id, now=NOW, version=9)


async def test_an_old_version_is_not_approved_past_a_newer_one(
    app: AsyncEngine, worker: AsyncEngine, tenant: TenantScope
) -> None:
    """Approving late what was superseded would bring yesterday's wording back."""
    async with tenant_transaction(app, tenant) as session:
        template_id = (await service.create(tenant, session, name="x", wording=wording())).template.id
        await service.submit(tenant, session, template_id, now=NOW)
        await service.edit(tenant, session, template_id, wording("{code} from Acme"))
        await service.submit(tenant, session, template_id, now=NOW)
    async with worker_transaction(worker) as session:
        await decisions.approve(tenant, session, template_id, now=NOW, version=2)
        with pytest.raises(Conflict):
            await decisions.approve(tenant, session, template_id, now=NOW, version=1)


async def test_submitting_twice_is_submitting_once(app: AsyncEngine, tenant: TenantScope) -> None:
    """A client that retries gets the same answer."""
    async with tenant_transaction(app, tenant) as session:
        template_id = (await service.create(tenant, session, name="x", wording=wording())).template.id
        await service.submit(tenant, session, template_id, now=NOW)
        again = await service.submit(tenant, session, template_id, now=datetime.now(UTC))
        actions = [row.action for row in await audit.page(tenant, session, limit=10)]
    assert again.latest.submitted_at == NOW
    assert actions.count("template.submitted") == 1


async def test_a_name_is_taken_once_per_tenant(
    app: AsyncEngine, tenant: TenantScope, stranger: TenantScope
) -> None:
    """Two tenants may both have a login template; one may not have two."""
    for scope in (tenant, stranger):
        async with tenant_transaction(app, scope) as session:
            await service.create(scope, session, name="login", wording=wording())
    async with tenant_transaction(app, tenant) as session:
        with pytest.raises(Conflict):
            await service.create(tenant, session, name="login", wording=wording())
        assert await store.named(tenant, session, "login")


async def test_edits_at_once_make_versions_in_a_row(app: AsyncEngine, tenant: TenantScope) -> None:
    """Nobody's wording is lost under another's number."""
    async with tenant_transaction(app, tenant) as session:
        template_id = (await service.create(tenant, session, name="x", wording=wording())).template.id

    async def edit(number: int) -> None:
        async with tenant_transaction(app, tenant) as session:
            await service.edit(tenant, session, template_id, wording(f"{number} {{code}}"))

    await asyncio.gather(*(edit(number) for number in range(8)))
    async with tenant_transaction(app, tenant) as session:
        view = await service.get(tenant, session, template_id)
    assert [row.version for row in view.versions] == list(range(1, 10))
    assert len({row.body for row in view.versions}) == 9


async def test_every_change_of_a_version_raises_the_policy_version(
    app: AsyncEngine, worker: AsyncEngine, tenant: TenantScope
) -> None:
    """An approval is in force everywhere as soon as processes see the number move."""
    async with worker_transaction(worker) as session:
        before = (await accounts.get(tenant, session)).policy_version
    await approved_template(app, worker, tenant)
    async with worker_transaction(worker) as session:
        assert (await accounts.get(tenant, session)).policy_version > before


async def test_templates_are_listed_newest_first_with_their_versions(
    app: AsyncEngine, tenant: TenantScope
) -> None:
    """One query for the templates, one for all their versions."""
    async with tenant_transaction(app, tenant) as session:
        names = ["a", "b", "c"]
        for name in names:
            await service.create(tenant, session, name=name, wording=wording())
        first = await service.page(tenant, session, limit=2)
        rest = await service.page(tenant, session, limit=2, after=first[-1].template.id)
    assert sorted(view.template.name for view in (*first, *rest)) == names
    assert all(view.latest.version == 1 for view in (*first, *rest))


async def test_a_strangers_template_is_absent(
    app: AsyncEngine, worker: AsyncEngine, tenant: TenantScope, stranger: TenantScope
) -> None:
    """For every command, with the right scope and with a stolen one."""
    template_id = await approved_template(app, worker, tenant)
    async with tenant_transaction(app, stranger) as session:
        assert await store.get(tenant, session, template_id) is None
        assert await service.approved(tenant, session) == []
        for command in (
            service.get(stranger, session, template_id),
            service.edit(stranger, session, template_id, wording()),
            service.submit(stranger, session, template_id, now=NOW),
            service.get(stranger, session, uuid4()),
        ):
            with pytest.raises(NotFound):
                await command
