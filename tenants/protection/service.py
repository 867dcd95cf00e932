"""
A tenant's protect configurations: made, changed, deleted, put in force.

What the operator locked only the operator changes. There is one default as soon as there is a configuration,
and it goes only when another takes its place.
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.audit import store as audit
from tenants.errors import Conflict, InvalidInput, NotFound
from tenants.ids import encode, new_uuid
from tenants.protection import store
from tenants.protection.models import AccountProtectConfiguration, ProtectConfiguration
from tenants.protection.naming import check_changes, check_name
from tenants.protection.precedence import (
    Channel,
    Configuration,
    CountryStatus,
    Protection,
    merged,
)
from tenants.scope import TenantScope

MOST: Final = 25
"""Configurations of one tenant; AWS allows an account as many."""


async def protection(scope: TenantScope, session: AsyncSession) -> Protection:
    """Return every configuration that may hold for the tenant's sends."""
    rows = await store.configurations(scope, session)
    account = await session.scalar(
        select(AccountProtectConfiguration).where(AccountProtectConfiguration.is_default)
    )
    return Protection(
        configurations={row.id: _plain(row) for row in rows},
        tenant_default=next((row.id for row in rows if row.is_default), None),
        of_sets=await store.associations(scope, session),
        account_default=None if account is None else _plain(account),
    )


async def get(scope: TenantScope, session: AsyncSession, configuration_id: UUID) -> ProtectConfiguration:
    """
    Return one of the tenant's configurations.

    Raises:
        NotFound: There is none such.
    """
    row = await store.configuration(scope, session, configuration_id)
    if row is None:
        raise NotFound("protect configuration")
    return row


async def named_or_default(
    scope: TenantScope, session: AsyncSession, configuration_id: UUID | None
) -> ProtectConfiguration:
    """
    Return the configuration that a request means: the one it names, else the tenant's default.

    Raises:
        NotFound: There is none such.
        Conflict: It names none and the tenant has none yet.
    """
    if configuration_id is not None:
        return await get(scope, session, configuration_id)
    rows = await store.configurations(scope, session)
    default = next((row for row in rows if row.is_default), None)
    if default is None:
        raise Conflict("no_protect_configuration", "make a protect configuration first; it is the default")
    return default


async def create(
    scope: TenantScope,
    session: AsyncSession,
    *,
    name: str,
    default: bool = False,
    locked: bool = False,
    operator: bool = False,
) -> ProtectConfiguration:
    """
    Add a configuration without rules; the first one is the default.

    Raises:
        InvalidInput: The name breaks a rule.
        Conflict: The name is taken, the tenant has as many as it may have, or it would take the place of a
            default that the operator locked.
    """
    checked = check_name(name)
    await store.lock(scope, session)
    present = await store.configurations(scope, session)
    if len(present) >= MOST:
        raise Conflict("conflict", f"a tenant has at most {MOST} protect configurations")
    if default:
        await _no_default(scope, session, operator=operator)
    row = ProtectConfiguration(
        tenant_id=scope.tenant_id,
        id=new_uuid(),
        name=checked,
        is_default=default or not present,
        locked=locked,
        rules={},
        version=1,
    )
    await _flush(session, row, checked)
    await _note(scope, session, "protect.created", row, {"default": row.is_default})
    return row


async def change(
    scope: TenantScope,
    session: AsyncSession,
    configuration_id: UUID,
    *,
    name: str | None = None,
    default: bool | None = None,
    locked: bool | None = None,
    operator: bool = False,
) -> ProtectConfiguration:
    """
    Rename a configuration, make it the default, or lock it; None leaves a member as it is.

    Raises:
        NotFound: There is none such.
        InvalidInput: The name breaks a rule, or the default would be left without a replacement.
        Conflict: The name is taken, or the operator locked it, or the default whose place it would take.
    """
    await store.lock(scope, session)
    row = await _changeable(scope, session, configuration_id, operator=operator)
    if default is False and row.is_default:
        raise InvalidInput("/default", "default_needed", "make another configuration the default instead")
    if default and not row.is_default:
        await _no_default(scope, session, operator=operator)
        row.is_default = True
    if name is not None:
        row.name = check_name(name)
    if locked is not None:
        row.locked = locked
    row.version += 1
    await _flush(session, row, row.name)
    await _note(scope, session, "protect.changed", row, {"default": row.is_default, "locked": row.locked})
    return row


async def delete(
    scope: TenantScope,
    session: AsyncSession,
    configuration_id: UUID,
    *,
    replacement: UUID | None,
    operator: bool = False,
) -> None:
    """
    Delete a configuration with its overrides; the default only where `replacement` becomes it.

    Raises:
        NotFound: There is none such, or no such replacement.
        Conflict: It is the default, locked, or a configuration set's.
    """
    await store.lock(scope, session)
    row = await _changeable(scope, session, configuration_id, operator=operator)
    if configuration_id in (await store.associations(scope, session)).values():
        raise Conflict("protect_in_use", "a configuration set uses it; associate another one first")
    if row.is_default:
        if replacement is None or replacement == configuration_id:
            raise Conflict("protect_in_use", "it is the default; name the `replacement` that becomes it")
        other = await get(scope, session, replacement)
        await _no_default(scope, session, operator=operator)
        other.is_default = True
    await session.delete(row)
    await session.flush()
    await _note(scope, session, "protect.deleted", row, {"name": row.name})


async def set_country_rules(
    scope: TenantScope,
    session: AsyncSession,
    configuration_id: UUID | None,
    *,
    channel: Channel,
    changes: Mapping[str, CountryStatus | None],
    operator: bool = False,
) -> ProtectConfiguration:
    """
    Change the rules of some countries of one channel; None takes a rule away.

    Raises:
        NotFound: There is no such configuration.
        InvalidInput: A country is none, or there are more than AWS takes in one call.
        Conflict: The operator locked it, or the tenant has no configuration.
    """
    checked = check_changes(changes)
    await store.lock(scope, session)
    meant = await named_or_default(scope, session, configuration_id)
    row = await _changeable(scope, session, meant.id, operator=operator)
    row.rules = merged(row.rules, channel, checked)
    row.version += 1
    await session.flush()
    await _note(scope, session, "protect.rules_changed", row, {"channel": channel, "changed": dict(checked)})
    return row


async def associate(
    scope: TenantScope, session: AsyncSession, *, account_id: UUID, configuration_id: UUID | None
) -> None:
    """
    Put a configuration in force for the tenant's configuration set in an AWS account.

    Raises:
        NotFound: There is no such configuration.
    """
    await store.lock(scope, session)
    row = None if configuration_id is None else await get(scope, session, configuration_id)
    await store.associate(scope, session, account_id, None if row is None else row.id)
    detail = {"configuration": None if row is None else encode("prc", row.id)}
    subject = encode("acc", account_id)
    await audit.append(scope, session, action="protect.associated", subject=subject, detail=detail)


async def changeable(
    scope: TenantScope, session: AsyncSession, configuration_id: UUID | None, *, operator: bool
) -> ProtectConfiguration:
    """
    Return the configuration that a request means, if who asks may change it.

    Raises:
        NotFound: There is none such.
        Conflict: The operator locked it, or the tenant has none yet.
    """
    meant = await named_or_default(scope, session, configuration_id)
    return await _changeable(scope, session, meant.id, operator=operator)


async def mark_false_positive(
    scope: TenantScope, session: AsyncSession, message_id: UUID, *, false_positive: bool
) -> None:
    """
    Note that AWS was wrong about a message, or was not.

    Raises:
        NotFound: AWS said nothing of such a message of the tenant.
    """
    if not await store.mark_finding(scope, session, message_id, false_positive=false_positive):
        raise NotFound("message that AWS blocked or would have blocked")


def _plain(row: ProtectConfiguration | AccountProtectConfiguration) -> Configuration:
    return Configuration(id=row.id, name=row.name, rules=row.rules)


async def _changeable(
    scope: TenantScope, session: AsyncSession, configuration_id: UUID, *, operator: bool
) -> ProtectConfiguration:
    row = await get(scope, session, configuration_id)
    if row.locked and not operator:
        raise Conflict("protect_locked", "only the operator changes this configuration")
    return row


async def _no_default(scope: TenantScope, session: AsyncSession, *, operator: bool) -> None:
    """One at a time: the index allows no two defaults at any instant."""
    await session.flush()
    rows = await store.configurations(scope, session)
    if not operator and any(row.is_default and row.locked for row in rows):
        raise Conflict("protect_locked", "the operator locked the default; only it makes another the default")
    await session.execute(
        update(ProtectConfiguration)
        .where(ProtectConfiguration.tenant_id == scope.tenant_id, ProtectConfiguration.is_default)
        .values(is_default=False)
    )


async def _flush(session: AsyncSession, row: ProtectConfiguration, name: str) -> None:
    try:
        async with session.begin_nested():
            session.add(row)
    except IntegrityError as error:
        raise Conflict("name_taken", f"there is a protect configuration named {name} already") from error


async def _note(
    scope: TenantScope, session: AsyncSession, action: str, row: ProtectConfiguration, detail: dict[str, Any]
) -> None:
    await audit.append(scope, session, action=action, subject=encode("prc", row.id), detail=detail)
