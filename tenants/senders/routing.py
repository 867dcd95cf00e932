"""A tenant's ordered routes: through which AWS accounts and Regions its messages may leave."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.audit import store as audit
from tenants.errors import InvalidInput, NotFound
from tenants.ids import encode
from tenants.scope import TenantScope
from tenants.senders.models import AwsAccount, TenantRoute


class RouteOfTenant(Struct, frozen=True, kw_only=True):
    """An account that may carry the tenant's messages."""

    account_id: UUID
    name: str
    region: str
    shared_routes: bool
    media_per_second: float
    voice_per_second: float
    sandbox: bool
    position: int
    """From 1 in the order of the operator's list; 0 for all where there is no list."""


async def routes_of(scope: TenantScope, session: AsyncSession) -> list[RouteOfTenant]:
    """Return the tenant's routes in order; without a list, its own accounts and the operator's."""
    return (await routes_of_each(session, [scope.tenant_id]))[scope.tenant_id]


async def routes_of_each(
    session: AsyncSession, tenant_ids: Sequence[UUID]
) -> dict[UUID, list[RouteOfTenant]]:
    """
    Return the routes of every one of the tenants, as `routes_of` does, in two queries at most.

    An account on a list that has become another tenant's own since is passed over.
    """
    columns = (
        AwsAccount.id,
        AwsAccount.name,
        AwsAccount.region,
        AwsAccount.shared_routes,
        AwsAccount.media_per_second,
        AwsAccount.voice_per_second,
        AwsAccount.sandbox,
    )
    listed = (
        select(*columns, TenantRoute.position, TenantRoute.tenant_id, AwsAccount.owner_id)
        .join(TenantRoute, TenantRoute.account_id == AwsAccount.id)
        .where(TenantRoute.tenant_id.in_(tenant_ids))
        .order_by(TenantRoute.position)
    )
    found: dict[UUID, list[RouteOfTenant]] = {}
    for row in (await session.execute(listed)).all():
        routes = found.setdefault(row[8], [])
        if row[9] in {None, row[8]}:
            routes.append(_route(tuple(row), row[7]))
    if unlisted := [tenant_id for tenant_id in tenant_ids if tenant_id not in found]:
        usable = or_(AwsAccount.owner_id.is_(None), AwsAccount.owner_id.in_(unlisted))
        anyone = select(*columns, AwsAccount.owner_id).where(usable).order_by(AwsAccount.id)
        rows = (await session.execute(anyone)).all()
        for tenant_id in unlisted:
            found[tenant_id] = [_route(tuple(row), 0) for row in rows if row[7] in {None, tenant_id}]
    return found


async def check_account(scope: TenantScope, session: AsyncSession, account_id: UUID) -> AwsAccount:
    """
    Return an account, or refuse one that could not carry the tenant's messages, on whatever list of routes.

    Raises:
        InvalidInput: There is none, or it is another tenant's own.
    """
    found = await session.scalar(select(AwsAccount).where(AwsAccount.id == account_id, _usable(scope)))
    if found is None:
        detail = "there is no such AWS account for this tenant; see GET /v1/admin/aws-accounts"
        raise InvalidInput("/account", "no_such_account", detail)
    return found


async def set_routes(scope: TenantScope, session: AsyncSession, account_ids: Sequence[UUID]) -> None:
    """
    Make these the tenant's routes, in this order; an empty list removes the list.

    Raises:
        InvalidInput: An account is named twice.
        NotFound: There is no such account, or it is another tenant's own.
    """
    if len(set(account_ids)) != len(account_ids):
        raise InvalidInput("/routes", "listed_twice", "a route stands once in the list")
    found = select(AwsAccount.id).where(AwsAccount.id.in_(account_ids), _usable(scope))
    if set(await session.scalars(found)) != set(account_ids):
        raise NotFound("aws_account")
    await session.execute(delete(TenantRoute).where(TenantRoute.tenant_id == scope.tenant_id))
    session.add_all(
        TenantRoute(tenant_id=scope.tenant_id, account_id=account_id, position=position)
        for position, account_id in enumerate(account_ids, start=1)
    )
    await session.flush()
    named = [encode("acc", account_id) for account_id in account_ids]
    subject = encode("ten", scope.tenant_id)
    await audit.append(scope, session, action="routes.set", subject=subject, detail={"routes": named})


def _usable(scope: TenantScope) -> ColumnElement[bool]:
    """The operator's accounts and the tenant's own."""
    return or_(AwsAccount.owner_id.is_(None), AwsAccount.owner_id == scope.tenant_id)


def _route(row: tuple[Any, ...], position: int) -> RouteOfTenant:
    return RouteOfTenant(
        account_id=row[0],
        name=row[1],
        region=row[2],
        shared_routes=row[3],
        media_per_second=row[4],
        voice_per_second=row[5],
        sandbox=row[6],
        position=position,
    )
