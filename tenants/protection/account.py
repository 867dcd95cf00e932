"""The operator's protect configurations: one is the default of all sends whose tenant has none."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.errors import Conflict, InvalidInput, NotFound
from tenants.ids import new_uuid
from tenants.protection.models import AccountProtectConfiguration
from tenants.protection.naming import check_changes, check_name
from tenants.protection.precedence import Channel, CountryStatus, merged

MOST: Final = 5
"""They share an AWS account's 25 with the tenants' own."""
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('protect:operator', 0))")


async def configurations(session: AsyncSession) -> Sequence[AccountProtectConfiguration]:
    """Return the operator's configurations, oldest first."""
    query = select(AccountProtectConfiguration).order_by(AccountProtectConfiguration.id)
    return (await session.scalars(query)).all()


async def get(session: AsyncSession, configuration_id: UUID) -> AccountProtectConfiguration:
    """
    Return one of the operator's configurations.

    Raises:
        NotFound: There is none such.
    """
    row = await session.get(AccountProtectConfiguration, configuration_id)
    if row is None:
        raise NotFound("protect configuration")
    return row


async def create(session: AsyncSession, *, name: str, default: bool = False) -> AccountProtectConfiguration:
    """
    Add a configuration without rules; the first one is the default.

    Raises:
        InvalidInput: The name breaks a rule.
        Conflict: The name is taken, or there are as many as there may be.
    """
    checked = check_name(name)
    await session.execute(_LOCK)
    present = await configurations(session)
    if len(present) >= MOST:
        raise Conflict("conflict", f"there are at most {MOST} account configurations")
    if default:
        await _no_default(session)
    row = AccountProtectConfiguration(
        id=new_uuid(), name=checked, is_default=default or not present, rules={}, version=1
    )
    await _flush(session, row)
    return row


async def change(
    session: AsyncSession, configuration_id: UUID, *, name: str | None = None, default: bool | None = None
) -> AccountProtectConfiguration:
    """
    Rename a configuration or make it the default; None leaves a member as it is.

    Raises:
        NotFound: There is none such.
        InvalidInput: The name breaks a rule, or the default would be left without a replacement.
        Conflict: The name is taken.
    """
    await session.execute(_LOCK)
    row = await get(session, configuration_id)
    if default is False and row.is_default:
        raise InvalidInput("/default", "default_needed", "make another configuration the default instead")
    if default and not row.is_default:
        await _no_default(session)
        row.is_default = True
    if name is not None:
        row.name = check_name(name)
    row.version += 1
    await _flush(session, row)
    return row


async def delete(session: AsyncSession, configuration_id: UUID, *, replacement: UUID | None) -> None:
    """
    Delete a configuration; the default only where `replacement` becomes it.

    Raises:
        NotFound: There is none such, or no such replacement.
        Conflict: It is the default and no replacement is named.
    """
    await session.execute(_LOCK)
    row = await get(session, configuration_id)
    if row.is_default:
        if replacement is None or replacement == configuration_id:
            raise Conflict("protect_in_use", "it is the default; name the `replacement` that becomes it")
        other = await get(session, replacement)
        await _no_default(session)
        other.is_default = True
        other.version += 1
    await session.delete(row)
    await session.flush()


async def set_country_rules(
    session: AsyncSession,
    configuration_id: UUID,
    *,
    channel: Channel,
    changes: Mapping[str, CountryStatus | None],
) -> AccountProtectConfiguration:
    """
    Change the rules of some countries of one channel; None takes a rule away.

    Raises:
        NotFound: There is no such configuration.
        InvalidInput: A country is none, or there are too many.
    """
    checked = check_changes(changes)
    await session.execute(_LOCK)
    row = await get(session, configuration_id)
    row.rules = merged(row.rules, channel, checked)
    row.version += 1
    await session.flush()
    return row


async def _no_default(session: AsyncSession) -> None:
    """One at a time: the index allows no two defaults at any instant."""
    await session.flush()
    await session.execute(
        update(AccountProtectConfiguration)
        .where(AccountProtectConfiguration.is_default)
        .values(is_default=False)
    )


async def _flush(session: AsyncSession, row: AccountProtectConfiguration) -> None:
    name = row.name  # after a failed flush the row can no longer be read
    try:
        async with session.begin_nested():
            session.add(row)
    except IntegrityError as error:
        raise Conflict("name_taken", f"there is a protect configuration named {name} already") from error
