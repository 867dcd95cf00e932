"""A visitor of a tenant's pages: which tenant, which language, from where, and within which limits."""

from collections.abc import Mapping
from typing import Any, Final

from litestar import Request
from msgspec import Struct

from gateway.api.desk import Desk
from gateway.api.exchange import exchange_of
from gateway.hosted.rendering import Site
from gateway.visitor_address import visitor_address
from tenants.accounts import store as accounts
from tenants.accounts.models import Tenant
from tenants.accounts.sealing import DataKey
from tenants.pages import service as pages
from tenants.pages.disclosures import links_of
from tenants.pages.settings import LANGUAGES, Language, PageSettings
from tenants.scope import TenantScope

VisitorRequest = Request[Any, Any, Any]
_LONGEST_SLUG: Final = 64


class Visit(Struct, frozen=True, kw_only=True):
    """Everything a page is made with."""

    scope: TenantScope
    tenant: Tenant
    key: DataKey
    site: Site
    address: str


async def visit(request: VisitorRequest, desk: Desk, slug: str, language: str | None) -> Visit | None:
    """Return whose page is visited; None for a slug without pages, or of a tenant that is closed."""
    if len(slug) > _LONGEST_SLUG or "\x00" in slug:
        return None
    async with desk.operator() as session:
        tenant = await accounts.with_slug(session, slug)
    if tenant is None or tenant.state == "closed":
        return None
    scope = TenantScope(tenant_id=tenant.id)
    exchange_of(request.scope).tenant_id = tenant.id
    async with desk.tenant(scope) as session:
        settings = await pages.read(scope, session)
    if settings is None:
        return None
    site = Site(
        settings=settings, links=links_of(desk.public_url, slug), language=_language(language, settings)
    )
    key = await desk.services.data_keys.of(tenant.id)
    address = visitor_address(
        request.client.host if request.client is not None else None,
        request.headers.getall("x-forwarded-for", []),
        desk.services.settings.trusted_proxies,
    )
    return Visit(scope=scope, tenant=tenant, key=key, site=site, address=address)


async def is_welcome(visitor: Visit, desk: Desk) -> bool:
    """Count a post and return whether its address is within the limit; counted whatever comes of it."""
    async with desk.tenant(visitor.scope) as session:
        return await pages.address_may(
            visitor.scope, session, visitor.key, visitor.address, desk.services.clock.now()
        )


async def may_text(visitor: Visit, desk: Desk, number: str) -> bool:
    """Count a text to a number and return whether it is within the limit."""
    async with desk.tenant(visitor.scope) as session:
        return await pages.number_may(visitor.scope, session, visitor.key, number, desk.services.clock.now())


def _language(wanted: str | None, settings: PageSettings) -> Language:
    spoken: Mapping[str | None, Language] = {each: each for each in LANGUAGES}
    return spoken.get(wanted, settings.language)
