"""A visitor of a tenant's pages: which tenant, which language, from where, and within which limits."""

from collections.abc import Mapping
from typing import Any, Final

from litestar import Request
from msgspec import Struct

from gateway.api.desk import Desk
from gateway.api.exchange import exchange_of
from gateway.hosted.rendering import Site
from gateway.visitor_address import site_of, visitor_address
from tenants.accounts import store as accounts
from tenants.accounts.models import Tenant
from tenants.accounts.sealing import DataKey
from tenants.countries.numbers import Number
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


class Refusal(Struct, frozen=True, kw_only=True):
    """How a form is refused."""

    status: int
    notice: str
    """Names a phrase."""


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
    captcha = desk.services.captcha
    site = Site(
        settings=settings,
        links=links_of(desk.public_url, slug),
        language=_language(language, settings),
        captcha=None if captcha is None else captcha.widget,
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
            visitor.scope, session, visitor.key, site_of(visitor.address), desk.services.clock.now()
        )


async def too_many_texts(visitor: Visit, desk: Desk, number: Number, *, asks: bool = False) -> Refusal | None:
    """
    Count a text to a number and return the refusal of one above the limits.

    Args:
        asks: Whether it asks to confirm, and is no code.
    """
    now, to = desk.services.clock.now(), number.e164
    async with desk.tenant(visitor.scope) as session:
        may = not asks or await pages.ask_may(visitor.scope, session, visitor.key, to, now)
        may = may and await pages.number_may(visitor.scope, session, visitor.key, to, now)
    return None if may else Refusal(status=429, notice="enough_texts")


async def may_guess(visitor: Visit, desk: Desk) -> bool:
    """Return whether the visitor has entered few enough wrong codes within a day."""
    async with desk.tenant(visitor.scope) as session:
        return await pages.may_guess(
            visitor.scope, session, visitor.key, site_of(visitor.address), desk.services.clock.now()
        )


async def is_a_machine(visitor: Visit, desk: Desk, fields: Mapping[str, str]) -> Refusal | None:
    """
    Return why a form is not taken; None for a person's, and where the operator asks nobody.

    Whoever cannot be judged is refused, too: a provider that is away must not open the forms to machines.
    """
    captcha = desk.services.captcha
    if captcha is None:
        return None
    token = fields.get(captcha.widget.provider.token_field, "")
    match await captcha.judge(token, visitor.address):
        case "human":
            return None
        case "refused":
            return Refusal(status=403, notice="captcha_failed")
        case _:
            return Refusal(status=503, notice="captcha_unavailable")


def _language(wanted: str | None, settings: PageSettings) -> Language:
    spoken: Mapping[str | None, Language] = {each: each for each in LANGUAGES}
    return spoken.get(wanted, settings.language)
