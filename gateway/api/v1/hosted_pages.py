"""`/v1/hosted-pages`: what the tenant's public pages are written from, and where they are."""

from typing import Final

from litestar import get, put
from litestar.di import NamedDependency
from litestar.params import JSONBody

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, WITH_BODY, refusals
from gateway.api.hosted_page_views import HostedPagesView, hosted_pages_view
from tenants.accounts import service as accounts
from tenants.errors import NotFound
from tenants.pages import service
from tenants.pages.settings import PageSettings

_PAGES: Final = {NEEDS: "consents"}


@get(
    "/hosted-pages",
    opt=_PAGES,
    responses=refusals(*TENANT, "not_found"),
    summary="Read the hosted pages",
    description="Where they are and what they are written from; 404 before the first PUT.",
)
async def get_hosted_pages(request: ApiRequest, desk: NamedDependency[Desk]) -> HostedPagesView:
    """Return the settings and the addresses."""
    async with desk.tenant(request.auth) as session:
        tenant = await accounts.get(request.auth, session)
        settings = await service.read(request.auth, session)
    if settings is None:
        raise NotFound("hosted page")
    return hosted_pages_view(settings, tenant, desk.public_url)


@put(
    "/hosted-pages",
    opt=_PAGES,
    responses=refusals(*TENANT, *WITH_BODY),
    summary="Set what the hosted pages say",
    description=(
        "Terms, privacy policy, opt-in page and widget, preference page, paper form and verbal script are "
        "written from these answers, each with every disclosure that carriers ask for. They are public from "
        "now on. Consents given before keep the words that they were given to."
    ),
)
async def put_hosted_pages(
    request: ApiRequest, data: JSONBody[PageSettings], desk: NamedDependency[Desk]
) -> HostedPagesView:
    """Replace the settings."""
    async with desk.tenant(request.auth) as session:
        tenant = await accounts.get(request.auth, session)
        await service.write(request.auth, session, data)
    return hosted_pages_view(data, tenant, desk.public_url)
