"""A visitor of a tenant's pages: which tenant, which language, from where, and within which limits."""

import math
from collections.abc import Mapping
from datetime import datetime
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
    retry_after_s: int | None = None
    """Set only where waiting helps."""


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


async def too_many_posts(visitor: Visit, desk: Desk) -> Refusal | None:
    """Count a post, whatever comes of it, and return the refusal of one above its address's limit."""
    now = desk.services.clock.now()
    async with desk.tenant(visitor.scope) as session:
        until = await pages.posts_closed_until(
            visitor.scope, session, visitor.key, site_of(visitor.address), now
        )
    return _closed("too_many", until, now)


async def too_many_texts(visitor: Visit, desk: Desk, number: Number, *, asks: bool = False) -> Refusal | None:
    """
    Count a text to a number and return the refusal of one above the limits.

    Args:
        asks: Whether it asks to confirm, and is no code.
    """
    now, to = desk.services.clock.now(), number.e164
    async with desk.tenant(visitor.scope) as session:
        until = await pages.asks_closed_until(visitor.scope, session, visitor.key, to, now) if asks else None
        until = until or await pages.texts_closed_until(visitor.scope, session, visitor.key, to, now)
    return _closed("enough_texts", until, now)


async def too_many_guesses(visitor: Visit, desk: Desk) -> Refusal | None:
    """Return the refusal of a visitor who has entered too many wrong codes within a day."""
    now = desk.services.clock.now()
    async with desk.tenant(visitor.scope) as session:
        until = await pages.guesses_closed_until(
            visitor.scope, session, visitor.key, site_of(visitor.address), now
        )
    return _closed("wrong_codes", until, now)


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


def _closed(notice: str, until: datetime | None, now: datetime) -> Refusal | None:
    if until is None:
        return None
    return Refusal(status=429, notice=notice, retry_after_s=max(1, math.ceil((until - now).total_seconds())))


def _language(wanted: str | None, settings: PageSettings) -> Language:
    spoken: Mapping[str | None, Language] = {each: each for each in LANGUAGES}
    return spoken.get(wanted, settings.language)
