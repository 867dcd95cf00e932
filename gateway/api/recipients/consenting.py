"""Consents at the edge: taken with the text that asks, withdrawn with the opt-out they mean."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.recipients.opt_out_changing import change
from tenants.accounts import service as accounts
from tenants.accounts.models import Tenant
from tenants.accounts.sealing import DataKey
from tenants.consents import service
from tenants.consents.confirming import confirmation_text
from tenants.consents.links import signed_link
from tenants.consents.rules import CONFIRM_WITHIN, Method
from tenants.consents.service import NewConsent, Proof, Taken
from tenants.optouts.service import Change, Origin, Source
from tenants.pages import service as pages
from tenants.scope import TenantScope

CONFIRM_PATH: Final = "/p/{slug}/confirm/{link}"


async def take_asking(
    scope: TenantScope,
    session: AsyncSession,
    key: DataKey,
    wanted: NewConsent,
    *,
    now: datetime,
    programme: str,
    language: str,
    public_url: str,
) -> Taken:
    """Write down that a person was asked, and order the one text that asks the phone; none if it agreed."""
    tenant = await accounts.get(scope, session)
    taken = await service.take(scope, session, key, wanted, now=now, double_opt_in=True)
    if taken.consent.state != "pending":
        return taken
    await order_confirmation(
        scope,
        session,
        key,
        tenant,
        number=wanted.number,
        brand=brand_of(tenant),
        programme=programme,
        language=language,
        now=now,
        public_url=public_url,
    )
    return taken


async def order_confirmation(
    scope: TenantScope,
    session: AsyncSession,
    key: DataKey,
    tenant: Tenant,
    *,
    number: str,
    brand: str,
    programme: str,
    language: str,
    now: datetime,
    public_url: str,
) -> None:
    """Order the text that asks a phone to answer YES or, where the tenant has pages, to open its link."""
    link = signed_link(scope, key, "confirm", number, expires_at=now + CONFIRM_WITHIN)
    place = public_url + CONFIRM_PATH.format(slug=tenant.slug, link=link)
    has_pages = await pages.read(scope, session) is not None
    words = confirmation_text(language, brand=brand, programme=programme, link=place if has_pages else None)
    await service.order_text(
        scope,
        session,
        key,
        kind="confirm",
        number=number,
        words=words,
        now=now,
        closes_at=now + CONFIRM_WITHIN,
    )


async def withdraw_and_opt_out(
    scope: TenantScope,
    session: AsyncSession,
    key: DataKey,
    *,
    number: str,
    use_cases: Collection[str],
    now: datetime,
    method: Method,
    source: Source,
    actor: str | None = None,
    proof: Proof | None = None,
) -> tuple[list[Taken], list[Change]]:
    """
    Withdraw consents, and put the number on the opt-out list of each message type of which none is left.

    Sends name their type and not their use case, so a list of a type would stop another use case of it that
    the person still wants.
    """
    ended = await service.withdraw(
        scope,
        session,
        key,
        number=number,
        now=now,
        use_cases=frozenset(use_cases),
        method=method,
        proof=proof,
        actor=actor,
    )
    left = await service.of_number(scope, session, key, number, now=now)
    wanted = {each.message_type for each in left if each.state == "granted"}
    types = sorted({each.consent.message_type for each in ended} - wanted) if scope.live else []
    origin = Origin(source=source, actor=actor)
    changes = [
        await change(scope, session, key, number=number, list_name=name, opted_out=True, origin=origin)
        for name in types
    ]
    return ended, changes


def brand_of(tenant: Tenant) -> str:
    """Return the name under which people know a tenant."""
    return next(iter(accounts.plan_of(tenant).brands), tenant.name)
