"""Writing a tenant's move down, and moving its recipients over country by country. All of it is audited."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct, structs
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts import service as accounts
from tenants.audit import store as audit
from tenants.errors import Conflict, NotFound
from tenants.ids import encode
from tenants.inbox import service as inbox
from tenants.inbox.service import Task
from tenants.moves import store
from tenants.moves.models import Move
from tenants.moves.plan import MovedNumber, Percent, State, Volume, kept, open_ports
from tenants.scope import TenantScope
from tenants.senders import store as senders

PORTS: Final = "migration.port"
_MOST_SENDERS: Final = 1_000


class MoveState(Struct, frozen=True, kw_only=True):
    """A move, opened."""

    provider: str
    volumes: dict[str, Volume]
    numbers: dict[str, MovedNumber]
    shares: dict[str, int]
    ready: frozenset[str]
    """Countries that have an active sender here."""


async def read(scope: TenantScope, session: AsyncSession) -> MoveState | None:
    """Return the tenant's move; None where nothing was planned yet."""
    row = await store.get(scope, session)
    return None if row is None else await _opened(scope, session, row)


async def note_provider(scope: TenantScope, session: AsyncSession, provider: str) -> None:
    """Keep the name of where the tenant comes from."""
    row = await store.locked(scope, session)
    if row.provider != provider:
        row.provider = provider
        await session.flush()


async def note_volume(scope: TenantScope, session: AsyncSession, country: str, volume: Volume) -> bool:
    """Keep what went to a country; return whether it is news."""
    row = await store.locked(scope, session)
    said = msgspec.to_builtins(volume)
    if row.volumes.get(country) == said:
        return False
    row.volumes = {**row.volumes, country: said}
    await session.flush()
    await _note(scope, session, "volume", {"country": country})
    return True


async def note_number(
    scope: TenantScope, session: AsyncSession, wanted: MovedNumber
) -> tuple[MovedNumber, bool]:
    """Keep a number of the inventory with what came of it so far; return it, and whether it is news."""
    row = await store.locked(scope, session)
    numbers = _numbers(row)
    found = kept(numbers.get(wanted.value), wanted)
    if numbers.get(wanted.value) == found:
        return found, False
    await _put(scope, session, row, numbers | {wanted.value: found})
    await _note(scope, session, "number", {"type": found.type, "country": found.country, "way": found.way})
    return found, True


async def mark(
    scope: TenantScope,
    session: AsyncSession,
    value: str,
    state: State,
    *,
    case: str | None = None,
    note: str | None = None,
) -> MovedNumber:
    """
    Write down what came of a number.

    Raises:
        NotFound: It is not in the inventory.
    """
    row = await store.locked(scope, session)
    numbers = _numbers(row)
    if value not in numbers:
        raise NotFound("number of the migration")
    before = numbers[value]
    after = structs.replace(before, state=state, case=case or before.case, note=note or before.note)
    if after != before:
        await _put(scope, session, row, numbers | {value: after})
        await _note(scope, session, "number_moved", {"type": after.type, "state": state})
    return after


async def cut_over(scope: TenantScope, session: AsyncSession, shares: Mapping[str, Percent]) -> MoveState:
    """
    Say how much of each country comes from here; countries that are not named keep their share.

    Raises:
        Conflict: The tenant is not live, or a country is not its own or has no active sender.
    """
    row = await store.locked(scope, session)
    tenant = await accounts.get(scope, session)
    now = await _opened(scope, session, row)
    for country, percent in shares.items():
        if percent == 0:
            continue
        if not tenant.live:
            raise Conflict("cut_over_not_ready", "the tenant is not live yet; finish its onboarding first")
        if country not in tenant.countries:
            raise Conflict("cut_over_not_ready", f"{country} is not among the tenant's countries")
        if country not in now.ready:
            raise Conflict("cut_over_not_ready", f"{country} has no active sender; provision one first")
    after = {**now.shares, **shares}
    if after != now.shares:
        row.shares = after
        await session.flush()
        await _note(scope, session, "cut_over", {"shares": dict(shares)})
    return structs.replace(now, shares=after)


async def _opened(scope: TenantScope, session: AsyncSession, row: Move) -> MoveState:
    rows = await senders.senders(scope, session, limit=_MOST_SENDERS)
    return MoveState(
        provider=row.provider,
        volumes=msgspec.convert(row.volumes, dict[str, Volume]),
        numbers=_numbers(row),
        shares=dict(row.shares),
        ready=frozenset(each.country for each in rows if each.state == "active"),
    )


def _numbers(row: Move) -> dict[str, MovedNumber]:
    return msgspec.convert(row.numbers, dict[str, MovedNumber])


async def _put(scope: TenantScope, session: AsyncSession, row: Move, numbers: dict[str, MovedNumber]) -> None:
    """Store the inventory, and keep the operator's task about porting as it now is."""
    row.numbers = msgspec.to_builtins(numbers)
    await session.flush()
    subject = encode("ten", scope.tenant_id)
    if open_ports(numbers):
        await inbox.post(
            session,
            Task(
                kind=PORTS,
                subject=subject,
                tenant_id=scope.tenant_id,
                summary=(
                    "Ask AWS by support case to port the numbers of this tenant's migration: whether that is "
                    "possible depends on type, country and provider, and everything else can wait for it."
                ),
            ),
        )
    else:
        await inbox.settle(
            session, kind=PORTS, subject=subject, tenant_id=scope.tenant_id, note="nothing is left to port"
        )


async def _note(scope: TenantScope, session: AsyncSession, what: str, detail: dict[str, Any]) -> None:
    subject = encode("ten", scope.tenant_id)
    await audit.append(scope, session, action=f"migration.{what}", subject=subject, detail=detail)
